import { type Command, InvalidArgumentError } from 'commander';
import { type LoadedCases, loadCases } from '../evals/cases/load-cases.ts';
import { PlimsollError } from '../router/errors.ts';
import { startProgress } from './progress.ts';

/** Flags that every command on labelled data has. */
export interface DataFlags {
  readonly data: readonly string[];
  readonly qualityField: string;
  readonly maxRejects: number;
  readonly rejects?: string;
}

export function addDataFlags(command: Command): Command {
  return command
    .requiredOption('--data <file...>', 'labelled cases: .jsonl, .csv (wide or long), each also .gz')
    .option('--quality-field <name>', 'the field of an outcome that holds its quality, 0..1', 'quality')
    .option('--max-rejects <share>', 'stop when more than this share of the rows is bad', share, 0.02)
    .option('--rejects <file>', 'write the bad rows here, with line, field and reason');
}

/** Below this no split, interval or calibration says anything. */
const FEWEST_CASES = 50;

/** Loads the cases that have an outcome of each model, says what was left out, and refuses what nothing can be learned from. */
export async function loadLabelled(flags: DataFlags, models: readonly string[]): Promise<LoadedCases> {
  if (new Set(models).size !== models.length) {
    throw new PlimsollError(
      'invalid-input',
      `A model stands twice among the candidates: ${models.join(', ')}.`,
    );
  }
  const progress = startProgress('reading cases');
  const loaded = await loadCases(flags.data, {
    qualityField: flags.qualityField,
    models,
    maxRejectShare: flags.maxRejects,
    ...(flags.rejects !== undefined && { rejectsFile: flags.rejects }),
    onProgress: (rows) => progress.update(rows),
  });
  progress.end(
    `${loaded.cases.length} cases; ${loaded.rejectedCount} rows rejected, ${loaded.excluded.missingOutcome} without an outcome of each model, ${loaded.excluded.duplicates} duplicates merged`,
  );
  if (loaded.cases.length < FEWEST_CASES) {
    throw new PlimsollError(
      'insufficient-data',
      `There are ${loaded.cases.length} usable cases; at least ${FEWEST_CASES} are needed, and some hundreds before the figures mean much.`,
    );
  }
  return loaded;
}

/** One column a model: the quality of each case. Refuses a model whose answers are all good, or all bad. */
export function qualityColumns({ cases }: LoadedCases, models: readonly string[]): Float64Array[] {
  return models.map((model) => {
    const column = Float64Array.from(cases, ({ outcomes }) => outcomes.get(model)!.quality);
    for (const only of [0, 1]) {
      if (!column.every((quality) => quality === only)) continue;
      throw new PlimsollError(
        'insufficient-data',
        `Every answer of ${model} has quality ${only}: there is nothing to tell apart. Use a finer grading, or harder or easier cases.`,
      );
    }
    return column;
  });
}

export function share(text: string): number {
  return numberBetween(0, 1)(text);
}

/** A commander parser: a number in [low, high]. */
export function numberBetween(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= low && value <= high) return value;
    throw new InvalidArgumentError(`It must be a number from ${low} to ${high}.`);
  };
}

export function wholeNumberBetween(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= low && value <= high) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${low} to ${high}.`);
  };
}
