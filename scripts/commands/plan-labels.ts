import { Command } from 'commander';
import type { ColumnMap } from '../../evals/case-files/index.ts';
import { loadSuite, type PlannedLabels, planLabels } from '../../evals/gate/index.ts';
import { addMapFlag, addRejectFlags, type RejectFlags } from '../data-flags.ts';
import { isoTime, numberBetween, wholeNumberBetween } from '../flags.ts';
import { print, printJson, printNotes, startProgress } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

interface Flags extends RejectFlags {
  readonly artifact: string;
  readonly prompts: readonly string[];
  readonly n: number;
  readonly margin?: number;
  readonly suite?: string;
  readonly limit?: number;
  readonly out: string;
  readonly force: boolean;
  readonly map?: ColumnMap;
  readonly created?: string;
  readonly allowHub: boolean;
  readonly json: boolean;
}

/** Unless a suite or a flag says otherwise. */
const DEFAULT_PROMISE = { margin: 0.03, confidence: 0.95 };
const MOST_DRAWN = 1_000_000;

export function planLabelsCommand(): Command {
  const command = new Command('plan-labels')
    .requiredOption('--artifact <folder>', 'whose policy is to be gated, or a store: then its current one')
    .requiredOption(
      '--prompts <file...>',
      'a random sample of the traffic, labelled or not: as cases, or a table of prompts',
    )
    .option('--n <count>', 'how many prompts to draw', wholeNumberBetween(1, MOST_DRAWN), 500)
    .option('--margin <loss>', 'the mean quality loss to certify (default: 0.03)', numberBetween(0, 1))
    .option('--suite <file>', 'take the margin and the confidence of this suite')
    .option(
      '--limit <loss>',
      'draw from predicted losses up to this (default: where all below is expected to lose 1.5 times the margin)',
      numberBetween(-1, 1),
    )
    .requiredOption('--out <file>', 'the prompts to label, .jsonl or .jsonl.gz; the plan goes beside it')
    .option('--force', 'replace both files if they are there', false)
    .option('--created <time>', 'ISO time to write into the plan (default: now)')
    .option('--allow-hub', 'let a transformers encoder fetch its model from the hub', false)
    .option('--json', 'print the plan and the forecast as JSON', false);
  return addRejectFlags(addMapFlag(command))
    .addHelpText(
      'after',
      `
A request that the policy surely escalates loses nothing, so it needs no label. Which prompts are drawn follows from their scores and a
hash of their keys: the same pool gives the same prompts.

Example:
  plimsoll plan-labels --artifact models/mine --prompts traffic.jsonl --n 500 --margin 0.03 --out to-label.jsonl
`,
    )
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const { artifact, prompts, n, limit, out, force, map, maxRejects, rejects, allowHub } = flags;
  const created = isoTime('--created', flags.created);
  const { margin, confidence } = promiseFrom(flags);
  const progress = startProgress('scoring prompts');
  const planned = await planLabels({
    artifact,
    prompts,
    out,
    force,
    n,
    margin,
    confidence,
    ...(limit !== undefined && { limit }),
    reading: {
      maxRejectShare: maxRejects,
      ...(map && { columns: map }),
      ...(rejects !== undefined && { rejectsFile: rejects }),
    },
    created,
    allowHub,
    onProgress: (scored) => progress.update(scored),
  });
  const { rows, excluded } = planned.plan.pool;
  progress.end(
    `${rows} prompts; ${excluded.seen + excluded.seen_group} left out, whose questions the artifact has seen`,
  );
  printNotes(planned.notes);
  if (flags.json) printJson(planJson(out, planned));
  else print(summary(out, n, planned));
}

/** @throws UsageError if both are given */
function promiseFrom({ margin, suite }: Flags): { readonly margin: number; readonly confidence: number } {
  if (margin !== undefined && suite !== undefined) {
    throw new UsageError('--margin and --suite both set the margin; give one of them.');
  }
  if (suite === undefined) return { ...DEFAULT_PROMISE, ...(margin !== undefined && { margin }) };
  const { max_quality_loss, confidence } = loadSuite(suite).suite;
  return { margin: max_quality_loss, confidence };
}

function planJson(out: string, { plan, planFile, forecast }: PlannedLabels) {
  return {
    out,
    plan_file: planFile,
    plan,
    forecast: {
      quality_loss: forecast.qualityLoss,
      certified_margin: forecast.certifiedMargin,
      labels_needed: forecast.labelsNeeded ?? null,
    },
  };
}

function summary(out: string, wanted: number, { plan, planFile, forecast }: PlannedLabels): string {
  const { pool, below_limit: below, drawn, limit, margin } = plan;
  const { low, high } = below.interval;
  const all = drawn.n < wanted ? `, which are all below the limit: ${wanted} were asked for` : '';
  return [
    `Wrote ${out}: ${drawn.n} prompts to label${all}. The plan is ${planFile}.`,
    `limit ${limit.toFixed(4)}: ${below.rows} of ${pool.rows} prompts may stay cheap, ${percent(below.share)} (${percent(low)} to ${percent(high)})`,
    `${pool.rows - below.rows} prompts above it need no label: the policy escalates them, and they lose nothing`,
    `If the policy loses ${short(forecast.qualityLoss)}, half the margin, ${drawn.n} labels probably certify a loss of at most ${short(forecast.certifiedMargin)}${needed(forecast, margin)}.`,
    '',
  ].join('\n');
}

function needed({ certifiedMargin, labelsNeeded }: PlannedLabels['forecast'], margin: number): string {
  if (certifiedMargin <= margin) return '';
  if (labelsNeeded === undefined) return `; no reasonable number of labels does it for ${margin}`;
  return `; for ${margin} it takes about ${labelsNeeded}`;
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(2)));
}
