import { readVerdict, standingInFolder } from '../../router/artifact/index.ts';
import { formatCost, formatCount, formatLoss, formatRate, oneLine, textTable } from '../format.ts';
import type { Bounded, Comparison, Measured } from '../gate/index.ts';
import { conditionLines, looksSentence, writeReports } from '../report/index.ts';
import { type Retrained, unmetConditions } from './retrain.ts';

/** Between the challenger's name and the champion's, and after both. */
const RESULTS: Readonly<Record<Measured['result'], readonly [string, (tolerance: number) => string]>> = {
  better: ['is better than', () => ''],
  'not-worse': ['is not worse than', byMoreThan],
  worse: ['is worse than', byMoreThan],
  undecided: ['may be worse than', byMoreThan],
};

function byMoreThan(tolerance: number): string {
  return ` by more than ${tolerance}`;
}

/** Champion and challenger side by side, what the comparison says, and what prevents a promotion. For the terminal. */
export function retrainReport({ verdict, comparison }: Retrained): string {
  const unmet = unmetConditions({ verdict, comparison });
  const looked = verdict.looks.number > 1 ? [looksSentence(verdict)] : [];
  return [
    figuresTable(comparison),
    '',
    `${verdict.verdict} of ${verdict.artifact.name} by the suite ${verdict.suite.name} on ${formatCount(verdict.sealed.n)} sealed cases.`,
    comparisonSentence(comparison),
    differenceSentence(comparison.measured),
    ...looked,
    ...(unmet.length === 0 ? [] : ['', ...conditionLines(unmet), '']),
    ...hint(comparison.measured),
    '',
  ]
    .map((line) => line.split('\n').map(oneLine).join('\n'))
    .join('\n');
}

/**
 * Writes the gate's reports on the challenger, which list what changed since the champion's verdict if that holds, and the comparison.
 * @throws PlimsollError `io` if the folder cannot be written
 */
export function writeRetrainReports(
  folder: string,
  { verdict, comparison, champion }: Retrained,
): Promise<void> {
  const { kind } = standingInFolder(champion, new Date());
  const previous = kind === 'none' ? undefined : readVerdict(champion.folder);
  const more = { 'comparison.json': `${JSON.stringify(comparison, null, 2)}\n` };
  return writeReports(folder, verdict, { ...(previous && { previous }), more });
}

function figuresTable({ champion, challenger, measured }: Comparison): string {
  const sides = [measured.champion, measured.challenger];
  return textTable([
    ['', `champion ${champion.name}`, `challenger ${challenger.name}`],
    ['threshold', formatLoss(champion.threshold), formatLoss(challenger.threshold)],
    ['escalates', ...sides.map((side) => formatRate(side.escalation_rate))],
    ['quality loss', ...sides.map((side) => boundedWord(side.quality_loss, formatLoss))],
    ['cost of a thousand', ...sides.map((side) => formatCost(side.cost_usd))],
  ]);
}

function comparisonSentence(comparison: Comparison): string {
  const { champion, challenger, measured, sealed, compared_on: on } = comparison;
  const { value, bounds, limits, confidence } = measured.quality_drop;
  const [verb, after] = RESULTS[measured.result];
  const range = `${formatLoss(bounds.lower)} to ${formatLoss(bounds.upper)}, each bound with confidence ${Number(confidence.toPrecision(4))}`;
  return `${challenger.name} ${verb} ${champion.name}${after(limits.max!)}: mean quality drop ${formatLoss(value)} (${range}) on ${formatCount(on?.n ?? sealed.n)} cases${on === undefined ? '' : on.fresh ? ' that no earlier look has seen' : ', some of which earlier looks have seen'}.`;
}

/** Not part of the decision: a challenger that is no worse may still cost more. */
function differenceSentence({ escalation_difference: rate, cost_difference_usd: cost }: Measured): string {
  const escalates = `Escalates ${moreOrLess(rate.value, (value) => `${pointsWord(value)} points`)} (${pointsWord(rate.lower)} to ${pointsWord(rate.upper)})`;
  if (cost === null) return `${escalates}.`;
  const share = Number((100 * cost.level).toPrecision(4));
  const spread = `${signedCost(cost.low)} to ${signedCost(cost.high)} in ${share} % of the resamples, no bound`;
  return `${escalates}; costs ${moreOrLess(cost.value, formatCost)} a thousand requests (${spread}).`;
}

/** Each policy is compared at its own threshold: what a bold challenger loses may be its threshold's doing. */
function hint({ quality_drop: drop, escalation_difference: rate }: Measured): string[] {
  if (drop.verdict === 'PASS' || rate.upper >= 0) return [];
  return [
    'It escalates less than the champion, and that alone costs quality. A suite with a smaller margin makes it escalate more; judge that on fresh cases.',
  ];
}

function moreOrLess(difference: number, word: (value: number) => string): string {
  if (difference === 0) return 'as much';
  return `${word(Math.abs(difference))} ${difference > 0 ? 'more' : 'less'}`;
}

/** A difference of rates, in points of a hundred. */
function pointsWord(difference: number): string {
  return formatRate(difference).replace(' %', '');
}

function signedCost(usd: number): string {
  return usd < 0 ? `-${formatCost(-usd)}` : formatCost(usd);
}

type Word = (value: number) => string;

function boundedWord(bounded: Bounded, word: Word): string {
  return `${word(bounded.value)} (${word(bounded.lower)} to ${word(bounded.upper)})`;
}
