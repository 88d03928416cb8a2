import { thresholdPath } from '../../../evals/threshold/index.ts';
import { type Population, scoreOf, type Truth } from './population.ts';

/** A policy whose true loss is known, for the gate to judge from samples. */
export interface KnownPolicy {
  /** What its true loss is of the margin, about. */
  readonly timesMargin: number;
  readonly threshold: number;
  readonly trueLoss: number;
  readonly escalationRate: number;
  /** (1 + q(strong) - q(routed)) / 2 of each case of the population. */
  readonly halfLosses: Float64Array;
}

/** Far enough below to be worth a PASS, the hardest that must not have one, and one that clearly must not. */
export const TIMES_MARGIN = [0.5, 1, 1.5];

/** A policy further from its aim than this share of the margin is left out: the set has none. */
const CLOSE_ENOUGH = 0.05;

/**
 * Thresholds of the population whose true loss is nearest to half the margin, least above the margin, and nearest to one and a half times
 * the margin. Those that the population does not have are left out.
 */
export function knownPolicies(population: Population, truth: Truth, margin: number): KnownPolicy[] {
  const points = thresholdPath(population).map(({ threshold }) => ({ threshold, ...truth.at(threshold) }));
  return TIMES_MARGIN.flatMap((timesMargin) => {
    const aim = timesMargin * margin;
    const possible = timesMargin === 1 ? points.filter(({ loss }) => loss > margin) : points;
    const nearest = possible.reduce<(typeof points)[number] | undefined>(
      (best, point) =>
        best === undefined || Math.abs(point.loss - aim) < Math.abs(best.loss - aim) ? point : best,
      undefined,
    );
    if (nearest === undefined || Math.abs(nearest.loss - aim) > CLOSE_ENOUGH * margin) return [];
    const { threshold, loss: trueLoss, escalationRate } = nearest;
    const halfLosses = halfLossesAt(population, threshold);
    return [{ timesMargin, threshold, trueLoss, escalationRate, halfLosses }];
  });
}

function halfLossesAt({ probabilities, quality }: Population, threshold: number): Float64Array {
  const [cheap, strong] = [quality[0]!, quality[1]!];
  return Float64Array.from(cheap, (q, row) =>
    scoreOf(probabilities, row) <= threshold ? (1 + strong[row]! - q) / 2 : 0.5,
  );
}
