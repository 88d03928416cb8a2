/**
 * The sum of many numbers with the error of about one rounding, whatever their count: what each addition loses is kept and added at
 * the end. The Bentkus bound rounds a sum up, so a plain sum that drifts past a whole number would cost a whole failure.
 *
 * @param values shape [n]
 * @returns 0 for none
 * @see Neumaier, Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen, ZAMM 54 (1974)
 * @example compensatedSum(Array(10).fill(0.1)); // 1, where += gives 0.9999999999999999
 */
export function compensatedSum(values: ArrayLike<number>): number {
  let total = 0;
  let lost = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  return total + lost;
}

/**
 * The mean with the error of about one rounding: for metrics and bounds, whose result must not hang on the order of the cases.
 *
 * @param values shape [n]
 * @returns in the unit of the values; NaN for none
 * @see compensatedSum
 */
export function compensatedMean(values: ArrayLike<number>): number {
  return compensatedSum(values) / values.length;
}

/**
 * The plain mean, added up from the first value to the last: the figures of verdicts, comparisons and manifests. Issued ones are
 * compared byte for byte, and compensation would change their last digit.
 *
 * @param values shape [n]
 * @returns in the unit of the values; NaN for none
 * @example mean([1, 2, 6]); // 3
 */
export function mean(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total / values.length;
}

/**
 * Two mean qualities that differ by no more than this are the same number reached along two orders of summation.
 * A mean of n values in [0, 1] carries a rounding error of about sqrt(n) * 1e-16, so 1e-12 is far above the rounding of a
 * million cases and far below the smallest difference that one of them can make (1e-6 for labels of 0 and 1).
 */
export const QUALITY_TOLERANCE = 1e-12;

/** The rule (see requireNumbers) for mean qualities, whose rounding may carry them just outside 0..1. */
export const meanQualityRange = { min: -QUALITY_TOLERANCE, max: 1 + QUALITY_TOLERANCE } as const;
