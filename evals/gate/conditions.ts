import type { Condition } from '../../router/artifact/index.ts';
import {
  calibrationErrorBounds,
  countEscalated,
  excessOverRandom,
  expectedCalibrationError,
  pairedExcess,
} from '../../router/statistics/index.ts';
import type { FlipCount } from './flips.ts';
import { atMost, meanAboveZero, rateWithin } from './judge.ts';
import { countByTier } from './slices.ts';
import { errorProbability, type Subject } from './subject.ts';

/**
 * What is judged once, at the threshold that the walk reached. On the cases that chose the threshold this describes the policy and proves
 * nothing; on other cases it is proved.
 */
export function conditionsJudgedOnce(subject: Subject, flips: readonly FlipCount[]): Condition[] {
  return [
    escalationRateCondition(subject),
    ...beatsRandomCondition(subject),
    ...keptCheapCondition(subject),
    ...flipRateConditions(subject, flips),
    ...calibrationConditions(subject),
  ];
}

/** The share above the cheapest rung lies inside the band: a router that sends all to one side has collapsed. */
export function escalationRateCondition(subject: Subject): Condition {
  const { rungs, suite, below, threshold } = subject;
  const [escalated, n] =
    below === undefined
      ? [countEscalated(rungs), rungs.length]
      : [Math.round(below.escalated(threshold) * below.pool), below.pool];
  // two bounds must hold at once: half of delta for each
  const delta = errorProbability(subject) / 2;
  const band = rateWithin('escalation-rate', escalated, n, suite.escalation_rate, delta);
  return { ...band, proof: 'none', ...(below && { note: 'of the pool that the labels were drawn from' }) };
}

/** Better than escalating the same share at random: the bound is over pairs of cases, the value over all. */
export function beatsRandomCondition(subject: Subject): Condition[] {
  const { suite, labelled, below } = subject;
  // with labels for a part alone nobody knows what escalating the rest gains
  if (!suite.beats_random || below !== undefined) return [];
  const { quality, n } = labelled.replay;
  const pairs = n === 0 ? undefined : pairedExcess(quality, labelled.rungs);
  const condition = meanAboveZero('beats-random', pairs ?? new Float64Array(), errorProbability(subject));
  const { further_cases: pairsMore, ...rest } = condition;
  return [
    {
      ...rest,
      n,
      value: condition.value === null ? null : excessOverRandom(quality, labelled.rungs),
      proof: 'none',
      ...(pairsMore !== undefined && { further_cases: 2 * pairsMore }),
      note: `bounds from ${pairs?.length ?? 0} pairs of cases; value: quality above a random choice of the same share`,
    },
  ];
}

/** What looks hard and is easy stays cheap. */
export function keptCheapCondition({ suite, hard, hardRungs }: Subject): Condition[] {
  const min = suite.hard_cases?.min_kept_cheap;
  if (min === undefined || hard === undefined) return [];
  const cheap = countByTier(hard.cases, hardRungs ?? [], 'cheap');
  const delta = errorProbability({ suite });
  const kept = rateWithin('hard-cases/kept-cheap', cheap.n - cheap.escalated, cheap.n, { min }, delta);
  return [{ ...kept, proof: 'other-cases' }];
}

/** No kind of harmless edit changes many decisions. */
export function flipRateConditions(subject: Subject, flips: readonly FlipCount[]): Condition[] {
  const limit = subject.suite.flip_rate;
  if (limit === undefined) return [];
  const maxOf = (edit: string) => (edit === 'paraphrase' ? (limit.max_paraphrase ?? limit.max) : limit.max);
  const delta = errorProbability(subject);
  return flips.map(({ edit, n, flipped }) => ({
    ...rateWithin(`flip-rate/${edit}`, flipped, n, { max: maxOf(edit) }, delta),
    proof: edit === 'paraphrase' ? 'other-cases' : 'none',
  }));
}

/**
 * Each head's probabilities come true: the expected calibration error is at most the limit. Its bounds add up those of the bins' mean
 * labels, each at delta / 10, so that all hold at once (Bonferroni): wide, and valid at any n.
 */
export function calibrationConditions(subject: Subject): Condition[] {
  const { suite, labelled, candidates } = subject;
  const { replay } = labelled;
  const max = suite.max_ece;
  if (max === undefined || replay.n === 0) return [];
  return candidates.map((candidate, rung) => {
    const probabilities = replay.probabilities[rung]!;
    const labels = replay.quality[rung]!;
    const bounds = calibrationErrorBounds(probabilities, labels, errorProbability(subject));
    return {
      name: `calibration/${candidate}`,
      verdict: atMost(bounds, max),
      value: expectedCalibrationError(probabilities, labels),
      bounds,
      limits: { max },
      confidence: suite.confidence,
      method: 'betting, each bin',
      n: replay.n,
      proof: 'none',
    };
  });
}
