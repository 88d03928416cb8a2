import type { MeanTest } from '../../../evals/threshold/index.ts';
import {
  bettingPValue,
  compensatedSum,
  hoeffdingBentkusPValue,
  seededRandom,
} from '../../../router/statistics/index.ts';

/** A method of certification. Each walk and each single decision starts a test of its own. */
export interface Method {
  readonly name: string;
  begin(): MeanTest;
}

/** How often each case is in each bootstrap resample: `counts[row * resamples + resample]`. */
interface BootstrapCounts {
  readonly n: number;
  readonly resamples: number;
  readonly counts: Uint8Array;
}

/** The gate's method; the others are for comparison. */
export const DEFAULT_METHOD = 'betting';

const BOOTSTRAP_RESAMPLES = 1000;

/** Fixed in advance: see bootstrapTest. */
const BOOTSTRAP_SEED = 1;
/** Sums of the same losses in another order differ by rounding, and a bootstrap mean may be exactly the limit. */
const ROUNDING = 1e-9;

/** A loss of 0 as (1 + loss) / 2. Most cases have it and need not be added up. */
const NO_LOSS = 0.5;

/** Betting, Hoeffding-Bentkus, the percentile bootstrap and no bound at all, for samples of n cases. */
export function methodsFor(n: number): readonly Method[] {
  const counts = bootstrapCounts(n, BOOTSTRAP_RESAMPLES, BOOTSTRAP_SEED);
  return [
    { name: DEFAULT_METHOD, begin: () => bettingPValue },
    { name: 'hoeffding-bentkus', begin: () => hoeffdingBentkusPValue },
    { name: 'bootstrap', begin: () => bootstrapTest(counts) },
    { name: 'point-estimate', begin: () => pointEstimate },
  ];
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
 * Percentile bootstrap of a mean as a test: the share of the bootstrap means above the limit. It is at most delta if and only if the
 * percentile 1 - delta is at or below the limit. For comparison only, not a bound: without any loss among the cases it is 0 at any n.
 *
 * The counts are the same for all samples; this is valid, since the samples are drawn independently of them. Along a walk only the
 * cases that changed are added up again, so one test serves one walk: O(n) per step and O(resamples) per changed case.
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

/** Trusts the sample: a mean at or below the limit counts as proof. */
const pointEstimate: MeanTest = (values, limit) =>
  compensatedSum(values) <= limit * values.length + 1e-9 ? 0 : 1;
