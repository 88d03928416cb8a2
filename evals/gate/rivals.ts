import type { Encoder } from '../../router/encoders/index.ts';
import { type RoutingCurve, routingCurve } from '../../router/statistics/index.ts';
import { keyFraction } from '../cases/index.ts';
import { type PairedOutcomes, type Ranking, rankingOfCurve } from './assessment.ts';
import { oracleScores, taskLabelScores } from './baseline-scores.ts';
import { thinned } from './curve-points.ts';
import type { Baseline, Curve } from './evidence.ts';
import { nearestNeighbourScores } from './nearest-neighbours.ts';
import type { Replay } from './replay.ts';

/** A score that the classifier is compared with. Its curve is thinned at once: whole, one of a million cases takes 24 MB. */
export interface Rival {
  readonly name: string;
  readonly curve: Curve;
  readonly ranking: Ranking;
  /** At the policy's own share of escalations, and at both ends. */
  readonly points: { readonly cheap: Point; readonly policy: Point; readonly strong: Point };
}

type Point = Pick<Baseline, 'escalation_rate' | 'quality' | 'cost_usd'>;

/** What makes neighbours of texts; left out where the texts are not at hand. */
export interface Embedded {
  readonly texts: readonly string[];
  readonly encoder: Encoder;
}

const FOLDS = 5;
/** Every case is compared with every other: above this the neighbours are left out. */
const MOST_COMPARED = 20_000;

function rival(name: string, scores: ArrayLike<number>, outcomes: PairedOutcomes, rate: number): Rival {
  const curve = routingCurve(scores, outcomes.cheapQuality, outcomes.strongQuality, outcomes);
  return {
    name,
    curve: thinned(name, curve),
    ranking: rankingOfCurve(curve),
    points: { cheap: pointAt(curve, 0), policy: pointAt(curve, rate), strong: pointAt(curve, 1) },
  };
}

/**
 * The baselines on the gated cases. Task label and nearest neighbours learn from the other folds of the very same cases, and are left out
 * where no case names a task, or there are too few questions or too many cases.
 */
export async function rivalsOf(
  replay: Replay,
  outcomes: PairedOutcomes,
  rate: number,
  seed: number,
  embedded?: Embedded,
): Promise<Rival[]> {
  const folds = foldsOf(replay, seed);
  const gains = oracleScores(outcomes);
  const lengths = Float64Array.from(replay.traits, ({ characters }) => characters);
  const byTask = folds && taskLabelScores(replay.traits, outcomes, folds);
  const byNeighbours = folds && embedded && (await neighbours(embedded, gains, folds));
  return [
    rival('random', new Float64Array(replay.n), outcomes, rate), // equal scores: the expectation over random orders
    rival('prompt length', lengths, outcomes, rate),
    ...(byTask ? [rival('task label', byTask, outcomes, rate)] : []),
    ...(byNeighbours ? [rival('nearest neighbours', byNeighbours, outcomes, rate)] : []),
    rival('oracle', gains, outcomes, rate),
  ];
}

/** Always cheap and always strong, then each rival at the policy's own share of escalations. */
export function baselinesOf(rivals: readonly Rival[]): Baseline[] {
  const [random] = rivals as [Rival];
  const unranked = { apgr: null, cpt50: null, cpt80: null };
  return [
    { name: 'always cheap', ...random.points.cheap, ...unranked },
    { name: 'always strong', ...random.points.strong, ...unranked },
    ...rivals.map(({ name, points, ranking: { apgr, cpt50, cpt80 } }) => ({
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
 * By a hash of the key, and another one than the split's, of which sealed cases share the upper end: cases of one question are in one fold,
 * whatever the other cases are. Undefined where only one is filled.
 */
function foldsOf({ traits }: Replay, seed: number): Int32Array | undefined {
  const folds = Int32Array.from(traits, ({ key }) => Math.floor(keyFraction(seed, `fold ${key}`) * FOLDS));
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
