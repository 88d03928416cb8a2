import { existsSync } from 'node:fs';
import { Command } from 'commander';
import type { ColumnMap } from '../../evals/case-files/index.ts';
import type { PromptRowOptions } from '../../evals/cases/index.ts';
import { selectLabels } from '../../evals/gate/index.ts';
import {
  type Forecast,
  type Interval,
  type JudgeReport,
  type Labelled,
  label,
} from '../../evals/labelling/index.ts';
import { addMapFlag, addRejectFlags, type RejectFlags } from '../data-flags.ts';
import { numberBetween, wholeNumberBetween } from '../flags.ts';
import { addLabelFlags, type LabelFlags, labelOptions, requestsFrom } from '../label-flags.ts';
import { dollars, print, printJson, printNotes, startProgress } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

interface Flags extends RejectFlags, LabelFlags {
  readonly from: readonly string[];
  readonly out: string;
  readonly map?: ColumnMap;
  readonly select?: number;
  readonly artifact?: string;
  readonly margin: number;
  readonly keptOnly: boolean;
  readonly dryRun: boolean;
  readonly force: boolean;
  readonly json: boolean;
}

/** Beside 0 done, 1 an error, 2 wrong usage. */
const EXIT_BUDGET = 3;
const EXIT_MISSING = 4;
const EXIT_INTERRUPTED = 130;

export function labelCommand(): Command {
  const command = addLabelFlags(new Command('label'))
    .requiredOption(
      '--from <file...>',
      'prompts or cases: .jsonl, .json, .csv, .tsv, each also .gz; or captured: the captured requests in the state',
    )
    .requiredOption('--out <file>', 'the labelled cases, .jsonl or .jsonl.gz; the journal goes beside it')
    .option(
      '--select <count>',
      'label about this many, chosen by the scores of --artifact: 60 % to learn from, 40 % to be sealed',
      wholeNumberBetween(10, 1_000_000),
    )
    .option('--artifact <folder>', 'with --select: whose scores choose, or a store: then its current one')
    .option('--margin <loss>', 'with --select: the mean quality loss to certify', numberBetween(0, 1), 0.03)
    .option(
      '--kept-only',
      'only requests that were routed below the last candidate: what plimsoll audit reads',
      false,
    )
    .option('--dry-run', 'say what it would take, and make no call', false)
    .option('--force', 'replace cases that no journal belongs to', false)
    .option('--json', 'print the result as JSON', false);
  return addRejectFlags(addMapFlag(command))
    .addHelpText(
      'after',
      `
Every reply is in <out>.journal before the run goes on: run the same command again to go on after a kill, an interrupt or a
budget that was raised, and no reply is paid for twice.
Exit codes: 0 done, 3 the budget is used up, 4 done but for outcomes that stay without a label, 130 interrupted.

Example:
  plimsoll label --from prompts.jsonl --models cheap,strong --graders graders.yaml --budget 20usd --out cases.jsonl
`,
    )
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const { from, out, keptOnly, dryRun, force, map, maxRejects, rejects } = flags;
  const options = labelOptions(flags);
  const { budgetUsd } = options;
  const interrupted = new AbortController();
  const interrupt = () => {
    printNotes(['Interrupted: calls at work are waited for, and their replies are kept.']);
    interrupted.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);
  const reading = {
    maxRejectShare: maxRejects,
    ...(map && { columns: map }),
    ...(rejects !== undefined && { rejectsFile: rejects }),
    onNotes: printNotes,
  };
  const chosen = await chooseRequests(flags, reading);
  const progress = startProgress('labelling');
  const labelled = await label({
    ...options,
    prompts: chosen === undefined ? from.map((one) => requestsFrom(one, flags.config)) : [chosen],
    out,
    keptOnly,
    dryRun,
    force,
    signal: interrupted.signal,
    reading: chosen === undefined ? reading : { onNotes: printNotes },
    onForecast: (forecast) => printNotes(forecastLines(forecast, budgetUsd)),
    onProgress: ({ rows, of, spentUsd }) =>
      progress.update(rows, of, `, ${dollars(spentUsd)} of ${dollars(budgetUsd)}`),
  });
  progress.end();
  if (flags.json) printJson(resultJson(labelled));
  else print(summary(labelled, out, budgetUsd));
  process.exitCode = exitCode(labelled);
}

/**
 * The file of the requests that --select chose. Once it is there it is not made again: a run that goes on labels the same ones, whatever traffic came since.
 * @throws UsageError without the artifact whose scores choose
 */
async function chooseRequests(
  { select, artifact, from, out, margin, config, force }: Flags,
  reading: PromptRowOptions,
): Promise<string | undefined> {
  if (select === undefined) {
    if (artifact !== undefined)
      throw new UsageError('--artifact goes with --select, which says how many to label.');
    return undefined;
  }
  if (artifact === undefined) throw new UsageError('--select needs --artifact: whose scores choose.');
  const chosen = `${out.replace(/\.(jsonl|ndjson|json)(\.gz)?$/i, '')}.chosen.jsonl`;
  if (existsSync(chosen) && !force) {
    printNotes([`Going on with the requests of ${chosen}. --force, or another --out, chooses anew.`]);
    return chosen;
  }
  const prompts = from.map((one) => requestsFrom(one, config));
  const progress = startProgress('scoring requests');
  const found = await selectLabels({
    artifact,
    prompts,
    out: chosen,
    n: select,
    margin,
    reading,
    onProgress: (scored) => progress.update(scored),
  });
  progress.end(`${found.pool} requests; ${found.seen} left out, whose questions the artifact has seen`);
  printNotes([
    `Chose ${found.training} to learn from and ${found.sealed.n} to be sealed, ${found.sealed.needed} of which may stay cheap (predicted loss up to ${found.limit.toFixed(3)}) and need a label: ${chosen}.`,
    `Train on the labelled cases with --seed ${found.seed}: it splits them as these were chosen.`,
    ...(found.isWeighted
      ? [`State in the suite: largest_weight: ${Math.ceil(1e3 * found.largestWeight - 1e-6) / 1e3}`]
      : []),
  ]);
  return chosen;
}

function forecastLines(
  { rows, calls, known, recorded, tokens, usd: cost, minutes, from, certifies }: Forecast,
  budget: number,
): string[] {
  const basis =
    from === 'replies'
      ? 'by the replies so far'
      : 'a guess from the prompts: replies may have any length up to --max-tokens';
  const { cases, margin, confidence } = certifies;
  return [
    `${rows} rows: ${calls} calls to make${known > 0 ? `, ${known} replies are there already` : ''}${recorded > 0 ? `, ${recorded} replies are recorded in the rows (--no-reuse asks for them too)` : ''}.`,
    `Takes about ${between(tokens, (n) => String(Math.round(n)))} tokens, ${between(cost, dollars)} and ${between(minutes, (n) => n.toFixed(1))} minutes (${basis}).`,
    ...(cost.expected > budget ? [`The budget of ${dollars(budget)} ends before that.`] : []),
    margin < 1
      ? `${rows} labels, 40 % of them sealed (${cases}), certify a loss of at most ${short(margin)} with confidence ${confidence}, if the policy loses half of it.`
      : `${rows} labels are too few to certify anything.`,
  ];
}

function between({ low, expected, high }: Interval, show: (value: number) => string): string {
  return `${show(expected)} (${show(low)} to ${show(high)})`;
}

/** A dash for what there is nothing of. */
function judgeLines(report: JudgeReport): string[] {
  const { model, calls, malformed, missing, position, selfPreference } = report;
  const { lengthMatched, others, longerWins, correlation } = report.verbosity;
  const show = (value: number | undefined) => value?.toFixed(3) ?? '—';
  return [
    `judge ${model}: ${calls} replies, ${malformed} not in the form, ${missing} labels missing`,
    `  position: ${position.pairs} pairs, ${show(position.unstable)} did not survive the swap and are ties; ${show(position.first)} of the verdicts for the first`,
    `  length: the longer reply wins ${show(longerWins)}; mean quality ${show(lengthMatched.meanQuality)} on ${lengthMatched.pairs} pairs of like length, ${show(others.meanQuality)} on ${others.pairs} others; correlation with scores ${show(correlation)}`,
    `  its own family: mean quality ${show(selfPreference.own)}, others ${show(selfPreference.others)}`,
  ];
}

function summary(
  {
    ended,
    rows,
    complete,
    candidates,
    missing,
    judge,
    reused,
    newCalls,
    spentUsd,
    lostUsd,
    journal,
  }: Labelled,
  out: string,
  budget: number,
): string {
  if (ended === 'forecast') return 'Nothing was called and nothing written: leave --dry-run out to begin.\n';
  const first = missing.slice(0, 10).map((one) => `  ${one.case}, ${one.candidate}: ${one.why}`);
  return [
    `Wrote ${out}: ${complete} of ${rows} rows have all labels. ${newCalls} calls${reused > 0 ? ` and ${reused} recorded replies` : ''}, ${dollars(spentUsd)} of ${dollars(budget)} spent in all.`,
    ...candidates.map(
      ({ name, labels, meanQuality }) =>
        `${name}: ${labels} labels${meanQuality === undefined ? '' : `, mean quality ${meanQuality.toFixed(3)}`}`,
    ),
    ...(judge === undefined ? [] : judgeLines(judge)),
    ...(lostUsd > 0
      ? [
          `Of the amount, up to ${dollars(lostUsd)} is for calls whose replies were lost with a killed process.`,
        ]
      : []),
    ...(missing.length > 0 ? [`${missing.length} outcomes stay without a label:`, ...first] : []),
    ...(missing.length > first.length
      ? [`  and ${missing.length - first.length} more (--json has them all)`]
      : []),
    ...(ended === 'budget'
      ? ['The next call could exceed the budget. Raise --budget and run it again to go on.']
      : []),
    ...(ended === 'ended' ? ['Interrupted. Run it again to go on.'] : []),
    `The journal is ${journal}: keep it, and no reply is paid for twice.`,
    '',
  ].join('\n');
}

function resultJson(labelled: Labelled) {
  const {
    ended,
    rows,
    complete,
    candidates,
    missing,
    judge,
    reused,
    newCalls,
    spentUsd,
    lostUsd,
    journal,
    sha256,
  } = labelled;
  return {
    ended,
    rows,
    complete,
    candidates: candidates.map(({ name, labels, meanQuality }) => ({
      name,
      labels,
      mean_quality: meanQuality ?? null,
    })),
    missing,
    judge: judge === undefined ? null : judgeJson(judge),
    reused,
    new_calls: newCalls,
    spent_usd: spentUsd,
    lost_usd: lostUsd,
    journal,
    sha256: sha256 ?? null,
  };
}

function judgeJson({ model, calls, malformed, missing, position, verbosity, selfPreference }: JudgeReport) {
  const matched = ({ pairs, meanQuality }: JudgeReport['verbosity']['others']) => ({
    pairs,
    mean_quality: meanQuality ?? null,
  });
  return {
    model,
    calls,
    malformed,
    missing,
    position: { pairs: position.pairs, unstable: position.unstable ?? null, first: position.first ?? null },
    verbosity: {
      longer_wins: verbosity.longerWins ?? null,
      length_matched: matched(verbosity.lengthMatched),
      others: matched(verbosity.others),
      correlation: verbosity.correlation ?? null,
    },
    self_preference: { own: selfPreference.own ?? null, others: selfPreference.others ?? null },
  };
}

function exitCode({ ended, missing }: Labelled): number {
  if (ended === 'budget') return EXIT_BUDGET;
  if (ended === 'ended') return EXIT_INTERRUPTED;
  return missing.length > 0 ? EXIT_MISSING : 0;
}

function short(value: number): string {
  return String(Number(value.toPrecision(2)));
}
