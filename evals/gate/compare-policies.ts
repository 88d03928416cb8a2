import { quantileSorted } from 'simple-statistics';
import type { Condition } from '../../router/artifact/index.ts';
import { escalationRate, scaledMeanBound, seededRandom } from '../../router/statistics/index.ts';
import type { Bounded, Measured, PolicyFigures } from './comparison.ts';
import { inOrder } from './conditions/subject.ts';
import { meanAtMost } from './judge.ts';
import { mean } from './mean.ts';
import { lossesOf, type Replay } from './replay.ts';

export interface ComparisonSettings {
  /** The seeded order in which the bounds take the cases. Shape [n] */
  readonly order: Uint32Array;
  /** How much worse the challenger may be and still take the champion's place, 0..1. */
  readonly tolerance: number;
  /** Of each one-sided bound, in [.5, 1). */
  readonly confidence: number;
}

const RESAMPLES = 1000;
const SEED = 1;
const differences = scaledMeanBound('betting', { low: -1, high: 1 });

/**
 * Compares two policies by what each makes of the same cases. Per case d = q(routed by champion) - q(routed by challenger), in
 * [-1, 1], and with one-sided betting bounds of its mean:
 *
 *   better: upper < 0; not-worse: upper <= tolerance; worse: lower > tolerance; else undecided
 *
 * Pairing takes out what makes a case hard for both; where the two route alike, d is 0. O(n), and 1,000 n where costs are known.
 *
 * @param sealed outcomes of the cases, n of at least 1
 * @param championRungs, challengerRungs where each policy sends each case. Shape [n]
 * @throws PlimsollError `invalid-input`: no cases, a confidence or a tolerance out of range
 * @see Waudby-Smith and Ramdas, arXiv 2010.09686 (the bounds; evals/bounds/betting.ts)
 */
export function comparePolicies(
  sealed: Pick<Replay, 'quality' | 'costUsd'>,
  championRungs: Int32Array,
  challengerRungs: Int32Array,
  { order, tolerance, confidence }: ComparisonSettings,
): Measured {
  const delta = 1 - confidence;
  const ofChampion = lossesOf(sealed, championRungs);
  const ofChallenger = lossesOf(sealed, challengerRungs);
  const drops = ofChallenger.map((loss, row) => loss - ofChampion[row]!);
  const qualityDrop = meanAtMost('not-worse-than-champion', inOrder(drops, order), tolerance, { delta });
  const escalated = Float64Array.from(
    challengerRungs,
    (rung, row) => Number(rung > 0) - Number(championRungs[row]! > 0),
  );
  const championCosts = costsOf(sealed, championRungs);
  const challengerCosts = costsOf(sealed, challengerRungs);
  return {
    result: resultOf(qualityDrop),
    quality_drop: qualityDrop,
    escalation_difference: bounded(inOrder(escalated, order), delta),
    cost_difference_usd: costDifference(championCosts, challengerCosts, confidence),
    champion: figuresOf(championRungs, inOrder(ofChampion, order), championCosts, delta),
    challenger: figuresOf(challengerRungs, inOrder(ofChallenger, order), challengerCosts, delta),
  };
}

function resultOf({ verdict, bounds: { upper } }: Condition): Measured['result'] {
  if (upper !== null && upper < 0) return 'better';
  if (verdict === 'PASS') return 'not-worse';
  return verdict === 'FAIL' ? 'worse' : 'undecided';
}

function figuresOf(
  rungs: Int32Array,
  losses: Float64Array,
  costs: Float64Array | undefined,
  delta: number,
): PolicyFigures {
  return {
    escalation_rate: escalationRate(rungs),
    quality_loss: bounded(losses, delta),
    cost_usd: costs === undefined ? null : mean(costs),
  };
}

function bounded(values: Float64Array, delta: number): Bounded {
  return {
    value: mean(values),
    lower: differences.lower(values, delta),
    upper: differences.upper(values, delta),
  };
}

function costsOf({ costUsd }: Pick<Replay, 'costUsd'>, rungs: Int32Array): Float64Array | undefined {
  if (costUsd.includes(undefined)) return undefined;
  return Float64Array.from(rungs, (rung, row) => costUsd[rung]![row]!);
}

/** Percentile bootstrap (Efron, Annals of Statistics 7, 1979): a case is drawn with both its costs. */
function costDifference(
  champion: Float64Array | undefined,
  challenger: Float64Array | undefined,
  level: number,
): Measured['cost_difference_usd'] {
  if (champion === undefined || challenger === undefined) return null;
  const paired = challenger.map((cost, row) => cost - champion[row]!);
  const random = seededRandom(SEED);
  const drawn = Array.from({ length: RESAMPLES }, () => {
    let total = 0;
    for (let i = 0; i < paired.length; i++) total += paired[Math.floor(random() * paired.length)]!;
    return total / paired.length;
  }).sort((a, b) => a - b);
  const tail = (1 - level) / 2;
  const [low, high] = [quantileSorted(drawn, tail), quantileSorted(drawn, 1 - tail)];
  return { value: mean(paired), low, high, level };
}
