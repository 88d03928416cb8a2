import type { Condition } from '../../router/artifact/index.ts';
import { DASH, formatCount, formatLoss, formatRate } from '../format.ts';

/* The conditions of a verdict as sentences and table rows. Nothing is escaped here: each report does it its own way. */

/** Conditions on a share of cases. All others limit a loss, a gain or a calibration error. */
const SHARES = /^(escalation-rate|flip-rate|silent-downgrades?|hard-cases|recall|kept-cheap)(\/|$)/;

/** One row per condition, after the heading. */
export function conditionRows(conditions: readonly Condition[]): string[][] {
  return [
    ['condition', 'value', 'bound', 'limit', 'n', 'proof', 'verdict'],
    ...conditions.map((condition) => [
      condition.name,
      formatValue(condition),
      formatBound(condition),
      formatLimit(condition),
      formatCount(condition.n),
      formatProof(condition),
      condition.verdict,
    ]),
  ];
}

/** The format of a condition's numbers: a share in percent, all else with four decimals. */
export function formatterFor(
  condition: string,
): (value: number | null | undefined, moreDigits?: number) => string {
  return SHARES.test(condition) ? formatRate : formatLoss;
}

export function formatValue({ name, value }: Condition): string {
  return formatterFor(name)(value);
}

/** The finite-sample bounds: `0.0051 to 0.0188`, or the only one. With so many digits that one which misses its limit does not look like it. */
export function formatBound(condition: Condition): string {
  const { lower, upper } = condition.bounds;
  return formatRange(condition.name, lower ?? undefined, upper ?? undefined, digitsBeyond(condition));
}

export function formatLimit(condition: Condition): string {
  const { min, max } = condition.limits;
  return formatRange(condition.name, min, max, digitsBeyond(condition));
}

/** Decimals beyond the usual ones that tell the bounds from the limits that they are held against. */
function digitsBeyond({ name, bounds: { lower, upper }, limits: { min, max } }: Condition): number {
  const format = formatterFor(name);
  const pairs = [lower, upper].flatMap((bound) => [min, max].map((limit) => [bound, limit] as const));
  const alike = (more: number) =>
    pairs.some(
      ([bound, limit]) =>
        typeof bound === 'number' &&
        limit !== undefined &&
        Math.abs(bound - limit) > SAME &&
        format(bound, more) === format(limit, more),
    );
  let more = 0;
  while (alike(more)) more++;
  return more;
}

/** Closer than this, a bound and a limit are the same number but for rounding. */
const SAME = 1e-9;

/** What the bounds prove: the promise, a rate of other cases, or nothing, since they describe the cases that chose the threshold. */
export function formatProof({ proof }: Condition): string {
  return proof === undefined ? DASH : PROOF_WORDS[proof];
}

const PROOF_WORDS: Readonly<Record<NonNullable<Condition['proof']>, string>> = {
  walk: 'promised',
  'other-cases': 'other cases',
  none: 'described',
};

/** One line per condition that has a note from the gate or needs more cases for a decision. */
export function noteLines(conditions: readonly Condition[]): string[] {
  return conditions.flatMap((condition) => {
    const notes = [condition.note, judgedNote(condition), furtherCasesNote(condition)].filter(
      (note) => note !== undefined,
    );
    return notes.length === 0 ? [] : [`${condition.name}: ${notes.join('; ')}`];
  });
}

/** What the upper bound is made of, and what people's labels alone would say. */
function judgedNote({ judged, name }: Condition): string | undefined {
  if (judged === undefined || judged.people === 0) return undefined;
  const { people, judged_upper: ofJudged, error_upper: ofErrors, people_upper: alone } = judged;
  const format = formatterFor(name);
  const beside =
    alone === null ? '' : `; by the ${formatCount(people)} labels of people alone at most ${format(alone)}`;
  return `at most ${format(ofJudged)} by the judge and ${format(ofErrors)} for its mistakes${beside}`;
}

/** Whether a line of noteLines is a warning. */
export function isWarning(line: string): boolean {
  return line.includes(': WARNING: ');
}

export function furtherCasesNote({ further_cases: further }: Condition): string | undefined {
  return further === undefined
    ? undefined
    : `about ${formatCount(further)} further cases would probably decide`;
}

function formatRange(
  condition: string,
  low: number | undefined,
  high: number | undefined,
  moreDigits: number,
): string {
  const format = (value: number) => formatterFor(condition)(value, moreDigits);
  if (low !== undefined && high !== undefined) return `${format(low)} to ${format(high)}`;
  if (low !== undefined) return `at least ${format(low)}`;
  return high === undefined ? DASH : `at most ${format(high)}`;
}
