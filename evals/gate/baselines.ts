import type { Encoder } from '../../router/encoders/index.ts';
import { type RoutingCurve, routingCurve } from '../../router/statistics/index.ts';
import type { BaselineRow, Curve } from '../../router/verdict-report/index.ts';
import { type Case, keyFraction } from '../cases/index.ts';
import { predictedLosses } from '../threshold/index.ts';
import { isCascade, withCheapCall } from './cascade-evidence.ts';
import { nearestNeighbourScores } from './nearest-neighbours.ts';
import { measureCurve, type PairedOutcomes, type Ranking, thinCurve } from './ranking.ts';
import type { Replay } from './replay.ts';

/** A score that the classifier is compared with. Its curve is thinned at once: whole, one of a million cases takes 24 MB. */
export interface Baseline {
  readonly name: string;
  readonly curve: Curve;
  readonly ranking: Ranking;
  /** At the policy's own share of escalations, and at both ends. */
  readonly points: { readonly cheap: Point; readonly policy: Point; readonly strong: Point };
}

type Point = Pick<BaselineRow, 'escalation_rate' | 'quality' | 'cost_usd'>;

/** What makes neighbours of texts; left out if the texts are not available. */
interface Embedded {
  readonly texts: readonly string[];
  readonly encoder: Encoder;
}

export const PROMPT_ALONE = 'prompt alone';
export const LOGPROB_ALONE = 'log-probability alone';

const FOLDS = 5;
const FOLDS_SEED = 1;
/** Every case is compared with every other: above this the neighbours are left out. */
const MOST_COMPARED = 20_000;

function measureBaseline(
  name: string,
  scores: ArrayLike<number>,
  outcomes: PairedOutcomes,
  rate: number,
): Baseline {
  const curve = routingCurve(scores, outcomes.cheapQuality, outcomes.strongQuality, outcomes);
  return {
    name,
    curve: thinCurve(name, curve),
    ranking: measureCurve(curve),
    points: { cheap: pointAt(curve, 0), policy: pointAt(curve, rate), strong: pointAt(curve, 1) },
  };
}

/**
 * The baselines on the gated cases. Task label and nearest neighbours learn from the other folds of the very same cases, and are left out
 * if no case names a task, or there are too few questions or too many cases.
 */
export async function measureBaselines(
  replay: Replay,
  outcomes: PairedOutcomes,
  rate: number,
  embedded?: Embedded,
): Promise<Baseline[]> {
  const folds = assignFolds(replay);
  const gains = oracleScores(outcomes);
  const lengths = Float64Array.from(replay.traits, ({ characters }) => characters);
  const byTask = folds && taskLabelScores(replay.traits, outcomes, folds);
  const byNeighbours = folds && embedded && (await neighbours(embedded, gains, folds));
  return [
    measureBaseline('random', new Float64Array(replay.n), outcomes, rate), // equal scores: the expectation over random orders
    measureBaseline('prompt length', lengths, outcomes, rate),
    ...(byTask ? [measureBaseline('task label', byTask, outcomes, rate)] : []),
    ...(byNeighbours ? [measureBaseline('nearest neighbours', byNeighbours, outcomes, rate)] : []),
    ...cascadeBaselines(replay, outcomes, rate),
    measureBaseline('oracle', gains, outcomes, rate),
  ];
}

/** What is simpler than a cascade along its paths: the prompt before any call; each reply of the cheapest model judged, none skipped; its log-probability with no judge. */
function cascadeBaselines(replay: Replay, outcomes: PairedOutcomes, rate: number): Baseline[] {
  if (!isCascade(replay)) return [];
  const { logprobs } = replay.cascade;
  const [replyLosses] = replay.cascade.replyLosses as [Float64Array];
  const bothPaid = withCheapCall(outcomes);
  // the surer the model, the later it escalates; what is not known escalates first
  const doubts = logprobs.map((logprob) => (Number.isNaN(logprob) ? Number.POSITIVE_INFINITY : -logprob));
  return [
    measureBaseline(PROMPT_ALONE, predictedLosses(replay.probabilities), outcomes, rate),
    measureBaseline('always verify', replyLosses, bothPaid, rate),
    ...(logprobs.every(Number.isNaN) ? [] : [measureBaseline(LOGPROB_ALONE, doubts, bothPaid, rate)]),
  ];
}

/** Always cheap and always strong, then each baseline at the policy's own share of escalations. */
export function baselineRows(baselines: readonly Baseline[]): BaselineRow[] {
  const [random] = baselines as [Baseline];
  const unranked = { apgr: null, cpt50: null, cpt80: null };
  return [
    { name: 'always cheap', ...random.points.cheap, ...unranked },
    { name: 'always strong', ...random.points.strong, ...unranked },
    ...baselines.map(({ name, points, ranking: { apgr, cpt50, cpt80 } }) => ({
      name,
      ...points.policy,
      apgr: apgr ?? null,
      cpt50: cpt50 ?? null,
      cpt80: cpt80 ?? null,
    })),
  ];
}

function pointAt({ shareEscalated, meanQuality, meanCostUsd }: RoutingCurve, rate: number): Point {
  const k = Math.round(rate * (shareEscalated.length - 1));
  return {
    escalation_rate: shareEscalated[k]!,
    quality: meanQuality[k]!,
    cost_usd: meanCostUsd?.[k] ?? null,
  };
}

/**
 * By a hash of the key, and another one than the split's, of which held-out cases share the upper end: cases of one question are in one fold,
 * whatever the other cases are. Undefined if only one is filled.
 */
function assignFolds({ traits }: Replay): Int32Array | undefined {
  const folds = Int32Array.from(traits, ({ key }) =>
    Math.floor(keyFraction(FOLDS_SEED, `fold ${key}`) * FOLDS),
  );
  return folds.some((fold) => fold !== folds[0]) ? folds : undefined;
}

async function neighbours(
  { texts, encoder }: Embedded,
  gains: Float64Array,
  folds: Int32Array,
): Promise<Float64Array | undefined> {
  if (texts.length > MOST_COMPARED) return undefined;
  const { dimension } = encoder.identity;
  const embeddings = new Float32Array(texts.length * dimension);
  for (const [row, text] of texts.entries()) embeddings.set(await encoder.embed(text), row * dimension);
  return nearestNeighbourScores(embeddings, dimension, gains, folds);
}

/** The longer the prompt, the sooner it is escalated: what people try before they train anything. */
export function promptLengthScores(cases: readonly Case[]): Float64Array {
  return Float64Array.from(cases, ({ text }) => text.length);
}

/** Escalates first what gains most. No router can rank better; it needs both replies. */
export function oracleScores({ cheapQuality, strongQuality }: PairedOutcomes): Float64Array {
  return strongQuality.map((quality, i) => quality - cheapQuality[i]!);
}

/**
 * The mean gain of a case's task over the cases of the other folds: a router that knows the task's name and nothing of the text.
 * A task that the other folds do not have gets the mean gain of all of them. Undefined if no case names a task.
 */
export function taskLabelScores(
  cases: readonly Pick<Case, 'task'>[],
  outcomes: PairedOutcomes,
  folds: Int32Array,
): Float64Array | undefined {
  if (!cases.some(({ task }) => task !== undefined)) return undefined;
  const gains = oracleScores(outcomes);
  const foldCount = folds.reduce((most, fold) => Math.max(most, fold), 0) + 1;
  const scores = new Float64Array(cases.length);
  for (let fold = 0; fold < foldCount; fold++) {
    const meanOf = meanGains(cases, gains, (row) => folds[row] !== fold);
    cases.forEach(({ task }, row) => {
      if (folds[row] === fold) scores[row] = meanOf(task);
    });
  }
  return scores;
}

function meanGains(
  cases: readonly Pick<Case, 'task'>[],
  gains: Float64Array,
  counts: (row: number) => boolean,
): (task: string | undefined) => number {
  const sums = new Map<string | undefined, { total: number; n: number }>();
  const all = { total: 0, n: 0 };
  cases.forEach(({ task }, row) => {
    if (!counts(row)) return;
    const ofTask = sums.get(task) ?? { total: 0, n: 0 };
    if (ofTask.n === 0) sums.set(task, ofTask);
    ofTask.total += gains[row]!;
    ofTask.n++;
    all.total += gains[row]!;
    all.n++;
  });
  return (task) => {
    const { total, n } = sums.get(task) ?? all;
    return total / n;
  };
}
