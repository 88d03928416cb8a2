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
    const value = values[i];
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  return total + lost;
}
