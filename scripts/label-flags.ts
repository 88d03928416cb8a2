import { type Command, InvalidArgumentError } from 'commander';
import type { NamedRows } from '../evals/cases/index.ts';
import {
  type GraderOptions,
  type Graders,
  type LabelOptions,
  openGraders,
  readGraders,
} from '../evals/labelling/index.ts';
import { loadConfig } from '../router/config/index.ts';
import { PlimsollError } from '../router/errors.ts';
import { CAPTURED, capturedRow, readCaptured } from '../router/records/index.ts';
import { wholeNumberBetween } from './flags.ts';
import { labelCandidates } from './label-candidates.ts';
import { withState } from './open-state.ts';
import { UsageError } from './usage-error.ts';

/** What every command that labels is told: whom it asks, who grades, and for how much. */
export interface LabelFlags {
  readonly models: string;
  readonly graders?: string;
  readonly judge?: string;
  readonly allowSameFamily: boolean;
  /** Undefined only where nothing is spent. */
  readonly budget?: number;
  readonly dryRun?: boolean;
  readonly config?: string;
  readonly maxTokens: number;
  readonly concurrency: number;
  readonly reuse: boolean;
  readonly runCode: boolean;
}

export function addLabelFlags(command: Command): Command {
  return command
    .requiredOption(
      '--models <list>',
      'the candidates, cheapest first: names of the ladder, <provider>/<model>, or name=<provider>/<model>',
    )
    .option(
      '--graders <file>',
      'YAML: how replies become qualities, by task (default: the judge alone, pairwise)',
    )
    .option(
      '--judge <model>',
      '<provider>/<model> for graders of type judge, of another family than the candidates',
    )
    .option('--allow-same-family', 'let the judge be of the family of a candidate', false)
    .option('--budget <amount>', 'the most that may be spent, such as 20usd', usd)
    .option('--config <file>', 'names the providers (default: plimsoll.config.yaml)')
    .option('--max-tokens <count>', 'the longest reply', wholeNumberBetween(1, 1_000_000), 1024)
    .option(
      '--concurrency <count>',
      'calls at work at once, for each provider',
      wholeNumberBetween(1, 1_000),
      8,
    )
    .option('--no-reuse', 'ask also for replies that the rows bring, captured or from a log')
    .option('--run-code', 'let graders of type code run what models wrote', false);
}

/** The part of the options of `label` that these flags decide. */
export function labelOptions(flags: LabelFlags) {
  const config = loadConfig(flags.config);
  return {
    config: { ...config, logLevel: config.logLevel === 'info' ? 'error' : config.logLevel },
    candidates: labelCandidates(flags.models, config.ladder),
    graders: gradersFrom(flags),
    allowSameFamily: flags.allowSameFamily,
    budgetUsd: budgetOf(flags),
    maxTokens: flags.maxTokens,
    concurrency: flags.concurrency,
    reuse: flags.reuse,
  } satisfies Partial<LabelOptions>;
}

/** @param from a file, or `captured` */
export function requestsFrom(from: string, config: string | undefined): string | NamedRows {
  return from === CAPTURED ? capturedRows(config) : from;
}

function capturedRows(config: string | undefined): NamedRows {
  return { name: CAPTURED, rows: rowsOfState(config) };
}

async function* rowsOfState(config: string | undefined): AsyncGenerator<Record<string, unknown>> {
  const rows: Record<string, unknown>[] = [];
  await withState(config, {}, async ({ log }) => {
    for await (const one of readCaptured(log)) rows.push(capturedRow(one));
  });
  if (rows.length === 0) {
    throw new PlimsollError(
      'insufficient-data',
      'The state has no captured requests. Set capture in the configuration and let traffic come, or name a file.',
    );
  }
  yield* rows;
}

/** @throws UsageError without a budget, unless nothing is to be spent */
function budgetOf({ budget, dryRun }: LabelFlags): number {
  if (budget !== undefined) return budget;
  if (dryRun === true) return Number.POSITIVE_INFINITY;
  throw new UsageError(
    'Name the most that may be spent: --budget 20usd. --dry-run says beforehand what it takes.',
  );
}

function gradersFrom({ graders, judge, runCode }: LabelFlags): Graders {
  const options: GraderOptions = { allowCode: runCode, judge };
  if (graders !== undefined) return readGraders(graders, options);
  if (judge !== undefined) return openGraders({ graders: [{ use: [{ type: 'judge' }] }] }, options);
  throw new UsageError(
    'Name what grades the replies: --graders FILE, or --judge <provider>/<model>, or both.',
  );
}

function usd(text: string): number {
  const amount = /^\$?(\d+(?:\.\d+)?)(?:\s*usd)?$/i.exec(text.trim())?.[1];
  if (amount !== undefined && Number(amount) > 0) return Number(amount);
  throw new InvalidArgumentError('It must be an amount of US dollars above 0, such as 20usd.');
}
