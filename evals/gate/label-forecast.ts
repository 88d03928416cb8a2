import { chooseRung } from '../../router/policy/index.ts';
import { casesNeeded, differenceBound, shuffledOrder } from '../../router/statistics/index.ts';
import { type ScoredPrompt, stepReaching } from './label-draw.ts';
import type { LabelPlan } from './label-plan.ts';

/** What the labels will probably certify, if the policy loses half the margin and the classifier is right about how. */
export interface LabelForecast {
  readonly qualityLoss: number;
  /** The smallest margin that the drawn labels will probably certify. */
  readonly certifiedMargin: number;
  /** About how many labels the margin itself will take, at least those that are drawn; undefined above 100,000. */
  readonly labelsNeeded: number | undefined;
}

/** Orders in which a forecast takes the labels; the median counts. */
const FORECAST_ORDERS = 5;
const MOST_NEEDED = 100_000;
/** With fewer lost labels, rounding to whole ones would decide a forecast. */
const LEAST_LOSSES = 10;

/** With qualities of 0 and 1: the shares of labels that lose or gain everything, 0..1. */
export interface AssumedLosses {
  readonly lost: number;
  readonly gained: number;
}

/**
 * About how many labels certify, by the gate's own bound, that their mean loss is at most `limit`; undefined above 100,000.
 * @param delta the error that the look may spend
 * @param atLeast the number from which on is tried; fewer are never returned
 */
export function labelsToCertify(
  assumed: AssumedLosses,
  limit: number,
  delta: number,
  atLeast = 1,
): number | undefined {
  const enoughToRound = Math.max(atLeast, Math.ceil(LEAST_LOSSES / Math.max(assumed.lost, 1e-4)));
  return casesNeeded(lossesOf(assumed, enoughToRound, 1), limit, delta, {
    bound: differenceBound,
    most: MOST_NEEDED,
  });
}

/** The losses of this many labels, in the order that the seed gives. */
function lossesOf({ lost, gained }: AssumedLosses, n: number, seed: number): Float64Array {
  const [ones, minusOnes] = [Math.round(n * lost), Math.round(n * gained)];
  return Float64Array.from(shuffledOrder(n, seed), (i) => (i < ones ? 1 : i < ones + minusOnes ? -1 : 0));
}

/**
 * The losses of labels with qualities of 0 and 1: half the margin is lost, and what the cheaper models gain is as the classifier expects it
 * at the threshold where it expects that loss, if models fail independently of each other. The share of the pool counts at its upper bound.
 */
export function forecastOf(
  pool: readonly ScoredPrompt[],
  { margin, limit, below_limit: below, drawn }: LabelPlan,
  confidence: number,
): LabelForecast {
  const delta = 1 - confidence;
  const qualityLoss = margin / 2;
  const gained = expectedGain(pool, Math.min(limit, stepReaching(pool, qualityLoss))) / below.rows;
  const lost = Math.min(1 - gained, gained + qualityLoss / below.share);
  const bounds = Array.from({ length: FORECAST_ORDERS }, (_, i) =>
    differenceBound.upper(lossesOf({ lost, gained }, drawn.n, i + 1), delta),
  ).sort((x, y) => x - y);
  const { high } = below.interval;
  const certifiedMargin = Math.min(1, high * bounds[Math.floor(FORECAST_ORDERS / 2)]!);
  if (certifiedMargin <= margin) return { qualityLoss, certifiedMargin, labelsNeeded: drawn.n };
  const labelsNeeded = labelsToCertify({ lost, gained }, Math.min(1, margin / high), delta, drawn.n);
  return { qualityLoss, certifiedMargin, labelsNeeded };
}

/** How many prompts that are kept from the strongest model do better than with it. */
function expectedGain(pool: readonly ScoredPrompt[], threshold: number): number {
  let gained = 0;
  for (const { score, scores, probabilities } of pool) {
    if (score > threshold) continue;
    const routed = probabilities[chooseRung(scores, threshold)]!;
    gained += routed * (1 - probabilities[probabilities.length - 1]!);
  }
  return gained;
}
