import { normalCdf } from '../../router/statistics/index.ts';
import { type RoutedPoint, routedAt, type TaskOnLadder, thresholdAtLoss } from './routing-model.ts';
import type { World } from './worlds.ts';

/** The mix with what each model costs: [task] and [task][model]. */
export interface PricedMix {
  readonly shares: readonly number[];
  readonly costUsd: readonly (readonly number[])[];
}

/** Means over the mix, by model. */
export function meanOverMix(
  { shares }: Pick<PricedMix, 'shares'>,
  values: readonly (readonly number[])[],
): number[] {
  const models = values[0]?.length ?? 0;
  return Array.from({ length: models }, (_, model) =>
    shares.reduce((sum, share, task) => sum + share * values[task]![model]!, 0),
  );
}

/**
 * The tasks of a world as a ladder meets them. Requests whose task the router does not recognise are one more, with the means of the whole mix.
 * @param ladder the places of its models, cheapest first
 */
export function tasksOnLadder(
  { shares, costUsd }: PricedMix,
  { quality, unrecognised }: Pick<World, 'quality' | 'unrecognised'>,
  ladder: readonly number[],
): TaskOnLadder[] {
  const onLadder = (values: readonly (readonly number[])[]) =>
    values.map((models) => ladder.map((model) => models[model]!));
  const [qualities, costs] = [onLadder(quality), onLadder(costUsd)];
  const recognised = shares.map((share, task) => ({
    share: share * (1 - unrecognised),
    quality: qualities[task]!,
    costUsd: costs[task]!,
  }));
  if (unrecognised === 0) return recognised;
  const pooled = {
    share: unrecognised,
    quality: meanOverMix({ shares }, qualities),
    costUsd: meanOverMix({ shares }, costs),
  };
  return [...recognised, pooled];
}

export interface FoundLadder {
  /** The places of its models, cheapest first. */
  readonly models: readonly number[];
  readonly point: RoutedPoint;
}

/** A third rung is one more model to keep, label and watch: it must be worth this part of the bill. */
const WORTH_A_RUNG = 0.05;

/**
 * The cheapest ladder of two or three rungs up to `strongest` whose mean quality loss is at most `target`. Three rungs only if they cost at least
 * 5 % less than the best two. Undefined if no model costs less than the strongest.
 */
export function findLadder(
  mix: PricedMix,
  world: World,
  strongest: number,
  target: number,
  maxRungs: 2 | 3,
): FoundLadder | undefined {
  const costs = meanOverMix(mix, mix.costUsd);
  const cheaper = costs
    .map((_, model) => model)
    .filter((model) => costs[model]! < costs[strongest]!)
    .sort((a, b) => costs[a]! - costs[b]! || a - b);
  const best = (ladders: readonly (readonly number[])[]) =>
    ladders
      .map((models) => ({ models, point: atLoss(tasksOnLadder(mix, world, models), world.delta, target) }))
      .reduce<FoundLadder | undefined>(
        (least, one) => (least === undefined || one.point.costUsd < least.point.costUsd ? one : least),
        undefined,
      );
  const two = best(cheaper.map((model) => [model, strongest]));
  if (maxRungs === 2) return two;
  const three = best(
    cheaper.flatMap((low, i) => cheaper.slice(i + 1).map((middle) => [low, middle, strongest])),
  );
  if (two === undefined || three === undefined) return two;
  return three.point.costUsd < (1 - WORTH_A_RUNG) * two.point.costUsd ? three : two;
}

/** Routing at the loosest threshold whose mean loss is at most `target`. */
export function atLoss(tasks: readonly TaskOnLadder[], delta: number, target: number): RoutedPoint {
  return routedAt(tasks, delta, thresholdAtLoss(tasks, delta, target));
}

/** APGR within a task of a router that ranks so. */
export function apgrOf(delta: number): number {
  return normalCdf(delta / Math.SQRT2);
}
