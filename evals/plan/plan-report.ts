import { formatCost, formatCount, formatLoss, formatRate, oneLine, textTable } from '../format.ts';
import { markdownTable } from '../report/index.ts';
import type { CasePlan } from './plan-cases.ts';
import type { BeforeAfter, Plan } from './plan-tally.ts';
import type { QuotaUse } from './quota-use.ts';
import type { MeanInterval } from './running-mean.ts';
import type { UnknownReason } from './undecidable.ts';

const WHY_UNKNOWN: Readonly<Record<UnknownReason, string>> = {
  'no-scores':
    'they were not scored, because a fixed policy or a rule decided (score_always scores all from now on)',
  'no-artifact':
    'their records do not say which artifact made the scores (--assume-artifact takes them as they are)',
  'other-artifact': 'their scores are of another artifact, and their prompts are not on record',
  'other-candidates': 'they have no score for a candidate of the changed ladder',
  'no-such-profile': 'their profile is not in the changed configuration',
  'no-such-policy': 'the policy that they named serves no more',
  'no-such-model': 'the model that they named is not configured',
  'rule-reads-more': 'a rule asks for what is not on record',
  'reply-not-judged': 'a cascade would judge a reply that was not judged then',
};

/** One figure for people: what it is, and as it was, would be, and by how much it changes. */
type Row = readonly [string, string, string, string];

/** The plan for a terminal. */
export function planText(plan: Plan): string {
  const sections = [
    headline(plan),
    ...sentences(plan),
    textTable([['a request', 'recorded', 'planned', 'change (95 % interval)'], ...figures(plan)]),
    ...(plan.moves.length === 0 ? [] : [textTable(moveRows(plan))]),
    textTable(shareRows(plan)),
    ...(plan.quotas.length === 0 ? [] : [textTable(quotaRows(plan))]),
    ASSUMPTIONS,
  ];
  return `${sections.map(oneLineEach).join('\n\n')}\n`;
}

/** The plan of labelled cases, as text or for a comment on a pull request. */
export function casePlanReport(plan: CasePlan, format: 'text' | 'markdown'): string {
  const { cases, planned, refused, unlabelled, moves, quality, cost_usd: cost } = plan;
  const table = format === 'text' ? textTable : markdownTable;
  const head = headline(plan);
  const rows = [
    comparisonRow('quality, as labelled', quality, formatLoss),
    comparisonRow('cost of 1,000', cost, formatCost),
  ];
  const left = [
    ...(refused === 0 ? [] : [`${formatCount(refused)} a rule refuses.`]),
    ...(unlabelled === 0
      ? []
      : [`${formatCount(unlabelled)} have no label of a model that would reply: they are in no quality.`]),
  ];
  const sections = [
    ...(format === 'text' ? [head] : ['<!-- plimsoll-plan -->', `## ${head}`]),
    `${formatCount(cases)} labelled cases, of which ${formatCount(planned)} are routed.`,
    ...left,
    table([['a request', 'present', 'planned', 'change (95 % interval)'], ...rows]),
    ...(moves.length === 0 ? [] : [table(moveRows(plan))]),
    format === 'text' ? CASE_ASSUMPTIONS : `<sub>${CASE_ASSUMPTIONS}</sub>`,
  ];
  return `${(format === 'text' ? sections.map(oneLineEach) : sections).join('\n\n')}\n`;
}

const CASE_ASSUMPTIONS =
  'Each prompt is routed by both configurations, as a request with its task and nothing else. Qualities are the labels of the two models. Intervals are of paired differences, and take cases as independent draws from the traffic. Cases that an artifact learned from flatter it: the gate leaves them out, and proves.';

/** The plan as a comment on a pull request; its first line is a marker by which an action finds its earlier comment. */
export function planMarkdown(plan: Plan): string {
  const sections = [
    '<!-- plimsoll-plan -->',
    `## ${headline(plan)}`,
    ...sentences(plan),
    markdownTable([['a request', 'recorded', 'planned', 'change (95 % interval)'], ...figures(plan)]),
    ...(plan.moves.length === 0 ? [] : [markdownTable(moveRows(plan))]),
    markdownTable(shareRows(plan)),
    ...(plan.quotas.length === 0 ? [] : [markdownTable(quotaRows(plan))]),
    `<sub>${ASSUMPTIONS}</sub>`,
  ];
  return `${sections.join('\n\n')}\n`;
}

function headline({ flipped, planned }: Pick<Plan, 'flipped' | 'planned'>): string {
  const share = formatRate(flipped / planned);
  return flipped === 0
    ? `No request of ${formatCount(planned)} would go to another model`
    : `${formatCount(flipped)} of ${formatCount(planned)} requests (${share}) would go to another model`;
}

function sentences(plan: Plan): string[] {
  const { flipped, flipped_up: up, flipped_down: down, left_out: left, follow_a_move: follow } = plan;
  const lines = [
    `${formatCount(plan.requests)} recorded requests, ${day(plan.from)} to ${day(plan.to)}.`,
    ...(flipped === 0
      ? []
      : [
          `${formatCount(up)} go up to a stronger model, ${formatCount(down)} down to a weaker one, ${formatCount(flipped - up - down)} to another model of the same rung.`,
        ]),
    verdictSentence(plan),
    ...Object.entries(plan.unknown).map(
      ([why, count]) =>
        `${formatCount(count)} cannot be decided again: ${WHY_UNKNOWN[why as UnknownReason]}.`,
    ),
    ...(left.refused + left.from_cache === 0
      ? []
      : [
          `Left out: ${formatCount(left.refused)} that were or would be refused, ${formatCount(left.from_cache)} from the response cache.`,
        ]),
    ...(follow === 0
      ? []
      : [
          `${formatCount(follow)} follow an earlier turn that would go elsewhere: for them this is an estimate.`,
        ]),
  ];
  return lines;
}

function verdictSentence({ verdicts: { before, after } }: Plan): string {
  const share = (counts: Readonly<Record<string, number>>) => {
    const all = Object.values(counts).reduce((sum, one) => sum + one, 0);
    return all === 0 ? undefined : formatRate((counts['PASS'] ?? 0) / all);
  };
  const [was, is] = [share(before), share(after)];
  if (is === undefined) return 'Nothing of it was routed.';
  return was === is
    ? `The verdict covers ${is} of the routed requests, as before.`
    : `The verdict would cover ${is} of the routed requests; it covered ${was ?? '–'}.`;
}

function figures(plan: Plan): Row[] {
  const { duration_ms: duration } = plan;
  return [
    comparisonRow('cost of 1,000', plan.cost_usd, formatCost),
    comparisonRow('predicted quality loss', plan.predicted_loss, formatLoss),
    duration === null
      ? ['duration', '–', '–', '–']
      : [
          'duration',
          milliseconds(duration.before),
          milliseconds(duration.after),
          signed(duration.after - duration.before, milliseconds),
        ],
  ];
}

function comparisonRow(name: string, found: BeforeAfter | null, format: (value: number) => string): Row {
  if (found === null) return [name, '–', '–', '–'];
  const { before, after, change } = found;
  return [
    `${name} (n ${formatCount(change.n)})`,
    format(before.mean),
    format(after.mean),
    interval(change, format),
  ];
}

function interval({ mean, low, high }: MeanInterval, format: (value: number) => string): string {
  return `${signed(mean, format)} (${signed(low, format)} to ${signed(high, format)})`;
}

function signed(value: number, format: (value: number) => string): string {
  const text = format(Math.abs(value));
  if (text === format(0)) return text;
  return `${value > 0 ? '+' : '−'}${text}`;
}

function milliseconds(ms: number): string {
  return `${formatCount(Math.round(ms))} ms`;
}

function moveRows({ moves }: Pick<Plan, 'moves'>): string[][] {
  return [
    ['from', 'to', 'requests'],
    ...moves.slice(0, 20).map(({ from, to, requests }) => [from, to, formatCount(requests)]),
  ];
}

function shareRows({ shares }: Plan): string[][] {
  const rows = Object.entries(shares).map(([model, { before, after }]) => [
    model,
    formatRate(before),
    formatRate(after),
  ]);
  return [['model', 'recorded', 'planned'], ...rows];
}

function quotaRows({ quotas }: Plan): string[][] {
  const rows = quotas
    .slice(0, 20)
    .map(({ scope, window, unit, cap, peak, windows, over }) => [
      scope,
      window,
      amountOf(cap, unit),
      `${amountOf(peak, unit)} (${formatRate(peak / cap)})`,
      `${formatCount(over)} of ${formatCount(windows)}`,
    ]);
  return [['limit of', 'window', 'at most', 'fullest window', 'windows over it'], ...rows];
}

/** Dollars with the digits that say something. */
function amountOf(amount: number, unit: QuotaUse['unit']): string {
  if (unit !== 'usd') return formatCount(amount);
  return `$${amount >= 1 || amount === 0 ? amount.toFixed(2) : amount.toPrecision(3)}`;
}

function day(time: string | null): string {
  return time === null ? '–' : time.slice(0, 16).replace('T', ' ');
}

const ASSUMPTIONS =
  'Decisions come from the recorded scores, with what narrowed each choice then. Costs take the recorded tokens at the prices of the changed configuration; a reply that was never made has the length of the one that was. The loss is what the classifier predicts, and proves nothing: the gate does. Durations of flipped requests are the mean of their model. Intervals take requests as independent, and say nothing of other traffic than this.';

function oneLineEach(text: string): string {
  return text.split('\n').map(oneLine).join('\n');
}
