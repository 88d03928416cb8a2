import { PlimsollError } from '../../router/errors.ts';
import { bettingPValue, shuffledOrder } from '../../router/statistics/index.ts';
import {
  type CalibrationCases,
  cheaperLosses,
  RoutingTally,
  type ThresholdPoint,
  thresholdPath,
} from './threshold-path.ts';
import { LossBets, type MeanTest, walkSteps, walkThresholds } from './walk.ts';

/** Seed of the order in which the cases are bet on. */
const SEED = 1;

/** Below this share sent to cheaper candidates a threshold saves nothing worth the name. */
const WORTHWHILE_SHARE = 0.05;
/** Below this share a suite's default band takes a policy for collapsed to the strongest model. */
const LEAST_SHARE = 0.01;
/** The margins that are tried, as multiples of the one asked for. */
const FACTORS = [0.25, 0.5, 1, 1.5, 2.5, 5] as const;
/** The most often that cases are repeated to see whether more of them would do. */
const MOST_REPEATS = 64;

/** How the threshold is to be set: a share of the cases as they are, or a promise that is kept with a confidence. */
export type ThresholdRule =
  | { readonly rule: 'escalation-rate'; readonly target: number }
  | { readonly rule: 'max-quality-loss'; readonly target: number; readonly confidence: number };

/**
 * The loosest threshold that keeps the rule, coming from always-strong: the first escalation rate at or under the target, or
 * the loosest that certifyThreshold certifies.
 * @throws PlimsollError `invalid-input` without cases or with a target out of range; `insufficient-data` if nothing
 *   cheaper than always-strong can be certified, saying what these cases could certify
 */
export function chooseThreshold(cases: CalibrationCases, rule: ThresholdRule): ThresholdPoint {
  if (rule.rule === 'escalation-rate') return atEscalationRate(cases, rule.target);
  const promise = { maxQualityLoss: rule.target, confidence: rule.confidence };
  const certified = certifyThreshold(cases, promise);
  if (certified !== undefined) return certified;
  const sentence = marginsSentence(certifiableMargins(cases, promise));
  throw new PlimsollError(
    'insufficient-data',
    `Nothing cheaper than always-strong can be certified to lose at most ${rule.target} with confidence ${rule.confidence} on ${cases.quality[0]!.length} cases. ${sentence}`,
  );
}

interface QualityPromise {
  /** The margin m, above 0 and at most 1. */
  readonly maxQualityLoss: number;
  /** 1 - delta, in [.5, 1). */
  readonly confidence: number;
}

/**
 * The loosest threshold whose mean quality loss is at most m with probability 1 - delta, by a walk from always-strong towards cheaper.
 *
 * @param test the betting p-value unless a comparison wants another
 * @returns undefined if nothing cheaper than always-strong can be certified
 * @throws PlimsollError `invalid-input`: no cases, a margin or a confidence out of range
 * @see walkThresholds
 */
export function certifyThreshold(
  { probabilities, quality }: CalibrationCases,
  promise: QualityPromise,
  test: MeanTest = bettingPValue,
): ThresholdPoint | undefined {
  requirePromise(promise);
  const delta = 1 - promise.confidence;
  const tally = new RoutingTally(quality);
  const n = quality[0]!.length;
  const losses = new LossBets({ rows: shuffledOrder(n, SEED), largestUnit: 1, batches: [n] }, quality);
  let certified: ThresholdPoint | undefined;
  const { threshold } = walkThresholds(
    probabilities,
    [
      {
        name: 'quality-loss',
        move(row, from, to) {
          losses.move(row, from, to);
          tally.move(row, from, to);
        },
        holds(at) {
          const rejected = losses.pValue({ max: promise.maxQualityLoss, delta }, test) <= delta;
          if (rejected) certified = tally.pointAt(at);
          return rejected;
        },
      },
    ],
    walkSteps(-1, 1),
  );
  if (threshold === undefined || certified === undefined || certified.strongestRate === 1) return undefined;
  return { ...certified, threshold };
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

/** What another margin would give: a threshold from these cases, or how many it would probably take. */
export interface CertifiableMargin {
  readonly maxQualityLoss: number;
  readonly certified: ThresholdPoint | undefined;
  /** Labelled calibration cases that would probably certify something cheaper than always-strong; undefined above 64 times the present number. */
  readonly casesNeeded: number | undefined;
}

/**
 * Margins around the one asked for, each with what these cases certify. If they are too few, the cases are repeated until they
 * would suffice: an estimate that assumes further cases like these.
 */
export function certifiableMargins(cases: CalibrationCases, promise: QualityPromise): CertifiableMargin[] {
  const margins = FACTORS.map((factor) => Number((factor * promise.maxQualityLoss).toPrecision(2)));
  return margins
    .filter((margin) => margin <= 1)
    .map((maxQualityLoss) => {
      const wanted = { ...promise, maxQualityLoss };
      const certified = worthwhile(certifyThreshold(cases, wanted));
      return { maxQualityLoss, certified, casesNeeded: casesNeeded(cases, wanted, certified) };
    });
}

function atEscalationRate(cases: CalibrationCases, target: number): ThresholdPoint {
  if (!(target >= 0 && target <= 1)) {
    throw new PlimsollError('invalid-input', `The escalation rate must be from 0 to 1, not ${target}.`);
  }
  const path = thresholdPath(cases);
  return path.find(({ escalationRate }) => escalationRate <= target) ?? path.at(-1)!;
}

/** What can be done if the margin asked for cannot be certified. */
function marginsSentence(margins: readonly CertifiableMargin[]): string {
  const possible = margins.find(({ certified }) => certified !== undefined);
  const asked = margins[FACTORS.indexOf(1)]?.casesNeeded;
  const more =
    asked === undefined
      ? 'No reasonable number of cases like these would do it'
      : `About ${asked} would probably do it`;
  return possible === undefined
    ? `${more}; label more, or set --escalation-rate to look at a policy without a promise.`
    : `${more}; these certify a loss of at most ${possible.maxQualityLoss} (escalating ${(100 * possible.certified!.escalationRate).toFixed(1)} %).`;
}

/**
 * The strictest threshold, in steps of 0.001, that keeps a hundredth of the cases from the strongest rung: a walk begins there, since a policy
 * that keeps fewer is outside the default band of a suite. From scores alone. Where few labels prove little, the start decides whether there is
 * a PASS at all (docs/EXPERIMENTS.md).
 */
export function strictestWorthwhile(probabilities: readonly Float64Array[]): number {
  const scores = cheaperLosses(probabilities).sort();
  const score = scores[Math.floor(LEAST_SHARE * scores.length)] ?? -1;
  return walkSteps(score, 1)[0] ?? 1;
}

function worthwhile(point: ThresholdPoint | undefined): ThresholdPoint | undefined {
  return point !== undefined && point.strongestRate <= 1 - WORTHWHILE_SHARE ? point : undefined;
}

function casesNeeded(
  cases: CalibrationCases,
  promise: QualityPromise,
  certified: ThresholdPoint | undefined,
): number | undefined {
  const n = cases.quality[0]!.length;
  if (certified !== undefined) return n;
  for (let repeats = 2; repeats <= MOST_REPEATS; repeats = Math.ceil(repeats * 1.4)) {
    if (worthwhile(certifyThreshold(repeated(cases, repeats), promise))) return repeats * n;
  }
  return undefined;
}

function repeated({ probabilities, quality }: CalibrationCases, times: number): CalibrationCases {
  const columns = (of: readonly Float64Array[]) =>
    of.map((column) =>
      Float64Array.from({ length: column.length * times }, (_, i) => column[i % column.length]!),
    );
  return { probabilities: columns(probabilities), quality: columns(quality) };
}
