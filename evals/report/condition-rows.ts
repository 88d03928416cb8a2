import type { Condition } from '../../router/artifact/index.ts';
import { countWord, DASH, lossWord, rateWord } from './number-words.ts';

/** Conditions on a share of cases. All others are on a loss, a gain or an error of calibration. */
const SHARES = /^(escalation-rate|flip-rate|silent-downgrades?|hard-cases|recall|kept-cheap)(\/|$)/;

/** One row a condition, the heading first. No text is escaped: each report does that in its own way. */
export function conditionRows(conditions: readonly Condition[]): string[][] {
  return [
    ['condition', 'value', 'bound', 'limit', 'n', 'verdict'],
    ...conditions.map((one) => [
      one.name,
      valueWord(one),
      boundWord(one),
      limitWord(one),
      countWord(one.n),
      one.verdict,
    ]),
  ];
}

export function valueWord({ name, value }: Condition): string {
  return wordOf(name)(value);
}

/** The finite-sample bounds: `0.0051 to 0.0188`, or the one that there is. */
export function boundWord({ name, bounds: { lower, upper } }: Condition): string {
  return rangeWord(name, lower ?? undefined, upper ?? undefined);
}

export function limitWord({ name, limits: { min, max } }: Condition): string {
  return rangeWord(name, min, max);
}

/** How a condition's numbers are written: a share in percent, all else with four decimals. */
export function wordOf(name: string): (value: number | null | undefined) => string {
  return SHARES.test(name) ? rateWord : lossWord;
}

/** How many further cases would probably decide an INCONCLUSIVE, and what else the gate has to say of a condition. */
export function noteLines(conditions: readonly Condition[]): string[] {
  return conditions.flatMap((one) => {
    const notes = [furtherCasesWords(one), one.note].filter((note) => note !== undefined);
    return notes.length === 0 ? [] : [`${one.name}: ${notes.join('; ')}`];
  });
}

export function furtherCasesWords({ further_cases: further }: Condition): string | undefined {
  return further === undefined
    ? undefined
    : `about ${countWord(further)} further cases would probably decide`;
}

function rangeWord(name: string, low: number | undefined, high: number | undefined): string {
  const word = wordOf(name);
  if (low !== undefined && high !== undefined) return `${word(low)} to ${word(high)}`;
  if (low !== undefined) return `at least ${word(low)}`;
  return high === undefined ? DASH : `at most ${word(high)}`;
}
