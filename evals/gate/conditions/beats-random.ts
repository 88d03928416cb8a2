import type { Condition } from '../../../router/artifact/index.ts';
import { excessOverRandom, pairedExcess } from '../../../router/statistics/index.ts';
import { meanAboveZero } from '../judge.ts';
import { deltaOf, inOrder, type Subject } from './subject.ts';

/** Better than escalating the same share at random: the bound is over pairs of cases, the value over all. */
export function beatsRandomCondition(subject: Subject): Condition[] {
  const { suite, sealed, rungs, order } = subject;
  if (!suite.beats_random) return [];
  const quality = sealed.quality.map((column) => inOrder(column, order));
  const shuffled = Int32Array.from(order, (row) => rungs[row]!);
  const pairs = pairedExcess(quality, shuffled) ?? new Float64Array();
  const condition = meanAboveZero('beats-random', pairs, deltaOf(subject));
  const { further_cases: pairsMore, ...rest } = condition;
  return [
    {
      ...rest,
      n: sealed.n,
      value: condition.value === null ? null : excessOverRandom(quality, shuffled),
      ...(pairsMore !== undefined && { further_cases: 2 * pairsMore }),
      note: `bounds from ${pairs.length} pairs of cases; value: quality above a random choice of the same share`,
    },
  ];
}
