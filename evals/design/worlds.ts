import { normalQuantile, seededRandom } from '../../router/statistics/index.ts';
import type { QualityEstimate } from './quality-estimates.ts';

/** How well routers rank, as it varies between pairs of models and data sets: normal distributions. */
export interface RankingPrior {
  /** Within a task: delta of `routedAt`. */
  readonly delta: Normal;
  /** Between tasks: the share of requests whose task the router does not recognise, 0..1. */
  readonly unrecognised: Normal;
}

interface Normal {
  readonly mean: number;
  readonly sd: number;
}

/** One way in which things may be: a quality for each task and model, and how well requests are ranked. */
export interface World {
  readonly delta: number;
  /** Share of requests whose task the router does not recognise, 0..1. */
  readonly unrecognised: number;
  /** [task][model] */
  readonly quality: readonly (readonly number[])[];
}

/** A router that ranks worse than chance is not trained on; below this the closed form has no width. */
const LEAST_DELTA = 0.02;

/**
 * Worlds drawn from the estimates. The same seed gives the same worlds. What all models of a task share is drawn once for the task, so that
 * a task that is harder than expected is harder for each of them.
 * @param estimates [task][model]
 */
export function drawWorlds(
  estimates: readonly (readonly QualityEstimate[])[],
  ranking: RankingPrior,
  count: number,
  seed: number,
): readonly World[] {
  const random = seededRandom(seed);
  // The middle of the interval of 2^-32 that was drawn: never 0.
  const normal = () => normalQuantile(random() + 2 ** -33);
  return Array.from({ length: count }, () => ({
    ...rankingAt(ranking, normal(), normal()),
    quality: estimates.map((models) => {
      const shared = normal();
      return models.map(({ logOdds, sharedSd, ownSd }) =>
        logistic(logOdds + sharedSd * shared + ownSd * normal()),
      );
    }),
  }));
}

/** @param ofDelta, ofUnrecognised standard deviations from the means */
function rankingAt({ delta, unrecognised }: RankingPrior, ofDelta: number, ofUnrecognised: number) {
  return {
    delta: Math.max(LEAST_DELTA, delta.mean + ofDelta * delta.sd),
    unrecognised: Math.min(1, Math.max(0, unrecognised.mean + ofUnrecognised * unrecognised.sd)),
  };
}

/** The mean of the worlds' qualities, and the ranking that is expected. */
export function meanWorld(worlds: readonly World[], ranking: RankingPrior): World {
  const [first] = worlds as readonly [World, ...World[]];
  return {
    ...rankingAt(ranking, 0, 0),
    quality: first.quality.map((models, task) =>
      models.map(
        (_, model) => worlds.reduce((sum, one) => sum + one.quality[task]![model]!, 0) / worlds.length,
      ),
    ),
  };
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
