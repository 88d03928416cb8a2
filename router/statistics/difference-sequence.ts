import { PlimsollError } from '../errors.ts';
import { requireDelta, requireNumbers } from './input-checks.ts';

/** One outcome of a unit that was assigned to one of two arms at random. */
export interface AssignedOutcome {
  readonly isTreated: boolean;
  /** The probability of the treated arm at the time of the assignment, among these two; strictly between 0 and 1. It may change. */
  readonly propensity: number;
  readonly value: number;
}

export interface DifferenceInterval {
  /** Treated minus control. */
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

/** A confidence sequence for the difference of the means of two arms: the true one lies in every interval that is ever read, with probability 1 - delta. */
export interface DifferenceSequence {
  /** @throws PlimsollError `invalid-input`: a value outside of the range, or a propensity that is not inside of (0, 1) */
  observe(outcome: AssignedOutcome): void;
  /** Undefined as long as nothing can be said. */
  interval(): DifferenceInterval | undefined;
}

export interface BoundedRange {
  readonly low: number;
  readonly high: number;
}

/** Stakes, spread evenly in the logarithm and fixed before any value is seen: some is near the best one from a hundred outcomes to some millions. */
const STAKES = Float64Array.from({ length: 14 }, (_, k) => 0.006 * 1.4 ** k);

/**
 * For outcomes within a range. Each outcome becomes an estimate of the difference whose expectation is the true one whatever the guesses m are
 * (augmented inverse-propensity weighting, the means of both arms before it as guesses), weighted by w = min(p, 1 - p):
 *
 *   X[t] = w[t] (A[t] / p[t] (Y[t] - m1[t]) - (1 - A[t]) / (1 - p[t]) (Y[t] - m0[t])),   -1 <= X[t] <= 1
 *
 * With S = sum of w (m1 - m0) + X, W = sum of w and V = sum of X^2, and stakes l in (0, 1),
 *
 *   mean over stakes of exp(l (S - W theta) - (-ln(1 - l) - l) V)
 *
 * is at most 1 in expectation at any time at which one stops, if theta is the true difference (exp(l x - (-ln(1 - l) - l) x^2) <= 1 + l x for x >= -1). So
 * it passes 2/delta with probability at most delta/2 (Ville's inequality), which gives the lower end; the upper end is its mirror image.
 * No assumption besides the range and the propensities: the means may change with time, theta is then their weighted mean difference. O(1) an outcome.
 *
 * @param range of the values
 * @param delta in (0, 1)
 * @throws PlimsollError `invalid-input`
 * @see Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting, JRSS B 86 (2024), section 3 (the empirical-Bernstein
 *   supermartingale); Howard, Ramdas, McAuliffe and Sekhon, Time-uniform, nonparametric, nonasymptotic confidence sequences, Annals of Statistics 49
 *   (2021), section 4.2 (with any predictable guess, and for average treatment effects)
 */
export function boundedDifference(
  delta: number,
  range: BoundedRange = { low: 0, high: 1 },
): DifferenceSequence {
  requireDelta(delta);
  const { low, high } = range;
  requireNumbers('range', [low, high]);
  if (!(high > low) || !Number.isFinite(high - low)) {
    throw new PlimsollError('invalid-input', `The range ${low} to ${high} is empty or has no end.`);
  }
  const width = high - low;
  const sums = weightedSums(0.5, 1);
  return {
    observe({ value, ...assigned }) {
      requireNumbers('value', [value], { min: low, max: high });
      sums.add({ ...assigned, value: (value - low) / width });
    },
    interval() {
      const { weight, total, squares, n } = sums;
      if (n === 0) return undefined;
      const radius = largestSum(squares, Math.log(2 / delta)) / weight;
      const estimate = total / weight;
      return scaled({ estimate, radius }, width, { min: -1, max: 1 });
    },
  };
}

/** Values, of each arm, below which the central limit is not counted on. */
export const LEAST_VALUES = 50;
/** The number of outcomes at which the interval is the narrowest that it can be. */
const NARROWEST_AT = 2_000;

/**
 * For outcomes without a bound, such as costs and latencies: asymptotic. Of the same weighted estimates, with s^2 = V / n,
 *
 *   theta within S / W +- n / W s sqrt(2 (n r^2 + 1) / (n^2 r^2) ln(sqrt(n r^2 + 1) / delta))
 *
 * It rests on a central limit that holds at all times together: outcomes need a finite moment above the second, and enough of them must have been seen.
 * Nothing is said below 50 outcomes an arm. Very heavy tails, as of a cost that is mostly 0 and sometimes a thousand times its mean, need many more.
 *
 * @param delta in (0, 1)
 * @throws PlimsollError `invalid-input`
 * @see Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Time-uniform central limit theory and asymptotic confidence sequences, Annals of Statistics 52
 *   (2024), arXiv 2103.06476, theorem 2.2 and section 3
 */
export function asymptoticDifference(delta: number): DifferenceSequence {
  requireDelta(delta);
  const sums = weightedSums(0, 0);
  return {
    observe(outcome) {
      requireNumbers('value', [outcome.value], { min: -Number.MAX_VALUE, max: Number.MAX_VALUE });
      sums.add(outcome);
    },
    interval() {
      const { weight, total, squares, n } = sums;
      if (sums.smallerArm() < LEAST_VALUES) return undefined;
      const radius = asymptoticRadius({ n, squares }, delta);
      return scaled({ estimate: total / weight, radius: radius / weight }, 1, {});
    },
  };
}

/** How far the sum of n values may be from its expectation, at all times together: s sqrt(2 (n r^2 + 1) / r^2 ln(sqrt(n r^2 + 1) / delta)), s^2 = squares / n. */
export function asymptoticRadius(
  { n, squares }: { readonly n: number; readonly squares: number },
  delta: number,
): number {
  const aim = -2 * Math.log(delta);
  const tuned = (aim + Math.log(aim + 1)) / NARROWEST_AT;
  const growth = n * tuned + 1;
  return Math.sqrt((squares / n) * 2 * (growth / tuned) * Math.log(Math.sqrt(growth) / delta));
}

function scaled(
  { estimate, radius }: { readonly estimate: number; readonly radius: number },
  width: number,
  { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY }: { min?: number; max?: number },
): DifferenceInterval {
  const within = (value: number) => Math.min(max, Math.max(min, value));
  return {
    estimate: width * within(estimate),
    low: width * within(estimate - radius),
    high: width * within(estimate + radius),
  };
}

/**
 * The sums that both sequences stand on.
 * @param guess of each mean before any outcome, which counts as `strength` outcomes. With a strength of 0 what comes before each arm has had an outcome is
 *   left out: no mean is known that it could be compared with
 */
function weightedSums(guess: number, strength: number) {
  const control = { n: 0, total: guess * strength };
  const treated = { n: 0, total: guess * strength };
  const sums = {
    n: 0,
    weight: 0,
    total: 0,
    squares: 0,
    smallerArm: () => Math.min(control.n, treated.n),
    add({ isTreated, propensity, value }: AssignedOutcome) {
      requirePropensity(propensity);
      const own = isTreated ? treated : control;
      if (strength + Math.min(treated.n, control.n) > 0) {
        const guesses = [control, treated].map(({ n, total }) => total / (n + strength)) as [number, number];
        const w = Math.min(propensity, 1 - propensity);
        const x = isTreated
          ? (w / propensity) * (value - guesses[1])
          : -(w / (1 - propensity)) * (value - guesses[0]);
        sums.n++;
        sums.weight += w;
        sums.total += w * (guesses[1] - guesses[0]) + x;
        sums.squares += x * x;
      }
      own.n++;
      own.total += value;
    },
  };
  return sums;
}

function requirePropensity(propensity: number): void {
  if (propensity > 0 && propensity < 1) return;
  throw new PlimsollError(
    'invalid-input',
    `propensity is ${propensity}: it must lie between 0 and 1, without either.`,
  );
}

/** What a stake costs for each unit of V. */
const COSTS = STAKES.map((stake) => -Math.log1p(-stake) - stake);

/**
 * The u at which the mean over the stakes of exp(l u - (-ln(1 - l) - l) V) is e^target. Its logarithm is convex in u and rises: Newton's steps from above
 * never pass it, so that whatever they end at is wide enough.
 */
export function largestSum(squares: number, target: number): number {
  const exponents = new Float64Array(STAKES.length);
  let u = Number.POSITIVE_INFINITY; // where the best stake alone would do
  for (let k = 0; k < STAKES.length; k++) {
    u = Math.min(u, (target + Math.log(STAKES.length) + COSTS[k]! * squares) / STAKES[k]!);
  }
  for (let step = 0; step < MOST_STEPS; step++) {
    let highest = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < STAKES.length; k++) {
      exponents[k] = STAKES[k]! * u - COSTS[k]! * squares;
      highest = Math.max(highest, exponents[k]!);
    }
    let sum = 0;
    let slope = 0;
    for (let k = 0; k < STAKES.length; k++) {
      const share = Math.exp(exponents[k]! - highest);
      sum += share;
      slope += share * STAKES[k]!;
    }
    const change = (highest + Math.log(sum / STAKES.length) - target) / (slope / sum);
    u -= change;
    if (change < 1e-9 * u) break;
  }
  return u;
}

const MOST_STEPS = 30;
