import { type CostQualityPoint, convexHull, quantile } from '../../router/statistics/index.ts';
import type { DesignModel } from './models.ts';
import { routedAt, routingCurveOf, thresholdAtRate } from './routing-model.ts';
import { atLoss, type FoundLadder, meanOverMix, type PricedMix, tasksOnLadder } from './search.ts';
import type { Design, DesignedModel, Expected } from './types.ts';
import type { World } from './worlds.ts';

const CURVE_POINTS = 21;
/** The band of the curve takes fewer worlds: each point of it is a search. */
const BAND_DRAWS = 100;

/** Each model alone, and what mixing them at random reaches. */
export function singleModels(
  models: readonly DesignModel[],
  mix: PricedMix,
  world: World,
  worlds: readonly World[],
  strongest: number,
) {
  const costs = meanOverMix(mix, mix.costUsd);
  const expected = meanOverMix(mix, world.quality);
  const drawn = worlds.map(({ quality }) => meanOverMix(mix, quality));
  const designed = models.map(
    ({ name }, model): DesignedModel => ({
      model: name,
      quality: expectedOf(
        expected[model]!,
        drawn.map((one) => one[model]!),
      ),
      quality_loss: expectedOf(
        expected[strongest]! - expected[model]!,
        drawn.map((one) => one[strongest]! - one[model]!),
      ),
      cost_usd: costs[model]!,
    }),
  );
  return {
    strongest,
    models: designed.sort((a, b) => a.cost_usd - b.cost_usd),
    hull: convexHull(costs, expected),
  };
}

/**
 * The policy as proposed. Its quality and loss in each world are at the proposed share of escalations; what it costs is as the gate would leave it, whose
 * threshold follows the world so that `target` is lost.
 */
export function policyOf(
  { models, point }: FoundLadder,
  mix: PricedMix,
  worlds: readonly World[],
  hull: readonly CostQualityPoint[],
  target: number,
): Design['policy'] {
  const drawn = worlds.map(({ delta, ...world }) => ({ delta, tasks: tasksOnLadder(mix, world, models) }));
  const proposed = drawn.map(({ delta, tasks }) =>
    routedAt(tasks, delta, thresholdAtRate(tasks, delta, point.escalationRate)),
  );
  const of = (value: 'quality' | 'qualityLoss') =>
    expectedOf(
      point[value],
      proposed.map((one) => one[value]),
    );
  return {
    escalation_rate: point.escalationRate,
    cost_usd: expectedOf(
      point.costUsd,
      drawn.map(({ delta, tasks }) => atLoss(tasks, delta, target).costUsd),
    ),
    quality: of('quality'),
    quality_loss: of('qualityLoss'),
    above_best_mix: point.quality - heightOf(hull, point.costUsd),
  };
}

/** Mean US dollars of a request if the model at the top of the ladder replies to all. */
export function wholeCostUsd({ models }: FoundLadder, mix: PricedMix): number {
  return meanOverMix(mix, mix.costUsd)[models.at(-1)!]!;
}

/** The other side of the cost, world for world: the dearest end of one is the least that is saved. */
export function savedOf({ expected, low, high }: Expected, wholeUsd: number): Expected {
  const saved = (costUsd: number) => 1 - costUsd / wholeUsd;
  return { expected: saved(expected), low: saved(high), high: saved(low) };
}

/** From everything escalated to nothing. */
export function curveOf(
  { models }: FoundLadder,
  mix: PricedMix,
  world: World,
  worlds: readonly World[],
): Design['curve'] {
  const drawn = worlds
    .slice(0, BAND_DRAWS)
    .map((one) => ({ delta: one.delta, tasks: tasksOnLadder(mix, one, models) }));
  const central = routingCurveOf(tasksOnLadder(mix, world, models), world.delta, CURVE_POINTS);
  return central.map(({ escalationRate, costUsd, quality }) => ({
    escalation_rate: escalationRate,
    cost_usd: costUsd,
    quality: expectedOf(
      quality,
      drawn.map(
        ({ delta, tasks }) => routedAt(tasks, delta, thresholdAtRate(tasks, delta, escalationRate)).quality,
      ),
    ),
  }));
}

/** With the ends between which 95 % of the draws lie. */
export function expectedOf(expected: number, drawn: readonly number[]): Expected {
  return { expected, low: quantile(drawn, 0.025), high: quantile(drawn, 0.975) };
}

/** Of the best mix at a cost: flat above its last corner. */
function heightOf(hull: readonly CostQualityPoint[], cost: number): number {
  const after = hull.findIndex((corner) => corner.cost > cost);
  if (after === -1) return hull.at(-1)!.quality;
  if (after === 0) return hull[0]!.quality;
  const [from, to] = [hull[after - 1]!, hull[after]!];
  return from.quality + ((to.quality - from.quality) * (cost - from.cost)) / (to.cost - from.cost);
}
