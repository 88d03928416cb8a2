import { deltaOfLook } from '../../../evals/gate/index.ts';
import {
  type CalibrationCases,
  certifyThreshold,
  lossPValue,
  type MeanTest,
} from '../../../evals/threshold/index.ts';
import {
  compensatedSum,
  hoeffdingBentkusPValue,
  mean,
  seededRandom,
} from '../../../router/statistics/index.ts';
import { drawnOrder, openGate, type QualityPromise } from './gate.ts';

/** A method of proof. */
export interface Method {
  readonly name: string;
  /** The loosest threshold that a sample proves; undefined if it proves none. */
  certify(sample: CalibrationCases, promise: QualityPromise): number | undefined;
  /** Whether the losses of a sample, -1..1, prove that their mean is at most the margin. */
  passes(losses: Float64Array, promise: QualityPromise): boolean;
}

/** How often each case is in each bootstrap resample: `counts[row * resamples + resample]`. */
interface BootstrapCounts {
  readonly n: number;
  readonly resamples: number;
  readonly counts: Uint8Array;
}

/** What ships; the others are for comparison. */
export const DEFAULT_METHOD = 'gate';

const BOOTSTRAP_RESAMPLES = 1000;

/** Fixed in advance: see bootstrapTest. */
const BOOTSTRAP_SEED = 1;
/** Sums of the same losses in another order differ by rounding, and a bootstrap mean may be exactly the limit. */
const ROUNDING = 1e-9;

/** A loss of 0 as (1 + loss) / 2. Most cases have it and need not be added up. */
const NO_LOSS = 0.5;

/**
 * The gate at the first look; with a suite that plans one look, which may spend the whole error; and at the whole error the stakes of the
 * first edition, Hoeffding-Bentkus, the percentile bootstrap and no bound at all.
 * @param n cases of a sample
 * @param steps of the gate's walk
 */
export function methodsFor(n: number, steps: Float64Array): readonly Method[] {
  const counts = bootstrapCounts(n, BOOTSTRAP_RESAMPLES, BOOTSTRAP_SEED);
  return [
    gateMethod(DEFAULT_METHOD, steps, ({ confidence }) => deltaOfLook(1, confidence)),
    gateMethod('gate, one look planned', steps, ({ confidence }) => 1 - confidence),
    testMethod('plug-in stakes', () => plugInPValue),
    testMethod('hoeffding-bentkus', () => hoeffdingBentkusPValue),
    testMethod('bootstrap', () => bootstrapTest(counts)),
    testMethod('point-estimate', () => pointEstimate),
  ];
}

function gateMethod(name: string, steps: Float64Array, deltaOf: (promise: QualityPromise) => number): Method {
  return {
    name,
    certify: (sample, promise) => openGate(promise, steps).judge(sample, deltaOf(promise)),
    passes(losses, promise) {
      const limit = { max: promise.maxQualityLoss, delta: deltaOf(promise) };
      return lossPValue(drawnOrder(losses.length), losses, limit) <= limit.delta;
    },
  };
}

/** @param begin each walk and each single decision starts a test of its own */
export function testMethod(name: string, begin: () => MeanTest): Method {
  return {
    name,
    certify: (sample, promise) => certifyThreshold(sample, promise, begin())?.threshold,
    passes(losses, { maxQualityLoss, confidence }) {
      const delta = 1 - confidence;
      return begin()(losses.map(toHalf), toHalf(maxQualityLoss), delta) <= delta;
    },
  };
}

/** A loss of -1..1 in [0, 1]. */
function toHalf(loss: number): number {
  return (1 + loss) / 2;
}

/**
 * The bets of the first edition: stakes sqrt(2 ln(1/delta) / (n v)) of the running variance v, whatever has been won so far.
 * @see Waudby-Smith and Ramdas, arXiv 2010.09686: predictable plug-in bets for a fixed n
 */
const plugInPValue: MeanTest = (values, limit, delta) => {
  if (limit < mean(values)) return 1;
  const scale = (-2 * Math.log(delta)) / values.length;
  const cap = PLUG_IN_CAP / (1 - limit);
  let [capital, highest, total, squares] = [1, 1, 0.5, 0.25];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    capital *= 1 + Math.min(Math.sqrt((scale * (i + 1)) / squares), cap) * (limit - value);
    highest = Math.max(highest, capital);
    total += value;
    squares += (value - total / (i + 2)) ** 2;
  }
  return 1 / highest;
};

const PLUG_IN_CAP = 0.75;

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
