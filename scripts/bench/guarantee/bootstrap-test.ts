import type { MeanTest } from '../../../evals/threshold/index.ts';
import { seededRandom } from '../../../router/statistics/index.ts';

/** Sums of the same losses in another order may differ by roundings, and a bootstrap mean may lie exactly on the limit. */
const ROUNDING = 1e-9;

/** A loss of 0 as (1 + loss) / 2: most cases have it, and what has it need not be added up. */
const NO_LOSS = 0.5;

/** How often each bootstrap resample holds each case: `counts[row * resamples + resample]`. */
export interface BootstrapCounts {
  readonly n: number;
  readonly resamples: number;
  readonly counts: Uint8Array;
}

/** Multinomial counts: each resample draws n of n cases with replacement. */
export function bootstrapCounts(n: number, resamples: number, seed: number): BootstrapCounts {
  const random = seededRandom(seed);
  const counts = new Uint8Array(n * resamples);
  for (let resample = 0; resample < resamples; resample++) {
    for (let draw = 0; draw < n; draw++) counts[Math.floor(random() * n) * resamples + resample]!++;
  }
  return { n, resamples, counts };
}

/**
 * Percentile bootstrap of a mean as a test: the share of the bootstrap means above the limit. It is at most delta where, and only where,
 * the percentile 1 - delta lies at or below the limit. A comparison, no bound: without any loss among the cases it is 0 at any n.
 *
 * The counts stay the same for all samples; that costs no validity, as the samples are drawn without regard to them. Along a walk only
 * the cases that moved are added up anew, so one test serves one walk: O(n) a step and O(resamples) a case that moved.
 *
 * @see Efron and Tibshirani, An introduction to the bootstrap (1993), chapter 13
 */
export function bootstrapTest({ n, resamples, counts }: BootstrapCounts): MeanTest {
  const before = new Float64Array(n).fill(NO_LOSS);
  const totals = new Float64Array(resamples).fill(n * NO_LOSS);
  return (values, limit) => {
    for (let row = 0; row < n; row++) {
      const change = values[row]! - before[row]!;
      if (change === 0) continue;
      before[row] = values[row]!;
      const start = row * resamples;
      for (let resample = 0; resample < resamples; resample++)
        totals[resample]! += change * counts[start + resample]!;
    }
    const most = n * limit + ROUNDING;
    let above = 0;
    for (let resample = 0; resample < resamples; resample++) if (totals[resample]! > most) above++;
    return above / resamples;
  };
}
