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
  /** By how many standard errors the mean of this many requests differs from what it is in the long run. */
  readonly chance: number;
}

/** A router that ranks worse than chance is not trained on; below this the closed form has no width. */
const LEAST_DELTA = 0.02;

/**
 * Worlds drawn from the estimates. The same seed gives the same worlds. What all models of a task share is drawn once for the task, so that
 * a task that is harder than expected is harder for each of them.
 * @param estimates [task][model]
 * @param agreement requests that a worse model alone gets right, as a part of what independent models would have, 0..1
 */
export function drawWorlds(
  estimates: readonly (readonly QualityEstimate[])[],
  { ranking, agreement }: { readonly ranking: RankingPrior; readonly agreement: number },
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
      const own = ownErrors(models, agreement, normal);
      return models.map(({ logOdds, sharedSd, ownSd }, i) =>
        logistic(logOdds + sharedSd * shared + ownSd * own[i]!),
      );
    }),
    chance: normal(),
  }));
}

/**
 * Standard normal errors of the models of one task. Models that were measured on equally many requests of the traffic are taken to have replied to the
 * same ones, so that their errors are as correlated as their successes: for log odds a <= b and the given agreement, (1 - agreement) exp((a - b) / 2).
 * In the order of the log odds that is an autoregression and independent noise.
 */
function ownErrors(
  models: readonly QualityEstimate[],
  agreement: number,
  normal: () => number,
): readonly number[] {
  const errors = models.map(() => 0);
  const order = [...models.keys()].sort(
    (a, b) => models[a]!.n - models[b]!.n || models[a]!.logOdds - models[b]!.logOdds,
  );
  let common = 0;
  for (const [place, i] of order.entries()) {
    const [one, before] = [models[i]!, models[order[place - 1]!]];
    const isSameRequests = before?.from === 'measured' && one.from === 'measured' && before.n === one.n;
    const carried = isSameRequests ? Math.exp((before.logOdds - one.logOdds) / 2) : 0;
    common = carried * common + Math.sqrt(1 - carried ** 2) * normal();
    errors[i] = Math.sqrt(1 - agreement) * common + Math.sqrt(agreement) * normal();
  }
  return errors;
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
    chance: 0,
  };
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
