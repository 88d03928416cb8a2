import { mean } from 'simple-statistics';
import { PlimsollError } from '../../router/errors.ts';
import {
  type CostQualityPoint,
  convexHull,
  knownCosts,
  type LadderQuality,
  QUALITY_TOLERANCE,
  requireLadderQuality,
} from '../../router/statistics/index.ts';

/** One candidate, used for every case. */
export interface SingleModel {
  /** Mean quality, 0..1. */
  readonly quality: number;
  /** Mean US dollars a case; undefined unless the cost of every case is known. */
  readonly costUsd: number | undefined;
}

export interface SingleModels {
  /** Cheapest rung first. */
  readonly models: readonly SingleModel[];
  /** The rung of the highest mean quality (to 1e-12); of equally good ones the cheaper. */
  readonly best: number;
  /** What mixing the candidates at random reaches, cost in US dollars a case; undefined unless all costs are known. */
  readonly hull: readonly CostQualityPoint[] | undefined;
}

/**
 * What there is without a router: each candidate alone, and their mixes.
 *
 * A router that is not above the hull is beaten by a coin that is thrown for each request. The best single candidate need not be the
 * strongest rung: the ladder is in the order of price. Which of equally good ones is cheaper is taken from the mean costs where those of
 * all candidates are known, else from the ladder. O(rungs * n).
 *
 * @param qualityByRung what each candidate reached, cheapest first: [rung][case], 0..1
 * @param costUsdByRung what each candidate cost on the same cases, US dollars, undefined where unknown; left out where no cost is known
 * @throws PlimsollError `invalid-input`: fewer than two rungs, no cases, different lengths, NaN, a quality outside 0..1, a cost that is
 *   negative or infinite, costs of another number of rungs
 * @see Hu et al., RouterBench, arXiv 2403.12031, section 3 (the hull of the single candidates, its zero router)
 * @example singleModels([[0, 1], [1, 1]], [[1, 1], [10, 30]]).hull; // (1, .5), (20, 1)
 */
export function singleModels(
  qualityByRung: LadderQuality,
  costUsdByRung?: readonly ArrayLike<number | undefined>[],
): SingleModels {
  requireLadderQuality(qualityByRung);
  if (costUsdByRung !== undefined) requireSameRungs(qualityByRung, costUsdByRung);
  const models = qualityByRung.map((quality, rung) => ({
    quality: mean(Array.from(quality)),
    costUsd: meanCostUsd(rung, quality.length, costUsdByRung?.[rung]),
  }));
  const costs = models.flatMap(({ costUsd }) => (costUsd === undefined ? [] : [costUsd]));
  const allKnown = costs.length === models.length;
  const qualities = models.map(({ quality }) => quality);
  return {
    models,
    best: bestSingle(qualities, allKnown ? costs : undefined),
    hull: allKnown ? convexHull(costs, qualities) : undefined,
  };
}

function requireSameRungs(qualityByRung: LadderQuality, costUsdByRung: readonly unknown[]): void {
  if (costUsdByRung.length === qualityByRung.length) return;
  const message = `costUsdByRung has ${costUsdByRung.length} rungs and qualityByRung ${qualityByRung.length}: give both for each candidate.`;
  throw new PlimsollError('invalid-input', message);
}

function meanCostUsd(
  rung: number,
  length: number,
  costsUsd: ArrayLike<number | undefined> | undefined,
): number | undefined {
  if (costsUsd === undefined) return undefined;
  const known = knownCosts(`costUsdByRung[${rung}]`, costsUsd, length);
  return known === undefined ? undefined : mean(Array.from(known));
}

function bestSingle(qualities: readonly number[], costsUsd: readonly number[] | undefined): number {
  const highest = Math.max(...qualities);
  const asGood = qualities.flatMap((quality, rung) => (quality >= highest - QUALITY_TOLERANCE ? [rung] : []));
  if (costsUsd === undefined) return asGood[0];
  return asGood.reduce((cheapest, rung) => (costsUsd[rung] < costsUsd[cheapest] ? rung : cheapest));
}
