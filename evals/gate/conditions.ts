import type { Condition } from '../../router/artifact/index.ts';
import {
  calibrationErrorBounds,
  countEscalated,
  excessOverMix,
  excessOverMixInterval,
  excessOverRandom,
  expectedCalibrationError,
  type LadderOutcomes,
  pairedExcess,
} from '../../router/statistics/index.ts';
import { amountsAt } from '../threshold/index.ts';
import type { FlipCount } from './flips.ts';
import { atMost, enclosing, meanAboveZero, rateWithin, unmeasured } from './judge.ts';
import { countByTier } from './slices.ts';
import { errorProbability, type Subject, unknownHardReplies } from './subject.ts';

/**
 * What is judged once, at the threshold that the walk reached. On the cases that chose the threshold this describes the policy and proves
 * nothing; on other cases it is proved.
 */
export function conditionsJudgedOnce(subject: Subject, flips: readonly FlipCount[]): Condition[] {
  return [
    ...escalationRateConditions(subject),
    ...beatsRandomCondition(subject),
    ...keptCheapCondition(subject),
    ...flipRateConditions(subject, flips),
    ...calibrationConditions(subject),
  ];
}

/**
 * The shares lie inside the band: a router that sends all to one side has collapsed, or costs too much. With more than two rungs `min`
 * speaks of what goes above the cheapest rung and `max` of what goes to the strongest: what a middle rung gets counts for the one and not
 * against the other.
 */
export function escalationRateConditions(subject: Subject): Condition[] {
  const { rungs, suite, candidates, below, threshold } = subject;
  const { min, max } = suite.escalation_rate;
  const strongest = candidates.length - 1;
  // of a pool it is known from scores alone what goes to the strongest rung
  const [onStrongest, n] =
    below === undefined
      ? [rungs.reduce((count, rung) => count + Number(rung === strongest), 0), rungs.length]
      : [Math.round(below.escalated(threshold) * below.pool), below.pool];
  // two bounds must hold at once: half of delta for each
  const delta = errorProbability(subject) / 2;
  const pool = below && 'of the pool that the labels were drawn from';
  if (candidates.length === 2) {
    const band = rateWithin('escalation-rate', onStrongest, n, { min, max }, delta);
    const notes = [pool, beyondLimit(band), band.note].filter((note) => note !== undefined);
    return [{ ...band, proof: 'none', ...(notes.length > 0 && { note: notes.join('; ') }) }];
  }
  const toStrongest = `cases on ${candidates[strongest]}, the strongest rung`;
  return [
    aboveCheapest(subject, delta),
    {
      ...rateWithin('escalation-rate/strongest', onStrongest, n, { max }, delta),
      proof: 'none',
      note: `counted: ${pool ? `${toStrongest}, ${pool}` : toStrongest}`,
    },
  ];
}

/** Why a share within its limits may be undecided. */
function beyondLimit({
  verdict,
  bounds: { lower, upper },
  limits: { min, max },
}: Condition): string | undefined {
  if (verdict !== 'INCONCLUSIVE') return undefined;
  if (upper !== null && max !== undefined && upper > max) return 'its bounds reach above the upper limit';
  return lower !== null && min !== undefined && lower < min
    ? 'its bounds reach below the lower limit'
    : undefined;
}

/** Whether the middle rungs of a ladder have not collapsed to the cheapest. */
function aboveCheapest({ rungs, suite, candidates, below }: Subject, delta: number): Condition {
  const n = rungs.length;
  // what is not below the limit of the labels goes to the strongest rung
  const share = below?.share.value ?? 1;
  const escalated = n - Math.round(share * (n - countEscalated(rungs)));
  return {
    ...rateWithin('escalation-rate/above-cheapest', escalated, n, { min: suite.escalation_rate.min }, delta),
    proof: 'none',
    note: `counted: cases above ${candidates[0]}, the cheapest rung`,
  };
}

/** Better than what needs no router: with more than two rungs and known costs a mix of the single models, else decisions dealt at random. */
export function beatsRandomCondition(subject: Subject): Condition[] {
  // with labels for a part alone nobody knows what escalating the rest gains
  if (!subject.suite.beats_random || subject.below !== undefined) return [];
  if (subject.labelled.replay.n < subject.heldOut.n) return [beatsRandomWithGaps(subject)];
  const { quality, costUsd, n, cascade } = subject.labelled.replay;
  if (quality.length === 2 || n === 0 || costUsd.includes(undefined)) return [beatsRandomChoice(subject)];
  const ownUsd = costUsd as Float64Array[];
  const servedUsd = amountsAt(ownUsd, subject.threshold, cascade);
  return [beatsBestMix(subject, { quality, costUsd: ownUsd, servedUsd })];
}

/** Better than the same decisions dealt out at random: the bound is over pairs of cases, the value over all. */
function beatsRandomChoice(subject: Subject): Condition {
  const { labelled } = subject;
  const { quality, n } = labelled.replay;
  const draws = oneCaseOfEachDraw(labelled);
  const pairs = n === 0 ? undefined : pairedExcess(draws.quality, draws.rungs);
  const value = pairs === undefined ? Number.NaN : excessOverRandom(quality, labelled.rungs);
  const delta = errorProbability(subject);
  const condition = meanAboveZero('beats-random', pairs ?? new Float64Array(), delta, value);
  const { further_cases: pairsMore, ...rest } = condition;
  const rival =
    quality.length === 2
      ? 'a random choice of the same share'
      : 'a random choice of the same share of each rung';
  return {
    ...rest,
    n,
    proof: 'none',
    ...(pairsMore !== undefined && { further_cases: 2 * pairsMore }),
    note: `bounds from ${pairs?.length ?? 0} pairs of cases; value: quality above ${rival}`,
  };
}

/**
 * Where cases lack outcomes, those that have all are no random part of them: only failures may be missing. So what is not known counts
 * against the policy, as 0 on the rung that it chose and as 1 on the others, and that it proves nothing is no FAIL.
 */
function beatsRandomWithGaps(subject: Subject): Condition {
  const { heldOut, bets, rungs, labelled } = subject;
  const rows = Uint32Array.from(bets.rows);
  const quality = heldOut.quality.map((column, rung) =>
    Float64Array.from(rows, (row) => {
      const known = column[row]!;
      return Number.isNaN(known) ? Number(rungs[row] !== rung) : known;
    }),
  );
  const units = bets.unitEnds && unitOfEach(bets.unitEnds);
  const condition = beatsRandomChoice({
    ...subject,
    labelled: {
      replay: { ...labelled.replay, n: rows.length, quality },
      rungs: Int32Array.from(rows, (row) => rungs[row]!),
      ...(units && { units }),
    },
  });
  const missing = heldOut.n - labelled.replay.n;
  const { further_cases: _, ...rest } = condition;
  return {
    ...rest,
    verdict: condition.verdict === 'FAIL' ? 'INCONCLUSIVE' : condition.verdict,
    n: labelled.replay.n,
    note: `${missing} cases lack an outcome, which counts against the policy: label them, or leave beats_random out; ${condition.note}`,
  };
}

/** @param ends of each unit, in the order of the bets: the place after its last row */
function unitOfEach(ends: ArrayLike<number>): Int32Array {
  const units = new Int32Array(ends[ends.length - 1] ?? 0);
  for (let unit = 0, i = 0; unit < ends.length; unit++) for (; i < ends[unit]!; i++) units[i] = unit;
  return units;
}

/** A pair must be two draws: two copies of one label, or two turns of one conversation, say nothing of each other's share. */
function oneCaseOfEachDraw({ replay, rungs, units }: Subject['labelled']): {
  readonly quality: readonly Float64Array[];
  readonly rungs: Int32Array;
} {
  if (units === undefined) return { quality: replay.quality, rungs };
  const isFirst = (_: number, row: number) => row === 0 || units[row] !== units[row - 1];
  return { quality: replay.quality.map((column) => column.filter(isFirst)), rungs: rungs.filter(isFirst) };
}

/**
 * Better than the best mix of the single models at the same mean cost. Costs have no upper end: the interval is a bootstrap's. It proves nothing,
 * so the verdict is that of the measured value, and FAIL only where all of the spread lies below 0.
 */
function beatsBestMix(subject: Subject, outcomes: LadderOutcomes): Condition {
  const { rungs, units } = subject.labelled;
  const delta = errorProbability(subject);
  const { excess, costUsd, mixQuality } = excessOverMix(outcomes, rungs);
  const interval = excessOverMixInterval(outcomes, [rungs], {
    level: 1 - 2 * delta,
    ...(units && { groups: units }),
  });
  const bounds = enclosing(excess, { lower: interval.low, upper: interval.high });
  return {
    name: 'beats-random',
    verdict: excess > 0 ? 'PASS' : bounds.upper < 0 ? 'FAIL' : 'INCONCLUSIVE',
    value: excess,
    bounds,
    limits: { min: 0 },
    confidence: 1 - delta,
    method: 'bootstrap',
    n: rungs.length,
    proof: 'none',
    note: `quality above the best mix of the single models at the same cost (${mixQuality.toFixed(4)} at $${(1000 * costUsd).toPrecision(3)} for 1,000); the bounds describe a spread and prove nothing`,
  };
}

/** What looks hard and is easy stays cheap. */
export function keptCheapCondition({ suite, hard, hardRungs }: Subject): Condition[] {
  const min = suite.hard_cases?.min_kept_cheap;
  if (min === undefined || hard === undefined) return [];
  const cheap = countByTier(hard.cases, hardRungs ?? [], 'cheap');
  const delta = errorProbability({ suite });
  const name = 'hard-cases/kept-cheap';
  const unknown = unknownHardReplies(hard, 'cheap');
  if (unknown > 0) {
    const base = { name, limits: { min }, confidence: 1 - delta, method: 'clopper-pearson', n: 0 };
    const why = `of ${unknown} of ${cheap.n} the cheap reply is not known, and a check of it may escalate: give the hard cases "replies", or leave min_kept_cheap out`;
    return [unmeasured({ ...base, proof: 'other-cases' }, why)];
  }
  const kept = rateWithin(name, cheap.n - cheap.escalated, cheap.n, { min }, delta);
  return [{ ...kept, proof: 'other-cases' }];
}

/**
 * No kind of harmless edit moves many requests to a cheaper rung, where quality may be lost. What it moves to a more expensive one costs
 * money, and the band bounds that: both counts are in the evidence.
 */
export function flipRateConditions(subject: Subject, flips: readonly FlipCount[]): Condition[] {
  const limit = subject.suite.flip_rate;
  if (limit === undefined) return [];
  const maxOf = (edit: string) => (edit === 'paraphrase' ? (limit.max_paraphrase ?? limit.max) : limit.max);
  const delta = errorProbability(subject);
  return flips.map(({ edit, n, flipped, cheaper }) => {
    const condition = rateWithin(`flip-rate/${edit}`, cheaper, n, { max: maxOf(edit) }, delta);
    if (edit === 'paraphrase') return { ...condition, proof: 'other-cases' };
    const directions = `${flipped} of ${n} flip: ${cheaper} to a cheaper rung, ${flipped - cheaper} to a more expensive one`;
    const notes = [
      ...(flipped > 0 ? [directions] : []),
      ...(condition.note === undefined ? [] : [condition.note]),
    ];
    return { ...condition, proof: 'none', ...(notes.length > 0 && { note: notes.join('; ') }) };
  });
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
