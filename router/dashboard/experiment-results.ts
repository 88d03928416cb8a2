import { limitStandings } from '../access/index.ts';
import { NANO } from '../catalog/index.ts';
import {
  type ArmResults,
  isRatioAlarm,
  METRICS,
  type Metric,
  type ResultsLook,
} from '../experiment-results/index.ts';
import {
  type Canary,
  type Experiment,
  type ExperimentState,
  type Shadow,
  type Split,
  shadowLimits,
} from '../experiments/index.ts';
import { type Html, html, type Part } from '../markup.ts';
import { COMMAND } from '../package.ts';
import { intervalLine, splitLine } from './charts.ts';
import { count, DASH, duration, percent, relative, score, time, usd } from './format.ts';
import type { PageContext } from './page.ts';
import { table, unseenHeading } from './table.ts';

/** What an experiment came to since it was started. Answers at once, with what has been read. */
export async function resultsHtml(
  context: PageContext,
  experiment: Experiment,
  state: ExperimentState | undefined,
): Promise<Part> {
  const spend = experiment.kind === 'shadow' ? await spendHtml(context, experiment) : undefined;
  if (state === undefined) {
    return html`${experiment.kind === 'shadow' ? spend : plannedHtml(experiment)}<p class="muted">There are results once it is started.</p>`;
  }
  if (experiment.kind !== 'shadow' && context.parts.config().decisionLog?.to !== 'state') {
    return html`${plannedHtml(experiment)}<p>The decision log is not in the state, so this page does not read it. Run <code>${COMMAND} experiment status ${experiment.name}</code>, or set <code>decision_log: { to: state }</code>.</p>`;
  }
  const look = await context.results?.look(experiment, state.started_at);
  if (look === undefined) return spend;
  const body =
    experiment.kind === 'shadow' ? modelsHtml(experiment, look) : armsHtml(experiment, state, look);
  return html`${spend}${body}${readingHtml(look, context.nowMs)}`;
}

function readingHtml({ wholeAtMs, untilMs, isReading, isFailing }: ResultsLook, nowMs: number): Html {
  if (isFailing)
    return html`<p class="fault"><span class="sign" aria-hidden="true">!</span> The log could not be read to its end: the results are not of all requests. Load the page again to try it once more.</p>`;
  if (wholeAtMs === undefined) {
    const until = untilMs === undefined ? '' : ` It was read up to ${time(untilMs)} so far.`;
    return html`<p class="warning"><span class="sign" aria-hidden="true">▲</span> The log is being read, so these are not all requests yet.${until} <a href="/dashboard/experiments">Load the page again</a></p>`;
  }
  const again = isReading ? ' It is being read again.' : '';
  return html`<p class="muted">The log was read at ${time(wholeAtMs)} (${relative(wholeAtMs, nowMs)}).${again}</p>`;
}

type Randomized = Split | Canary;

/** The share that each arm is to have now, in the order of the results. */
function sharesOf(
  experiment: Randomized,
  state: ExperimentState | undefined,
): readonly [string, string, number][] {
  if (experiment.kind === 'split')
    return experiment.arms.map(({ name, profile, weight }) => [name, profile, weight]);
  const share = experiment.stages[state?.stage ?? 0] ?? 1;
  return [
    ['control', experiment.profile, 1 - share],
    ['candidate', experiment.candidate, share],
  ];
}

function plannedHtml(experiment: Randomized): Html {
  const rows = sharesOf(experiment, undefined).map(([name, profile, share]) => [
    name,
    profile,
    percent(share),
  ]);
  return table(`Arms of ${experiment.name}`, ['Arm', 'Profile', 'Share'], rows);
}

function armsHtml(
  experiment: Randomized,
  state: ExperimentState,
  { arms: found, waiting }: ResultsLook,
): Part {
  if (found === undefined) return undefined;
  const { name } = experiment;
  const shares = sharesOf(experiment, state);
  const rows = found.arms.map((arm, i) => armRow(arm, shares[i]));
  const heading = [
    'Arm',
    'Profile',
    'Share',
    'Requests',
    unitHeading(experiment),
    'Succeeded',
    'Cost',
    'Time',
    'Score',
    'Audit loss',
    'Spent',
  ];
  const isAnybody = found.arms.some(({ units }) => units > 0);
  return html`${isAnybody && ratioHtml(experiment, found.sampleRatioPValue)}
<h3>Arms</h3>${table(`Arms of ${name}`, heading, rows)}
${waiting > 0 && html`<p class="muted">${count(waiting)} more have ended, and are counted once all that came before them have.</p>`}
${found.arms.slice(1).map((arm) => differencesHtml(name, arm, found.arms[0]!.arm, experiment.confidence))}`;
}

function unitHeading({ unit }: Randomized): string {
  return { session: 'Conversations', key: 'API keys', request: 'Draws' }[unit];
}

function armRow(
  { arm, requests, units, means, auditLoss, spentUsd }: ArmResults,
  share: readonly [string, string, number] | undefined,
): Part[] {
  return [
    arm,
    share?.[1],
    percent(share?.[2]),
    count(requests),
    count(units),
    ...METRICS.map((metric) => WORDS[metric].shown(means[metric].mean)),
    score(auditLoss.mean),
    usd(spentUsd),
  ];
}

function ratioHtml({ confidence }: Randomized, sampleRatioPValue: number): Html {
  if (!isRatioAlarm({ confidence }, { sampleRatioPValue }))
    return html`<p><span class="good"><span class="sign" aria-hidden="true">✓</span></span> The arms have the shares that they were to have.</p>`;
  return html`<p class="notice fault"><strong>Alarm:</strong> the arms do not have the shares that they were to have. Requests get lost on the way to an arm or to the log. No difference can be trusted until it is known why.</p>`;
}

interface MetricWords {
  readonly name: string;
  readonly shown: (value: number | undefined) => string;
}

const WORDS: Readonly<Record<Metric, MetricWords>> = {
  success: { name: 'Succeeded', shown: (value) => percent(value, 2) },
  cost_usd: { name: 'Cost', shown: usd },
  duration_ms: { name: 'Time', shown: signedDuration },
  score: { name: 'Score', shown: score },
};

/** A difference of two shares. */
function points(difference: number): string {
  return percent(difference, 2).replace('%', 'points');
}

function signedDuration(ms: number | undefined): string {
  return ms !== undefined && ms < 0 ? `−${duration(-ms)}` : duration(ms);
}

function differencesHtml(
  name: string,
  { arm, differences }: ArmResults,
  first: string,
  confidence: number,
): Html {
  const rows = METRICS.map((metric) => differenceRow(metric, differences[metric], `${arm} minus ${first}`));
  const heading = [
    'Measure',
    unseenHeading('Drawn'),
    'Difference',
    `Interval, ${percent(confidence)}`,
    'What it says',
  ];
  return html`<h3>${arm} minus ${first}</h3>${table(`Differences of ${name}, ${arm} minus ${first}`, heading, rows)}`;
}

function differenceRow(metric: Metric, found: ArmResults['differences'][Metric], of: string): Part[] {
  const { name } = WORDS[metric];
  const shown = metric === 'success' ? points : WORDS[metric].shown;
  if (found === undefined) return [name, '', DASH, DASH, 'nothing yet: too little is known'];
  const { estimate, low, high } = found;
  const interval = `${shown(low)} to ${shown(high)}`;
  const says = low > 0 ? 'higher' : high < 0 ? 'lower' : 'not decided: zero is inside';
  const words = `${name}, ${of}: ${shown(estimate)}, from ${interval}; ${says}`;
  const isFound = low > 0 || high < 0;
  return [
    name,
    html`<span class="gauge">${intervalLine(words, found)}</span>`,
    shown(estimate),
    interval,
    isFound ? html`<strong>${says}</strong>` : says,
  ];
}

function modelsHtml({ name }: Shadow, { models }: ResultsLook): Part {
  if (models === undefined) return undefined;
  const rows = models.map((one) => [
    one.model,
    count(one.requests),
    count(one.failed),
    usd(one.meanCostUsd),
    duration(one.meanDurationMs),
    one.meanOutputTokens === undefined ? DASH : count(one.meanOutputTokens),
    usd(one.spentUsd),
  ]);
  return html`<h3>Models that were asked</h3>${table(`Models of ${name}`, ['Model', 'Requests', 'Failed', 'Cost', 'Time', 'Output tokens', 'Spent'], rows)}`;
}

/** What the window of its cap holds now, by the ledger; that of before a window's end does not count any more. */
async function spendHtml({ parts, nowMs }: PageContext, shadow: Shadow): Promise<Part> {
  const held = await parts.gateway?.state?.ledger.windows(nowMs).catch(() => undefined);
  if (held === undefined) return html`<p>The ledger cannot be read now: what is spent is not known.</p>`;
  const limits = shadowLimits([shadow]);
  const own = limitStandings(limits, held, nowMs).find(
    ({ cap, window }) => cap !== undefined && window === shadow.spend.name,
  );
  if (own?.cap === undefined) return undefined;
  const { settled, reserved, cap, endMs } = own;
  const used = cap === 0 ? 1 : (settled + reserved) / cap;
  const words = `${usd(settled / NANO)} spent and ${usd(reserved / NANO)} reserved of ${usd(cap / NANO)} (${percent(used, 0)})`;
  return html`<p>Cap ${shadow.spend.name}: ${words}; begins anew ${relative(endMs, nowMs)}. Share of the requests: ${percent(shadow.share)}.</p>${splitLine(words, used)}`;
}
