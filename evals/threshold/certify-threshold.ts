import { PlimsollError } from '../../router/errors.ts';
import { bettingPValue, shuffledOrder } from '../../router/statistics/index.ts';
import { type CalibrationCases, movesOf, type ThresholdPoint } from './threshold-path.ts';

/** p-value for "the mean is at least `limit`", of values in [0, 1]. */
export type MeanTest = (values: Float64Array, limit: number, delta: number) => number;

export interface QualityPromise {
  /** The margin m, above 0 and at most 1. */
  readonly maxQualityLoss: number;
  /** 1 - delta, in [.5, 1). */
  readonly confidence: number;
}

/** Thresholds are tried at these steps, set before any case is seen: hypotheses must not follow the data that test them. */
const STEPS_PER_UNIT = 1000;

/** Of the order in which cases are bet on. */
const SEED = 1;

/**
 * The loosest threshold whose mean quality loss is at most m with probability 1 - delta, by fixed-sequence testing: from
 * always-strong towards cheaper in steps of 0.001, each tested for "the mean loss is above m" at level delta; the last one before the
 * first that cannot be rejected. Since the order is fixed and the walk stops at once, no correction for many tests is due:
 * the first threshold that is truly too loose is passed with probability at most delta.
 *
 * Losses l = q(strongest) - q(routed) in [-1, 1] are tested as (1 + l) / 2. O(n log n + steps n).
 *
 * @param test the betting p-value unless a comparison wants another
 * @returns undefined where nothing cheaper than always-strong can be certified
 * @throws PlimsollError `invalid-input`: no cases, a margin or a confidence out of range
 * @see Angelopoulos, Bates, Candès, Jordan and Lei, Learn then test, arXiv 2110.01052, section 4 (fixed-sequence testing)
 */
export function certifyThreshold(
  cases: CalibrationCases,
  promise: QualityPromise,
  test: MeanTest = bettingPValue,
): ThresholdPoint | undefined {
  requirePromise(promise);
  const delta = 1 - promise.confidence;
  const limit = (1 + promise.maxQualityLoss) / 2;
  const replay = replayAlong(cases);
  let certified: ThresholdPoint | undefined;
  for (let step = -STEPS_PER_UNIT; step <= STEPS_PER_UNIT; step++) {
    const threshold = step / STEPS_PER_UNIT;
    if (replay.advanceTo(threshold) && test(replay.halfLosses, limit, delta) > delta) break;
    certified = replay.pointAt(threshold);
  }
  return certified !== undefined && certified.escalationRate < 1 ? certified : undefined;
}

export function requirePromise({ maxQualityLoss, confidence }: QualityPromise): void {
  if (!(maxQualityLoss > 0 && maxQualityLoss <= 1)) {
    throw new PlimsollError(
      'invalid-input',
      `The quality loss must be above 0 and at most 1, not ${maxQualityLoss}: a loss of exactly 0 cannot be certified from any number of cases.`,
    );
  }
  if (!(confidence >= 0.5 && confidence < 1)) {
    throw new PlimsollError(
      'invalid-input',
      `The confidence must be at least .5 and below 1, not ${confidence}: certainty takes infinitely many cases.`,
    );
  }
}

/** The cases' losses as the threshold rises, each as (1 + loss) / 2, in the shuffled order. */
function replayAlong(cases: CalibrationCases) {
  const { probabilities, quality } = cases;
  const n = quality[0]?.length ?? 0;
  if (n === 0) throw new PlimsollError('invalid-input', 'There are no calibration cases.');
  const strongest = quality.length - 1;
  const placeOf = new Uint32Array(n);
  shuffledOrder(n, SEED).forEach((row, place) => {
    placeOf[row] = place;
  });
  const moves = movesOf(probabilities);
  const halfLosses = new Float64Array(n).fill(0.5);
  const rungOf = new Int32Array(n).fill(strongest);
  let next = 0;
  let escalated = n;
  let loss = 0;
  let first = true;
  return {
    halfLosses,
    /** Whether any case is routed otherwise than before; the first step counts as one. */
    advanceTo(threshold: number): boolean {
      let moved = first;
      first = false;
      for (; next < moves.length && moves[next]!.at <= threshold; next++) {
        const { case: row, rung } = moves[next]!;
        if (rung >= rungOf[row]!) continue;
        if (rung === 0) escalated--;
        loss += quality[rungOf[row]!]![row]! - quality[rung]![row]!;
        rungOf[row] = rung;
        halfLosses[placeOf[row]!] = (1 + quality[strongest]![row]! - quality[rung]![row]!) / 2;
        moved = true;
      }
      return moved;
    },
    pointAt(threshold: number): ThresholdPoint {
      return { threshold, escalationRate: escalated / n, qualityLoss: loss / n };
    },
  };
}
