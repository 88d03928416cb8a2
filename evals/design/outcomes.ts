import { type CostQualityPoint, convexHull, quantile } from '../../router/statistics/index.ts';
import { independentGains } from './label-need.ts';
import type { DesignModel } from './models.ts';
import { routedAt, routingCurveOf, type TaskOnLadder, thresholdAtRate } from './routing-model.ts';
import { atLoss, type FoundLadder, meanOverMix, type PricedMix, tasksOnLadder } from './search.ts';
import type { Design, DesignedModel, Expected } from './types.ts';
import type { World } from './worlds.ts';

const CURVE_POINTS = 21;
/** The band of the curve takes fewer worlds: each point of it is a search. */
const BAND_DRAWS = 100;

/** What the figures of a design are taken from. */
export interface Forecast {
  readonly mix: PricedMix;
  readonly world: World;
  readonly worlds: readonly World[];
  readonly sampling: Sampling;
}

/** Requests that a forecast is for. */
interface Sampling {
  readonly requests: number;
  /** Requests that a cheaper model alone gets right, as a part of what independent models would have. */
  readonly agreement: number;
}

/** Mean quality, and quality loss, of this many requests in a world, if a reply is right or wrong. */
function sampled(
  { quality, qualityLoss, gains }: { quality: number; qualityLoss: number; gains: number },
  chance: number,
  { requests, agreement }: Sampling,
) {
  const gained = agreement * gains;
  const squares = Math.max(0, qualityLoss + 2 * gained); // shares that do worse and better
  const error = (variance: number) => chance * Math.sqrt(Math.max(0, variance) / requests);
  return {
    quality: Math.min(1, Math.max(0, quality + error(quality * (1 - quality)))),
    qualityLoss: qualityLoss + error(squares - qualityLoss ** 2),
  };
}

/** Each model alone, and what mixing them at random reaches. */
export function singleModels(
  models: readonly DesignModel[],
  { mix, world, worlds, sampling }: Forecast,
  strongest: number,
) {
  const costs = meanOverMix(mix, mix.costUsd);
  const expected = meanOverMix(mix, world.quality);
  const drawn = worlds.map(({ quality, chance }) => {
    const means = meanOverMix(mix, quality);
    const gains = meanOverMix(
      mix,
      quality.map((of) => of.map((one, model) => (model === strongest ? 0 : one * (1 - of[strongest]!)))),
    );
    return means.map((one, model) =>
      sampled({ quality: one, qualityLoss: means[strongest]! - one, gains: gains[model]! }, chance, sampling),
    );
  });
  const designed = models.map(
    ({ name }, model): DesignedModel => ({
      model: name,
      quality: expectedOf(
        expected[model]!,
        drawn.map((one) => one[model]!.quality),
      ),
      quality_loss: expectedOf(
        expected[strongest]! - expected[model]!,
        drawn.map((one) => one[model]!.qualityLoss),
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
  { mix, worlds, sampling }: Forecast,
  hull: readonly CostQualityPoint[],
  target: number,
): Design['policy'] {
  const drawn = worlds.map((world) => ({ world, tasks: tasksOnLadder(mix, world, models) }));
  const proposed = drawn.map(({ world, tasks }) => atRate(tasks, world, point.escalationRate, sampling));
  const of = (value: 'quality' | 'qualityLoss') =>
    expectedOf(
      point[value],
      proposed.map((one) => one[value]),
    );
  return {
    escalation_rate: point.escalationRate,
    cost_usd: expectedOf(
      point.costUsd,
      drawn.map(({ world, tasks }) => atLoss(tasks, world.delta, target).costUsd),
    ),
    quality: of('quality'),
    quality_loss: of('qualityLoss'),
    above_best_mix: point.quality - heightOf(hull, point.costUsd),
  };
}

/** Quality and loss of this many requests of which a share is escalated. */
function atRate(
  tasks: readonly TaskOnLadder[],
  { delta, chance }: World,
  escalationRate: number,
  sampling: Sampling,
) {
  const threshold = thresholdAtRate(tasks, delta, escalationRate);
  const gains = independentGains(tasks, delta, threshold);
  return sampled({ ...routedAt(tasks, delta, threshold), gains }, chance, sampling);
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
  { mix, world, worlds, sampling }: Forecast,
): Design['curve'] {
  const drawn = worlds
    .slice(0, BAND_DRAWS)
    .map((one) => ({ world: one, tasks: tasksOnLadder(mix, one, models) }));
  const central = routingCurveOf(tasksOnLadder(mix, world, models), world.delta, CURVE_POINTS);
  return central.map(({ escalationRate, costUsd, quality }) => ({
    escalation_rate: escalationRate,
    cost_usd: costUsd,
    quality: expectedOf(
      quality,
      drawn.map(({ world: one, tasks }) => atRate(tasks, one, escalationRate, sampling).quality),
    ),
  }));
}

/** With the ends between which 95 % of the draws lie. */
export function expectedOf(expected: number, drawn: readonly number[]): Expected {
  return { expected, low: quantile(drawn, 0.025), high: quantile(drawn, 0.975) };
}

/** The quality of the best mix at a cost; constant above the last corner of the hull. */
function heightOf(hull: readonly CostQualityPoint[], cost: number): number {
  const after = hull.findIndex((corner) => corner.cost > cost);
  if (after === -1) return hull.at(-1)!.quality;
  if (after === 0) return hull[0]!.quality;
  const [from, to] = [hull[after - 1]!, hull[after]!];
  return from.quality + ((to.quality - from.quality) * (cost - from.cost)) / (to.cost - from.cost);
}
