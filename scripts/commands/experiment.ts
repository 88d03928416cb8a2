import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { textTable } from '../../evals/format.ts';
import { type LimitStanding, limitStandings, scopeOf } from '../../router/access/index.ts';
import { type Config, loadConfig } from '../../router/config/index.ts';
import { createRouter } from '../../router/create-router.ts';
import { PlimsollError } from '../../router/errors.ts';
import {
  type ExperimentResults,
  isRatioAlarm,
  METRICS,
  type Metric,
  resultsFeed,
  resultsSoFar,
  type ShadowedModel,
  shadowResults,
} from '../../router/experiment-results/index.ts';
import {
  type Canary,
  type Experiment,
  type ExperimentState,
  experimentNamed,
  experimentStanding,
  readLooks,
  readStates,
  readWatermark,
  type Shadow,
  type Split,
  shadowLimits,
  stageText,
  startExperiment,
  stopExperiment,
} from '../../router/experiments/index.ts';
import { refuseSettings } from '../../router/gateway/index.ts';
import { parseJson } from '../../router/json/index.ts';
import type { DecisionRecord } from '../../router/records/index.ts';
import type { State } from '../../router/state/index.ts';
import { withState } from '../open-state.ts';
import { print, printJson } from '../terminal.ts';

interface Flags {
  readonly config?: string;
  readonly json: boolean;
  readonly log?: string;
}

/** `plimsoll experiment`: experiments of the configuration begin and end here; a running server follows within seconds. */
export function experimentCommand(): Command {
  const command = new Command('experiment').description(
    'Start, stop and look at the experiments of the configuration; a running server follows',
  );
  const own = (name: string, description: string) =>
    command
      .command(name)
      .description(description)
      .option('--config <file>', 'the configuration (default: plimsoll.config.yaml where there is one)')
      .option('--json', 'print the result as JSON', false);
  own('start <name>', 'Start an experiment, or start it anew after its end or a change').action(start);
  own('stop <name>', 'Stop an experiment: its profile decides alone again').action(stop);
  own('status [name]', 'Say how experiments stand, and what their arms came to')
    .option('--log <file>', 'the decision log, where it is a file (default: that of the configuration)')
    .action(status);
  return command;
}

async function start(name: string, { config: file, json }: Flags): Promise<void> {
  const config = loadConfig(file);
  const experiment = experimentNamed(name, config.experiments);
  await requireServable(config);
  await withState(file, { mayBeNew: true, migrate: 'auto' }, async (state) => {
    const started = await startExperiment(experiment, state, Date.now());
    if (json) printJson({ experiment: name, ...started });
    else print(`${name} is started. Servers of this configuration follow within seconds.\n`);
  });
}

/** A server would refuse the configuration, or pause the experiment at once, where few would look. @throws PlimsollError as `createRouter` and `refuseSettings` */
async function requireServable({ watch: _, ...config }: Config): Promise<void> {
  const router = await createRouter(config as Config);
  try {
    await refuseSettings(config as Config, router);
  } finally {
    await router.close();
  }
}

/** What was started can be stopped, also once it is taken out of the configuration. */
async function stop(name: string, { config: file, json }: Flags): Promise<void> {
  await withState(file, {}, async (state) => {
    const stopped = await stopExperiment(name, state, Date.now());
    if (json) printJson({ experiment: name, ...stopped });
    else print(`${name} is stopped: within seconds its profile decides alone again.\n`);
  });
}

interface CountedResults extends ExperimentResults {
  /** Requests that have ended, and are counted once all that arrived before them have. */
  readonly waiting: number;
}

interface Status {
  readonly experiment: Experiment;
  /** Undefined: it was never started. */
  readonly state: ExperimentState | undefined;
  /** Undefined: never started, or without arms. */
  readonly results: CountedResults | undefined;
  /** For a shadow that was started. */
  readonly shadowed: readonly ShadowedModel[] | undefined;
  /** The window of a shadow's cap that is open now. */
  readonly spend: LimitStanding | undefined;
  /** Why a canary stays at its stage; undefined: it does not, or no server has said so within a minute. */
  readonly waits: string | undefined;
}

async function status(name: string | undefined, flags: Flags): Promise<void> {
  const config = loadConfig(flags.config);
  const wanted = name === undefined ? config.experiments : [experimentNamed(name, config.experiments)];
  if (wanted.length === 0) {
    throw new PlimsollError(
      'invalid-config',
      'The configuration has no experiments. Add `experiments`, or name another file with --config.',
      { place: { field: 'experiments' } },
    );
  }
  await withState(flags.config, {}, async (state) => {
    const states = await readStates(state.documents);
    const looks = await readLooks(state.documents);
    const all: Status[] = [];
    for (const experiment of wanted) {
      const held = states.get(experiment.name)?.state;
      const isShadow = experiment.kind === 'shadow';
      const results = held && !isShadow ? await resultsOf(experiment, held, state, config, flags) : undefined;
      const shadowed =
        held && isShadow
          ? await shadowResults(state.log, experiment.name, Date.parse(held.started_at))
          : undefined;
      const spend = held && isShadow ? await spendOf(experiment, state) : undefined;
      const waits = held?.status === 'running' ? looks.get(experiment.name) : undefined;
      all.push({ experiment, state: held, results, shadowed, spend, waits });
    }
    if (flags.json) printJson({ at: new Date().toISOString(), experiments: all.map(toJson) });
    else print(`${all.map(toText).join('\n\n')}\n`);
  });
}

async function spendOf(shadow: Shadow, { ledger }: State): Promise<LimitStanding | undefined> {
  const limits = shadowLimits([shadow]);
  const nowMs = Date.now();
  const standings = limitStandings(limits, await ledger.windows(nowMs), nowMs);
  return standings.find(({ scope }) => scope === scopeOf(limits[0]!.for));
}

async function resultsOf(
  experiment: Split | Canary,
  { started_at: startedAt }: ExperimentState,
  { log, documents }: State,
  config: Config,
  { log: named }: Flags,
): Promise<CountedResults> {
  const startedMs = Date.parse(startedAt);
  const results = resultsSoFar(experiment, startedMs, 1 - experiment.confidence);
  const isInState = named === undefined && config.decisionLog?.to === 'state';
  const decisions = isInState || recordsIn(named ?? config.decisionLog?.file);
  const watermark = () => readWatermark(documents);
  const feed = resultsFeed(log, startedMs, results, decisions, { watermark });
  await feed.read();
  return { ...results.results(), waiting: feed.waiting() };
}

async function* recordsIn(file: string | undefined): AsyncGenerator<DecisionRecord> {
  if (file === undefined) {
    throw new PlimsollError(
      'invalid-config',
      'There is no decision log: nothing is known of the requests. Set decision_log, or name a file with --log.',
      { place: { field: 'decision_log' } },
    );
  }
  if (!existsSync(file))
    throw new PlimsollError('not-found', `There is no decision log at ${file}.`, { place: { file } });
  for await (const line of createInterface({
    input: createReadStream(file),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    const record = parseJson(line) as DecisionRecord | undefined;
    if (record !== undefined) yield record;
  }
}

function toJson({ experiment, state, results, shadowed, spend, waits }: Status) {
  const { name, kind, profile } = experiment;
  return {
    experiment: name,
    kind,
    profile,
    status: experimentStanding(experiment, state),
    started_at: state?.started_at ?? null,
    stages: experiment.kind === 'canary' ? experiment.stages : undefined,
    stage: experiment.kind === 'canary' ? (state?.stage ?? null) : undefined,
    moves: state?.moves ?? [],
    waits: experiment.kind === 'canary' ? (waits ?? null) : undefined,
    confidence: experiment.kind === 'shadow' ? undefined : experiment.confidence,
    sample_ratio: results && {
      p_value: results.sampleRatioPValue,
      alarm: experiment.kind !== 'shadow' && isRatioAlarm(experiment, results),
    },
    waiting: results?.waiting,
    spend: spend && {
      window: spend.window,
      ends_at: new Date(spend.endMs).toISOString(),
      settled_usd: usd(spend.settled),
      reserved_usd: usd(spend.reserved),
      cap_usd: spend.cap === undefined ? null : usd(spend.cap),
    },
    models: shadowed?.map((one) => ({
      model: one.model,
      requests: one.requests,
      failed: one.failed,
      spent_usd: one.spentUsd,
      mean_cost_usd: one.meanCostUsd ?? null,
      mean_duration_ms: one.meanDurationMs ?? null,
      mean_output_tokens: one.meanOutputTokens ?? null,
    })),
    arms: results?.arms.map(({ arm, requests, units, spentUsd, means, auditLoss, differences }) => ({
      arm,
      requests,
      units,
      spent_usd: spentUsd,
      means: Object.fromEntries(METRICS.map((metric) => [metric, meanJson(means[metric])])),
      audit_loss: meanJson(auditLoss),
      differences: Object.fromEntries(METRICS.map((metric) => [metric, differences[metric] ?? null])),
    })),
  };
}

/** From billionths of a dollar. */
const usd = (nanoUsd: number) => nanoUsd / 1e9;

const meanJson = ({ n, mean }: { readonly n: number; readonly mean: number | undefined }) => ({
  n,
  mean: mean ?? null,
});

function toText(one: Status): string {
  const { experiment, state, results, shadowed, spend, waits } = one;
  const { name, kind, profile } = experiment;
  const since = state === undefined ? '' : `, since ${state.stage_since}`;
  const head = `${name}: ${kind} on ${profile}, ${experimentStanding(experiment, state)}${stageSuffix(one)}${since}`;
  const reason = state?.moves.at(-1)?.reason;
  const lines = [head, ...(reason === undefined || reason === 'started' ? [] : [`Last move: ${reason}.`])];
  if (waits !== undefined) lines.push(`It stays: ${waits}.`);
  if (shadowed !== undefined) lines.push(textTable([SHADOW_HEAD, ...shadowed.map(shadowRow)]));
  if (spend !== undefined) lines.push(spendText(spend));
  if (results === undefined) return lines.join('\n');
  const ratio =
    experiment.kind !== 'shadow' && isRatioAlarm(experiment, results)
      ? 'ALARM: the arms do not have the shares that they were to have. Results mean nothing until it is known why.'
      : 'Shares of the arms: as intended.';
  const { waiting } = results;
  const held =
    waiting === 0 ? [] : [`${waiting} more have ended, and are counted once all that came before them have.`];
  return [
    ...lines,
    textTable([HEAD, ...results.arms.map(armRow)]),
    ...held,
    ...differenceLines(results),
    ratio,
  ].join('\n');
}

function stageSuffix({ experiment, state }: Status): string {
  return experiment.kind !== 'canary' || state === undefined ? '' : `, ${stageText(experiment, state.stage)}`;
}

function spendText({ settled, reserved, cap, window, endMs }: LimitStanding): string {
  const used = `${digits(usd(settled + reserved))} of ${cap === undefined ? 'unknown' : digits(usd(cap))} USD`;
  const rest = 'A request that could come to more than the rest is not mirrored.';
  return `Spent or reserved: ${used} (${window}), until ${new Date(endMs).toISOString()}. ${rest}`;
}

const SHADOW_HEAD = ['model', 'requests', 'failed', 'cost_usd', 'duration_ms', 'output tokens', 'spent usd'];

function shadowRow(one: ShadowedModel): string[] {
  const means = [one.meanCostUsd, one.meanDurationMs, one.meanOutputTokens].map(digits);
  return [one.model, String(one.requests), String(one.failed), ...means, one.spentUsd.toFixed(6)];
}

const HEAD = ['arm', 'requests', 'units', ...METRICS, 'audit loss', 'spent usd'];

function armRow({
  arm,
  requests,
  units,
  means,
  auditLoss,
  spentUsd,
}: ExperimentResults['arms'][number]): string[] {
  const numbers = METRICS.map((metric) => digits(means[metric].mean));
  return [arm, String(requests), String(units), ...numbers, digits(auditLoss.mean), spentUsd.toFixed(6)];
}

function differenceLines({ arms }: ExperimentResults): string[] {
  const first = arms[0]!.arm;
  return arms.slice(1).flatMap(({ arm, differences }) =>
    METRICS.flatMap((metric: Metric) => {
      const found = differences[metric];
      if (found === undefined) return [];
      const { estimate, low, high } = found;
      const isFound = low > 0 || high < 0 ? ', found' : '';
      return [
        `${arm} - ${first}, ${metric}: ${digits(estimate)} (${digits(low)} to ${digits(high)})${isFound}`,
      ];
    }),
  );
}

function digits(value: number | undefined): string {
  return value === undefined ? '–' : Number(value.toPrecision(4)).toString();
}
