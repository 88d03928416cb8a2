import { requireNumbers } from './input-checks.ts';

/**
 * About how many cases in all would bring the upper bound of a mean loss down to `limit`, if further ones are like those that were measured:
 * `ln(1/delta) (2 v / g^2 + 1 / g)` with the gap `g = limit - mean`. The first part is the growth of the best bet on values of variance v
 * (Waudby-Smith and Ramdas, JRSS B 86, 2024, section 4), the second is what a bet of at most 1 needs where there is hardly a loss. A forecast
 * in closed form, for a page that is drawn at once: .7 to 3 times what `casesNeeded` finds, which plays the bound itself.
 *
 * @param mean -1 to 1
 * @param variance of one case, 0 to 1
 * @param limit the margin, -1 to 1
 * @param delta the error that may be spent, in (0, 1)
 * @returns undefined if the mean is not below the limit: then no number of cases is enough
 */
export function casesForecast(
  mean: number,
  variance: number,
  limit: number,
  delta: number,
): number | undefined {
  requireNumbers('mean and limit', [mean, limit], { min: -1, max: 1 });
  requireNumbers('variance and delta', [variance, delta], { min: 0, max: 1 });
  const gap = limit - mean;
  if (gap <= 0 || delta === 0) return undefined;
  return Math.ceil(Math.log(1 / delta) * ((2 * variance) / gap ** 2 + 1 / gap));
}
