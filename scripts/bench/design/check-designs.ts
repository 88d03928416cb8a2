import {
  type Design,
  design,
  mixOfShares,
  type QualityRow,
  readPriors,
  tasksOf,
} from '../../../evals/design/index.ts';
import { deltaOfLook } from '../../../evals/gate/index.ts';
import { rungsAt } from '../../../evals/threshold/index.ts';
import { estimateTokens } from '../../../router/catalog/index.ts';
import {
  clopperPearsonInterval,
  differenceBound,
  mean,
  seededRandom,
} from '../../../router/statistics/index.ts';
import type { ScoredSet } from './scored-set.ts';

/** Over all resamples: the mean of what was stated and of the truth, and in how many the statement held. */
export interface Checked {
  readonly stated: number;
  readonly truth: number;
  readonly held: number;
  readonly of: number;
  /** 95 %, Clopper and Pearson. Resamples of one set are not independent: a description. */
  readonly interval: { readonly low: number; readonly high: number };
}

export interface DesignCheck {
  readonly set: string;
  readonly n: number;
  /** How often each was proposed. */
  readonly ladders: Readonly<Record<string, number>>;
  readonly figures: Readonly<Record<string, Checked>>;
}

interface Settings {
  readonly resamples: number;
  readonly margin: number;
  readonly rungs: number;
  readonly seed: number;
}

/** A set whose outcomes have no costs: list prices by size as hosts of open models had them, US dollars a million tokens, and a reply's length. */
const OPEN_PRICES: Readonly<Record<string, number>> = {
  'qwen2.5-7b-instruct': 0.3,
  'llama-3.1-8b-instruct': 0.18,
  'mistral-7b-instruct-v0.3': 0.2,
  'gemma-2-9b-it': 0.3,
  'llama-3.3-nemotron-super-49b-v1': 0.8,
  'llama-3.1-nemotron-51b-instruct': 0.9,
};
const ASSUMED_REPLY = 200;
const COST_TOLERANCE = 0.15;

/**
 * Designs from one half of a set (qualities by task and model) and the other half's shares by task and size, each compared with routing that other half: at
 * the proposed share by scores of routers that saw none of it.
 */
export function checkDesigns(set: ScoredSet, { resamples, margin, rungs, seed }: Settings): DesignCheck {
  const priors = readPriors(undefined, [set.set]);
  const costs = costsOf(set);
  const random = seededRandom(seed);
  const rows: Compared[] = [];
  const ladders: Record<string, number> = {};
  for (let resample = 0; resample < resamples; resample++) {
    const { seen, held } = halves(set, random);
    const shares = [...countTasks(set, held)]
      .map(([task, count]) => `${task}=${count / held.length}`)
      .join(',');
    const qualities = qualitiesOn(set, costs, seen);
    const found = design({
      mix: mixOfShares(shares, undefined, tasksOf(qualities)),
      models: set.models.map((name) => ({ name })),
      qualities,
      table: 'the other half',
      margin,
      requests: held.length,
      maxRungs: rungs === 3 ? 3 : 2,
      priors,
    });
    const name = found.ladder.map(({ model }) => model).join(' -> ');
    ladders[name] = (ladders[name] ?? 0) + 1;
    rows.push(compare(set, costs, { seen, held }, found, random));
  }
  return { set: set.set, n: set.cases.length, ladders, figures: figuresOf(rows) };
}

interface Pair {
  readonly stated: number;
  readonly truth: number;
  readonly holds: boolean;
}
type Compared = Readonly<Record<string, Pair>>;

interface Halves {
  readonly seen: readonly number[];
  readonly held: readonly number[];
}

function compare(
  set: ScoredSet,
  costs: readonly Float64Array[],
  { seen, held }: Halves,
  found: Design,
  random: () => number,
): Compared {
  const { ladder, policy, saved, labels, margin, confidence } = found;
  const places = ladder.map(({ model }) => set.models.indexOf(model));
  const truth = routed(set, costs, places, held, thresholdAtShare(set, places, held, policy.escalation_rate));
  const gated = routed(set, costs, places, held, thresholdAtLoss(set, costs, places, seen, margin / 2));
  const whole = mean(held.map((row) => costs[places.at(-1)!]![row]!));
  const inside = ({ low, high }: { low: number; high: number }, value: number) =>
    low <= value && value <= high;
  const near = (stated: number, value: number) => Math.abs(stated / value - 1) <= COST_TOLERANCE;
  const trueSaving = 1 - gated.costUsd / whole;
  const sealed = labels.sealed ?? 0;
  const drawn = Float64Array.from(
    { length: sealed },
    () => truth.losses[Math.floor(random() * held.length)]!,
  );
  const certified = sealed > 0 ? differenceBound.upper(drawn, deltaOfLook(1, confidence)) : 1;
  return {
    'cost of 1,000, within 15 %': {
      stated: 1000 * policy.cost_usd.expected,
      truth: 1000 * truth.costUsd,
      holds: near(policy.cost_usd.expected, truth.costUsd),
    },
    'quality, inside its interval': {
      stated: policy.quality.expected,
      truth: truth.quality,
      holds: inside(policy.quality, truth.quality),
    },
    'quality loss, inside its interval': {
      stated: policy.quality_loss.expected,
      truth: mean(truth.losses),
      holds: inside(policy.quality_loss, mean(truth.losses)),
    },
    'saved at half the margin, inside its interval': {
      stated: saved.expected,
      truth: trueSaving,
      holds: inside(saved, trueSaving),
    },
    'cost at half the margin, within 15 %': {
      stated: 1000 * (1 - saved.expected) * whole,
      truth: 1000 * gated.costUsd,
      holds: near((1 - saved.expected) * whole, gated.costUsd),
    },
    'sealed labels that were planned, certify the margin': {
      stated: sealed,
      truth: certified,
      holds: certified <= margin,
    },
  };
}

function figuresOf(rows: readonly Compared[]): Record<string, Checked> {
  const names = Object.keys(rows[0] ?? {});
  return Object.fromEntries(
    names.map((name) => {
      const those = rows.map((row) => row[name]!);
      const held = those.filter(({ holds }) => holds).length;
      const { low, high } = clopperPearsonInterval(held, those.length, 0.05);
      return [
        name,
        {
          stated: mean(those.map(({ stated }) => stated)),
          truth: mean(those.map(({ truth }) => truth)),
          held,
          of: those.length,
          interval: { low, high },
        },
      ];
    }),
  );
}

/** Questions are drawn, so that no question is in both halves. */
function halves({ cases }: ScoredSet, random: () => number): Halves {
  const side = new Map<string, boolean>();
  const [seen, held]: [number[], number[]] = [[], []];
  for (const [row, { key }] of cases.entries()) {
    const isSeen = side.get(key) ?? random() < 0.5;
    side.set(key, isSeen);
    (isSeen ? seen : held).push(row);
  }
  return { seen, held };
}

/** [model][case], US dollars: as measured, else by price and estimated tokens. */
function costsOf({ models, cases }: ScoredSet): Float64Array[] {
  const tokens = cases.map(({ text }) => estimateTokens(text) + ASSUMED_REPLY);
  return models.map((model) =>
    Float64Array.from(cases, ({ outcomes }, row) => {
      const measured = outcomes.get(model)?.costUsd;
      return measured ?? (tokens[row]! * OPEN_PRICES[model]!) / 1e6;
    }),
  );
}

function countTasks({ cases }: ScoredSet, rows: readonly number[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows) {
    const task = cases[row]!.task ?? 'other';
    counts.set(task, (counts.get(task) ?? 0) + 1);
  }
  return counts;
}

/** The table that the design gets: means over one half. */
function qualitiesOn(set: ScoredSet, costs: readonly Float64Array[], rows: readonly number[]): QualityRow[] {
  return [...countTasks(set, rows).keys()].flatMap((task) => {
    const those = rows.filter((row) => (set.cases[row]!.task ?? 'other') === task);
    return set.models.map((model, place) => ({
      model,
      task,
      quality: mean(those.map((row) => set.quality[place]![row]!)),
      n: those.length,
      costUsd: mean(those.map((row) => costs[place]![row]!)),
    }));
  });
}

/** Predicted loss of the cheapest rung, largest first. */
function lossesOfCheapest(
  { probabilities }: ScoredSet,
  places: readonly number[],
  rows: readonly number[],
): Float64Array {
  const [cheap, strong] = [probabilities[places[0]!]!, probabilities[places.at(-1)!]!];
  return Float64Array.from(rows, (row) => strong[row]! - cheap[row]!)
    .sort()
    .reverse();
}

/** The threshold at which this share of the rows leaves the cheapest rung. */
function thresholdAtShare(
  set: ScoredSet,
  places: readonly number[],
  rows: readonly number[],
  share: number,
): number {
  const losses = lossesOfCheapest(set, places, rows);
  const escalated = Math.round(share * losses.length);
  return losses[escalated] ?? losses.at(-1)! - 1e-9;
}

/** The loosest threshold whose mean loss on the rows is within the target: a plain estimate, as a router would be set without a gate. */
function thresholdAtLoss(
  set: ScoredSet,
  costs: readonly Float64Array[],
  places: readonly number[],
  rows: readonly number[],
  target: number,
): number {
  const losses = lossesOfCheapest(set, places, rows);
  let found = losses.at(-1)! - 1e-9;
  for (let step = 0; step <= 100; step++) {
    const threshold = losses[Math.min(losses.length - 1, Math.round((step / 100) * losses.length))]!;
    if (mean(routed(set, costs, places, rows, threshold).losses) <= target) return threshold;
    found = threshold;
  }
  return found;
}

function routed(
  set: ScoredSet,
  costs: readonly Float64Array[],
  places: readonly number[],
  rows: readonly number[],
  threshold: number,
) {
  const chosen = rungsAt(
    places.map((place) => Float64Array.from(rows, (row) => set.probabilities[place]![row]!)),
    threshold,
  );
  const place = (i: number) => places[chosen[i]!]!;
  const strongest = set.quality[places.at(-1)!]!;
  const qualities = rows.map((row, i) => set.quality[place(i)]![row]!);
  return {
    quality: mean(qualities),
    qualities,
    costUsd: mean(rows.map((row, i) => costs[place(i)]![row]!)),
    losses: rows.map((row, i) => strongest[row]! - set.quality[place(i)]![row]!),
  };
}
