import { quantileSorted } from 'simple-statistics';
import { knownCosts } from './known-costs.ts';
import { requireNumbers } from './require-numbers.ts';
import { seededRandom } from './seeded-random.ts';

const RESAMPLES = 1000;
const SEED = 1;

/**
 * Percentile bootstrap interval of the cost saved, over cases. A description of the spread and no bound: a case may cost any amount, so
 * no finite-sample bound of a mean cost exists without a price ceiling. 1,000 resamples, seeded. O(1000 n).
 *
 * @param routedCostUsd, strongCostUsd as in costSaved. Shape [n]
 * @param level 0.5 to below 1: the share of resamples inside
 * @returns undefined where the cost of any case is unknown, or a resample of always strong costs nothing
 * @throws PlimsollError `invalid-input`: no cases, different lengths, a wrong cost or level
 * @see Efron, Bootstrap methods: another look at the jackknife, Annals of Statistics 7 (1979)
 */
export function costSavedInterval(
  routedCostUsd: ArrayLike<number | undefined>,
  strongCostUsd: ArrayLike<number | undefined>,
  level = 0.95,
): { low: number; high: number } | undefined {
  requireNumbers('level', [level], { min: 0.5, max: 1 - Number.EPSILON });
  const routed = knownCosts('routedCostUsd', routedCostUsd, routedCostUsd.length);
  const strong = knownCosts('strongCostUsd', strongCostUsd, routedCostUsd.length);
  if (routed === undefined || strong === undefined) return undefined;
  const random = seededRandom(SEED);
  const drawn: number[] = [];
  for (let resample = 0; resample < RESAMPLES; resample++) {
    let [routedUsd, strongUsd] = [0, 0];
    for (let i = 0; i < routed.length; i++) {
      const row = Math.floor(random() * routed.length);
      routedUsd += routed[row]!;
      strongUsd += strong[row]!;
    }
    if (strongUsd === 0) return undefined;
    drawn.push(1 - routedUsd / strongUsd);
  }
  drawn.sort((a, b) => a - b);
  const tail = (1 - level) / 2;
  return { low: quantileSorted(drawn, tail), high: quantileSorted(drawn, 1 - tail) };
}
