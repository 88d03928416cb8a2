import { PlimsollError } from '../../router/errors.ts';
import { assumptionsOf } from './assumptions.ts';
import { labelNeed } from './label-need.ts';
import { costOf, type DesignModel, rowsOfModels } from './models.ts';
import { curveOf, expectedOf, policyOf, savedOf, singleModels, wholeCostUsd } from './outcomes.ts';
import { estimateQualities } from './quality-estimates.ts';
import { findLadder, meanOverMix, type PricedMix, tasksOnLadder } from './search.ts';
import { sentenceOf } from './sentence.ts';
import type { Design, DesignOptions } from './types.ts';
import { drawWorlds, meanWorld, type World } from './worlds.ts';

const DRAWS = 400;
/** As many as costs are shown for. */
const REQUESTS = 1_000;
/** The gate's planning assumes it too: a policy that loses all of the margin is certified by no number of labels. */
const LOST_OF_MARGIN = 0.5;
/** With so small a part of the bill saved, labels and upkeep are not worth it. */
const LEAST_SAVED = 0.05;
/** A ladder that escalates less is its cheapest model. */
const LEAST_ESCALATED = 0.01;

/**
 * From a mix of requests, prices and a margin to a ladder, what routing on it would cost and lose, and how many labels it takes to prove it. Nothing is
 * called, and nothing is proved: the gate does that.
 * @throws PlimsollError `invalid-input`: a margin out of range, fewer than two models, an unknown strongest one; `insufficient-data`: nothing is known about a
 *   model, its price or the length of requests
 */
export function design(options: DesignOptions): Design {
  const { mix, models, margin, confidence = 0.95, priors, maxRungs = 2, draws = DRAWS, seed = 1 } = options;
  const requests = options.requests ?? mix.requests ?? REQUESTS;
  const agreement = Math.min(1, priors.agreement.mean);
  requireSensible(options);
  const rows = rowsOfModels(models, options.qualities, options.table);
  const estimates = estimateQualities(rows, priors.spread);
  const priced: PricedMix = {
    shares: mix.tasks.map(({ share }) => share),
    costUsd: mix.tasks.map((task) => models.map((model) => costOf(model, task, rows))),
  };
  const estimated = mix.tasks.map(({ task }) => models.map(({ name }) => estimates.of(name, task)));
  const worlds = drawWorlds(estimated, { ranking: priors.ranking, agreement }, draws, seed);
  const world = meanWorld(worlds, priors.ranking);
  const sampling = { requests, agreement };
  const forecast = { mix: priced, world, worlds, sampling };
  const singles = singleModels(models, forecast, strongestOf(options, priced, world));
  const { strongest } = singles;
  const target = LOST_OF_MARGIN * margin;
  const found = findLadder(priced, world, strongest, target, maxRungs);
  if (found === undefined) throw nothingCheaper(models, strongest, options.strongest !== undefined);
  const policy = policyOf(found, forecast, singles.hull, target);
  const labels = labelNeed({
    ladder: tasksOnLadder(priced, world, found.models),
    delta: world.delta,
    target,
    margin,
    confidence,
    agreement,
  });
  const saved = savedOf(policy.cost_usd, wholeCostUsd(found, priced));
  const ladder = found.models.map((model, rung) => ({
    candidate: candidateName(rung, found.models.length),
    model: models[model]!.name,
    share: found.point.shares[rung]!,
  }));
  const advice =
    saved.expected < LEAST_SAVED
      ? 'keep'
      : found.point.escalationRate < LEAST_ESCALATED
        ? 'one-model'
        : 'route';
  const facts = {
    advice,
    margin,
    confidence,
    strongest: models[strongest]!.name,
    ladder,
    policy,
    saved,
    labels,
  } as const;
  return {
    schema_version: 1,
    ...facts,
    requests,
    sentence: sentenceOf(facts),
    mix: {
      ...mix,
      tasks: mix.tasks.map(({ task, share, inputTokens = null, outputTokens = null }) => ({
        task,
        share,
        input_tokens: inputTokens,
        output_tokens: outputTokens,
      })),
    },
    single_models: singles.models,
    best_mix: singles.hull.map(({ cost, quality }) => ({ cost_usd: cost, quality })),
    curve: curveOf(found, forecast),
    qualities: mix.tasks.flatMap(({ task }, t) =>
      found.models.map((model) => ({
        task,
        model: models[model]!.name,
        quality: expectedOf(
          world.quality[t]![model]!,
          worlds.map(({ quality }) => quality[t]![model]!),
        ),
        n: estimated[t]![model]!.n,
        from: estimated[t]![model]!.from,
      })),
    ),
    assumptions: assumptionsOf({
      options,
      estimated: estimated.flat(),
      spread: estimates.spread,
      rows,
      requests,
    }),
  };
}

function requireSensible(options: DesignOptions): void {
  const { margin, models, strongest, mix, confidence = 0.95, requests = REQUESTS } = options;
  if (!(margin > 0 && margin < 1)) {
    throw invalid(
      'margin',
      `The margin is ${margin}. It must be above 0 and below 1, such as 0.02: the mean quality that may be lost.`,
    );
  }
  if (!(confidence >= 0.5 && confidence < 1))
    throw invalid('confidence', `The confidence is ${confidence}. It must be at least 0.5 and below 1.`);
  if (!(Number.isSafeInteger(requests) && requests >= 1))
    throw invalid(
      'requests',
      `The forecast is for ${requests} requests. It must be a whole number, 1 or more: how many requests its intervals are of.`,
    );
  const names = models.map(({ name }) => name);
  if (new Set(names).size < 2)
    throw invalid(
      'models',
      `A router takes two models or more to choose from, and there ${names.length === 1 ? `is one: ${names[0]}` : 'is none'}. Name them by --models a,b.`,
    );
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw invalid('models', `${twice} stands twice among the models.`);
  if (strongest !== undefined && !names.includes(strongest))
    throw invalid(
      'strong',
      `The strongest model is to be ${strongest}, which is not among the models: ${names.join(', ')}.`,
    );
  if (mix.tasks.length === 0) throw invalid('share', 'The mix has no task.');
}

function strongestOf({ models, strongest }: DesignOptions, mix: PricedMix, world: World): number {
  if (strongest !== undefined) return models.findIndex(({ name }) => name === strongest);
  const quality = meanOverMix(mix, world.quality);
  const costs = meanOverMix(mix, mix.costUsd);
  return models
    .map((_, model) => model)
    .reduce((best, one) => {
      const isBetter =
        quality[one]! > quality[best]! || (quality[one] === quality[best] && costs[one]! < costs[best]!);
      return isBetter ? one : best;
    });
}

/** `cheap` and `strong`; with a third rung `middle`. */
function candidateName(rung: number, rungs: number): string {
  return rung === 0 ? 'cheap' : rung === rungs - 1 ? 'strong' : 'middle';
}

function nothingCheaper(models: readonly DesignModel[], strongest: number, isNamed: boolean): PlimsollError {
  const { name } = models[strongest]!;
  return new PlimsollError(
    'insufficient-data',
    isNamed
      ? `Losses are to count against ${name} (--strong), and none of the models costs less on this mix: there is nothing to route to. Name a more expensive one by --strong, or leave it out.`
      : `${name} is expected to be the best of the models and none costs less on this mix: use it alone. If another one is to be the measure, name it by --strong.`,
  );
}

function invalid(field: string, message: string): PlimsollError {
  return new PlimsollError('invalid-input', message, { place: { field } });
}
