import { mean } from 'simple-statistics';
import type { EscalationOrder } from './escalation-order.ts';

/**
 * The mean of a quantity (quality, cost) over all cases, as more and more of them are escalated:
 *
 *   m[k] = (sum of strong over the first k of the order + sum of cheap over the rest) / n,  k = 0..n
 *
 * Inside a run of equal scores the value is the expectation over a random order of the run, which is the straight line
 * between its two ends: m is what a policy reaches that breaks ties by lot, and does not depend on the order of the input.
 * The ends are exact: m[0] = mean of cheap, m[n] = mean of strong. O(n).
 *
 * @param cheap the quantity where the case stays with the cheap candidate, shape [n]
 * @param strong the quantity where it is escalated, shape [n]
 * @returns shape [n + 1], in the unit of the inputs. The caller has checked the inputs (see requireNumbers)
 */
export function meanAlongOrder(
  { order, tieEnds }: EscalationOrder,
  cheap: ArrayLike<number>,
  strong: ArrayLike<number>,
): Float64Array {
  const n = order.length;
  const means = new Float64Array(n + 1);
  const cheapMean = mean(Array.from(cheap));
  means[0] = cheapMean;
  let start = 0;
  let gained = 0;
  for (const end of tieEnds) {
    let gainedByRun = 0;
    for (let i = start; i < end; i++) gainedByRun += strong[order[i]] - cheap[order[i]];
    for (let k = start + 1; k <= end; k++) {
      means[k] = cheapMean + (gained + (gainedByRun * (k - start)) / (end - start)) / n;
    }
    gained += gainedByRun;
    start = end;
  }
  means[n] = mean(Array.from(strong));
  return means;
}
