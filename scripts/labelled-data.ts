import { statSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import {
  type ColumnMap,
  dataNotes,
  type LoadedCases,
  type LoadOptions,
  loadCases,
  parseColumnMap,
  parseQualityScale,
  type QualityScale,
} from '../evals/cases/index.ts';
import { requireGap, requireTwoClasses } from '../evals/lifecycle/index.ts';
import type { Manifest } from '../router/artifact/index.ts';
import { PlimsollError } from '../router/errors.ts';
import { startProgress } from './progress.ts';

/** Flags that say how labelled data are written. */
export interface ReadingFlags {
  readonly qualityScale?: QualityScale;
  readonly map?: ColumnMap;
}

export function addReadingFlags(command: Command): Command {
  return command
    .option(
      '--quality-scale <scale>',
      'how qualities are written: 0-1, 0-100, 1-5 or other ends, boolean, percent (default: what the data show)',
      usage(parseQualityScale),
    )
    .option(
      '--map <names>',
      'names in the data, where they differ: prompt=question,small.quality=gpt-4o-mini',
      usage(parseColumnMap),
    );
}

/** A commander parser: what it refuses is wrong usage. */
function usage<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof PlimsollError) throw new InvalidArgumentError(error.message);
      throw error;
    }
  };
}

/** What loadCases takes of them. */
export function readingOptions({
  qualityScale,
  map,
}: ReadingFlags): Pick<LoadOptions, 'qualityScale' | 'columns'> {
  return { ...(qualityScale && { qualityScale }), ...(map && { columns: map }) };
}

/** Flags that every command on labelled data has. */
export interface DataFlags extends ReadingFlags {
  readonly data: readonly string[];
  readonly qualityField: string;
  readonly maxRejects: number;
  readonly rejects?: string;
}

export function addDataFlags(command: Command): Command {
  return addReadingFlags(
    command
      .requiredOption(
        '--data <file...>',
        'labelled cases: .jsonl, .json, .csv, .tsv (wide or long), each also .gz',
      )
      .option('--quality-field <name>', 'the field of an outcome that holds its quality', 'quality'),
  )
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
  for (const file of flags.data) refuseFolder(file);
  const progress = startProgress('reading cases');
  const loaded = await loadCases(flags.data, {
    ...readingOptions(flags),
    qualityField: flags.qualityField,
    models,
    maxRejectShare: flags.maxRejects,
    ...(flags.rejects !== undefined && { rejectsFile: flags.rejects }),
    onSurvey: (rows) => progress.update(rows),
    onProgress: (rows) => progress.update(rows),
  });
  progress.end(
    `${loaded.cases.length} cases; ${loaded.rejectedCount} rows rejected, ${loaded.excluded.missingOutcome} without an outcome of each model, ${loaded.excluded.duplicates} duplicates merged`,
  );
  for (const note of dataNotes(loaded, models)) process.stderr.write(`${note}\n`);
  if (loaded.cases.length < FEWEST_CASES) {
    throw new PlimsollError(
      'insufficient-data',
      `Too few usable cases: ${loaded.cases.length}. At least ${FEWEST_CASES} are needed, and some hundreds before the figures mean much.`,
    );
  }
  return loaded;
}

/** How the labels were read, for a manifest: only what differs from numbers from 0 to 1 under the usual names. */
export function readingSection(
  { files }: Pick<LoadedCases, 'files'>,
  { map }: ReadingFlags,
): Pick<Manifest['data'], 'quality_scale' | 'columns'> {
  const scales = [...new Set(files.flatMap(({ qualityScale }) => qualityScale ?? []))];
  return {
    ...(scales.length > 0 && { quality_scale: scales.join(', ') }),
    ...(map && { columns: Object.fromEntries(map) }),
  };
}

/** A folder's name has no ending that would tell a format: say what it is. */
function refuseFolder(file: string): void {
  if (!statSync(file, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new PlimsollError('invalid-input', `${file}: this is a folder; name the files in it.`, {
    place: { file },
  });
}

/** One column a model: the quality of each case. Refuses what no router can be learned from. */
export function qualityColumns({ cases }: LoadedCases, models: readonly string[]): Float64Array[] {
  const columns = models.map((model) =>
    Float64Array.from(cases, ({ outcomes }) => outcomes.get(model)!.quality),
  );
  requireTwoClasses(columns, models);
  requireGap(columns, models);
  return columns;
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
