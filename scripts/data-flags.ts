import type { Command } from 'commander';
import {
  type ColumnMap,
  parseColumnMap,
  parseQualityScale,
  type QualityScale,
} from '../evals/case-files/index.ts';
import { DEFAULT_QUALITY_FIELD, type GivenOutcomes, type LoadOptions } from '../evals/cases/index.ts';
import { loadLabelled } from '../evals/lifecycle/index.ts';
import { share, usage } from './flags.ts';
import { printNotes, showProgress } from './terminal.ts';

/** Flags that say how labelled data are written. */
export interface ReadingFlags {
  readonly qualityScale?: QualityScale;
  readonly map?: ColumnMap;
}

export function addReadingFlags(command: Command): Command {
  return addMapFlag(
    command.option(
      '--quality-scale <scale>',
      'how qualities are written: 0-1, 0-100, 1-5 or other ends, boolean, percent (default: what the data show)',
      usage(parseQualityScale),
    ),
  );
}

export function addMapFlag(command: Command): Command {
  return command.option(
    '--map <names>',
    'names in the data, where they differ: prompt=question,small.quality=gpt-4o-mini',
    usage(parseColumnMap),
  );
}

/** Flags for bad rows. */
export interface RejectFlags {
  readonly maxRejects: number;
  readonly rejects?: string;
}

export function addRejectFlags(command: Command): Command {
  return command
    .option('--max-rejects <share>', 'stop when more than this share of the rows is bad', share, 0.02)
    .option('--rejects <file>', 'write the bad rows here, with line, field and reason');
}

/** The flags as loadCases takes them. */
export function readingOptions({
  qualityScale,
  map,
}: ReadingFlags): Pick<LoadOptions, 'qualityScale' | 'columns'> {
  return { ...(qualityScale && { qualityScale }), ...(map && { columns: map }) };
}

/** Flags that every command on labelled data has. */
export interface DataFlags extends ReadingFlags, RejectFlags {
  readonly data: readonly string[];
  readonly qualityField: string;
}

export function addDataFlags(command: Command): Command {
  return addRejectFlags(
    addReadingFlags(
      command
        .requiredOption(
          '--data <file...>',
          'labelled cases: .jsonl, .json, .csv, .tsv (wide or long), each also .gz',
        )
        .option(
          '--quality-field <name>',
          'the field of an outcome that holds its quality',
          DEFAULT_QUALITY_FIELD,
        ),
    ),
  );
}

/** Loads the cases that have an outcome of each model; progress and notes go to stderr. */
export async function loadData(
  flags: DataFlags,
  models: readonly string[],
  options: Pick<LoadOptions, 'keepReplies'> = {},
  given?: GivenOutcomes,
) {
  const loaded = await loadLabelled(flags.data, {
    ...options,
    ...readingOptions(flags),
    models,
    ...(given && { given }),
    qualityField: flags.qualityField,
    maxRejectShare: flags.maxRejects,
    ...(flags.rejects !== undefined && { rejectsFile: flags.rejects }),
    onProgress: showProgress(),
  });
  printNotes(loaded.notes);
  return loaded;
}
