import { PlimsollError } from '../errors.ts';
import { requireNumbers, unitInterval } from './require-numbers.ts';

/**
 * Bins of equal mass: the cases in the order of their predictions, cut into runs of about the same number.
 *
 * Bin b of B ends at case round(n b / B) in the order of the predictions, and then takes in every further case with the same
 * prediction: ties are never parted, so the order of the input does not matter, and there are fewer bins than asked for where
 * predictions repeat or n < B. A constant prediction makes one bin. Equal mass, because equal widths leave bins empty or nearly so.
 * O(n log n).
 *
 * @param probabilities 0..1, shape [n]
 * @param binCount B, a whole number of at least 1
 * @returns indexes of the cases of each bin, lowest predictions first; every case in exactly one bin, no bin empty
 * @throws PlimsollError `invalid-input`: no cases, NaN, a probability outside 0..1, a bin count below 1 or not whole
 * @see Nguyen and O'Connor, arXiv 1508.05154, section 3 (equal mass)
 * @example equalMassBins([0.9, 0.1, 0.2, 0.8], 2); // [[1, 2], [3, 0]]
 */
export function equalMassBins(probabilities: ArrayLike<number>, binCount: number): Uint32Array[] {
  requireNumbers('probabilities', probabilities, unitInterval);
  if (!Number.isSafeInteger(binCount) || binCount < 1) {
    throw new PlimsollError(
      'invalid-input',
      `binCount is ${binCount}: it must be a whole number of at least 1.`,
    );
  }
  const order = Uint32Array.from({ length: probabilities.length }, (_, i) => i);
  order.sort((a, b) => probabilities[a] - probabilities[b]);
  return equalMassRuns(probabilities, order, binCount);
}

function equalMassRuns(values: ArrayLike<number>, order: Uint32Array, count: number): Uint32Array[] {
  const n = order.length;
  const runs: Uint32Array[] = [];
  let start = 0;
  for (let b = 1; b <= count && start < n; b++) {
    let end = Math.round((n * b) / count);
    if (end <= start) continue;
    while (end < n && values[order[end]] === values[order[end - 1]]) end++;
    runs.push(order.subarray(start, end));
    start = end;
  }
  return runs;
}
