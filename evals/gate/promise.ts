import type { Condition, Verdict, VerdictWord } from '../../router/artifact/index.ts';
import { clopperPearsonLower, mean, QUALITY_TOLERANCE } from '../../router/statistics/index.ts';
import {
  type Bets,
  decisionScores,
  LossBets,
  lossLowerBound,
  lossPValue,
  lossUpperBound,
  meanOfBets,
  predictedLosses,
  type WalkTest,
  walkThresholds,
} from '../threshold/index.ts';
import { auditSkew } from './audit-skew.ts';
import { batchesNote, type WorseCases, worseBatch } from './batches.ts';
import { someBets } from './bets.ts';
import { conditionsJudgedOnce } from './conditions.ts';
import { correctedCondition } from './corrected-condition.ts';
import type { FlipCount } from './flips.ts';
import { enclosing, type Further, furtherForLoss, rateWithin, unmeasured } from './judge.ts';
import type { JudgedLabels } from './judged-labels.ts';
import {
  agreeing,
  countLabelled,
  lossesAt,
  lossOf,
  scaleOf,
  unsureNote,
  WORST,
  withNotes,
} from './losses.ts';
import { dependenceNote } from './repeats.ts';
import { countByTier, inSlice, labelsOf } from './slices.ts';
import { type Sealed, type Subject, unknownHardReplies } from './subject.ts';

/** A demand that is tested at every step of the walk, and described where it ended. */
export interface PromiseCondition extends WalkTest {
  describe(subject: Subject): Condition;
}

export interface SealedWalk {
  /** The one that was proved; else the first of the walk. */
  readonly threshold: number;
  readonly proved: boolean;
  readonly walk: Verdict['walk'];
  readonly promised: readonly PromiseCondition[];
}

/**
 * The walk over the sealed cases: the loosest threshold at which every demand of the promise holds, and at each step before it. A demand
 * that even always-strong could not prove, because there are too few cases of it, is INCONCLUSIVE at any threshold: then no step is taken.
 * @param steps thresholds, ascending, at least one
 */
export function walkSealed(sealed: Sealed, steps: Float64Array): SealedWalk {
  const promised = promisedConditions(sealed);
  const [from, to] = [steps[0]!, steps.at(-1)!];
  const unprovable = promised.find((condition) => !condition.holds(-1));
  const found =
    unprovable === undefined
      ? walkThresholds(decisionScores(sealed.heldOut), promised, steps)
      : { threshold: undefined, steps: 0, stoppedBy: unprovable.name };
  return {
    threshold: found.threshold ?? from,
    proved: found.threshold !== undefined,
    walk: { from, to, steps: found.steps, stopped_by: found.stoppedBy ?? null },
    promised,
  };
}

/** Every condition of the suite at the threshold of the walk. @param described the cases on which is judged what is judged once */
export function judgeWalk(
  { promised, proved, walk }: SealedWalk,
  subject: Subject,
  flips: readonly FlipCount[],
  described: Subject = subject,
): Condition[] {
  const once = conditionsJudgedOnce(described, flips).map((one) => toldAsJudged(one, subject));
  const walked = promised
    .map((condition) => condition.describe(subject))
    .map((one) => (one.name === 'quality-loss' ? restingOnWeights(one, subject) : one));
  if (proved || walk.from === walk.to) return [...walked, ...once];
  return [
    ...walked.map((one) => (one.verdict === 'PASS' ? withoutProof(one) : one)),
    ...once.map(withoutThreshold),
  ];
}

/** What is described by labels of a judge is told so. Of the others no label has a say. */
function toldAsJudged(condition: Condition, { heldOut: { labels } }: Subject): Condition {
  if (labels === undefined || !/^(beats-random|calibration\/)/.test(condition.name)) return condition;
  const by = 'by the labels of the judge, which nothing corrects here';
  return { ...condition, note: condition.note === undefined ? by : `${by}; ${condition.note}` };
}

/** Says so if it passes by the weights of the cases alone: made after outcomes are known, they make any policy pass. */
function restingOnWeights(condition: Condition, { heldOut, bets, rungs }: Subject): Condition {
  if (bets.weights === undefined || condition.verdict !== 'PASS') return condition;
  const once = mean(lossesAt(heldOut, rungs, WORST));
  if (once <= condition.limits.max!) return condition;
  const why = `the PASS rests on the weights: if each case counts once the mean loss is ${once.toFixed(4)}. They must have been known before any outcome`;
  return { ...condition, note: condition.note === undefined ? why : `${why}; ${condition.note}` };
}

/** A demand of the promise that holds where the walk begins, at a threshold at which another one does not. */
function withoutProof(condition: Condition): Condition {
  const { note } = condition;
  return {
    ...condition,
    verdict: 'INCONCLUSIVE',
    note: note === undefined ? NO_THRESHOLD : `${NO_THRESHOLD}; ${note}`,
  };
}

/** Of a threshold that will not serve nothing is worth a FAIL, or a count of further cases. */
function withoutThreshold({ further_cases: _, ...condition }: Condition): Condition {
  return { ...condition, verdict: 'INCONCLUSIVE', note: NO_THRESHOLD };
}

const NO_THRESHOLD =
  'measured where the walk begins, since no threshold was proved; INCONCLUSIVE for that reason, whatever the value';

/** The demands that a PASS promises to hold: quality loss, that of each slice, silent downgrades, recall of hard cases. */
function promisedConditions(sealed: Sealed): PromiseCondition[] {
  const { suite, bets, merged, heldOut } = sealed;
  const { labels } = heldOut;
  const ofLabels = [
    meanLossCondition(sealed, 'quality-loss', { bets, merged }, suite.max_quality_loss),
    ...suite.slices.map(({ name, where, max_quality_loss: max }) => {
      const membership = heldOut.traits.map((one) => inSlice(where, one));
      const possible = (all: Bets) => someBets(all, (row) => membership[row] !== false);
      const unsure = { isUnsure: (row: number) => membership[row] === undefined, labels: labelsOf(where) };
      const parts = { bets: possible(bets), merged: merged && possible(merged), unsure };
      return meanLossCondition(sealed, `slice/${name}`, parts, max);
    }),
    ...silentDowngradesCondition(sealed),
  ];
  return [
    ...(labels === undefined ? ofLabels : judgedConditions(sealed, labels, ofLabels)),
    ...recallCondition(sealed),
  ];
}

function judgedConditions(
  sealed: Sealed,
  labels: JudgedLabels,
  conditions: readonly PromiseCondition[],
): readonly PromiseCondition[] {
  if (!hasAudits(labels)) return conditions.map((one) => byJudgeAlone(one, labels));
  const skew = auditSkew(sealed, labels);
  return skew === undefined ? conditions : conditions.map((one) => unproved(one, skew));
}

/** What the labels of people cannot correct. */
function unproved(condition: PromiseCondition, why: string): PromiseCondition {
  return {
    ...condition,
    holds: () => false,
    describe(subject) {
      const { name, limits, confidence, method, n, proof } = condition.describe(subject);
      return unmeasured({ name, limits, confidence, method, n, proof }, why);
    },
  };
}

function hasAudits({ audited }: JudgedLabels): boolean {
  return audited.includes(1);
}

/** The same test of what the judge says: nothing corrects it. */
function byJudgeAlone(condition: PromiseCondition, { judged }: JudgedLabels): PromiseCondition {
  const count = judged.reduce((sum, one) => sum + one, 0);
  return {
    ...condition,
    describe(subject) {
      const described = condition.describe(subject);
      const warning = `WARNING: true only as far as the judge is right: a judge labelled ${count} of ${judged.length} cases, and people none of them`;
      return {
        ...described,
        judged: {
          judged: count,
          people: 0,
          judged_upper: described.bounds.upper,
          error_upper: null,
          people_upper: null,
        },
        note: described.note === undefined ? warning : `${warning}; ${described.note}`,
      };
    },
  };
}

/** The cases that a mean loss is of. */
interface LossParts {
  readonly bets: Bets;
  readonly merged: Bets | undefined;
  /** Of a slice: which of them may be in it or not, since they lack one of the labels. */
  readonly unsure?: { readonly isUnsure: (row: number) => boolean; readonly labels: string };
}

/**
 * The mean loss against always-strong, over all cases or a slice of them, is at most a margin. Bets that were won stay won, so where later
 * cases lose more than the first batch, the margin must also hold of all cases as one batch: else good cases first would carry bad ones.
 *
 * A case that may be in the slice or not counts as a loss of at least the margin: if it is in it, that is no less than its loss, and if it is not, the
 * sum of what the cases stray from the margin only grows. So the margin that is proved holds of the slice, whichever of them are in it.
 */
function meanLossCondition(
  sealed: Sealed,
  name: string,
  { bets, merged, unsure }: LossParts,
  max: number,
): PromiseCondition {
  const { heldOut } = sealed;
  const { rows } = bets;
  if (heldOut.labels !== undefined && hasAudits(heldOut.labels)) {
    const parts = {
      name,
      max,
      bets,
      merged,
      ...(unsure && { isUnsure: unsure.isUnsure, unsureLabels: unsure.labels }),
    };
    return correctedCondition(sealed, heldOut.labels, parts);
  }
  const { delta, limit, ofAll } = scaleOf(sealed, max);
  const isUnsure = unsure?.isUnsure ?? (() => false);
  const known = Uint32Array.from(rows).filter((row) => !isUnsure(row));
  const unknown = rows.length - known.length;
  const least =
    unknown === 0
      ? undefined
      : Float64Array.from({ length: heldOut.n }, (_, row) => (isUnsure(row) ? limit : -1));
  const atLeast = (values: Float64Array) =>
    least === undefined ? values : values.map((loss, row) => Math.max(loss, least[row]!));
  const losses = new LossBets(bets, heldOut.quality, least);
  const mergedLosses = merged && new LossBets(merged, heldOut.quality, least);
  const now = merged && atLeast(new Float64Array(heldOut.n));
  return {
    name,
    move(row, from, to) {
      losses.move(row, from, to);
      mergedLosses?.move(row, from, to);
      if (now !== undefined) now[row] = Math.max(least?.[row] ?? -1, lossOf(heldOut, row, to, WORST));
    },
    holds: () =>
      rows.length > 0 &&
      losses.pValue({ max: limit, delta }) <= delta &&
      (now === undefined ||
        worseBatch(bets, now) === undefined ||
        mergedLosses!.pValue({ max: limit, delta }) <= delta),
    describe({ rungs }) {
      const n = countLabelled(heldOut, known);
      const base = {
        name,
        limits: { max },
        confidence: 1 - sealed.delta,
        method: 'betting',
        n,
        proof: 'walk' as const,
      };
      const mayBeOfSlice = unknown === 0 ? {} : { note: unsureNote(unknown, unsure!.labels) };
      if (known.length === 0) return { ...unmeasured(base, 'no case to measure'), ...mayBeOfSlice };
      const worst = atLeast(lossesAt(heldOut, rungs, WORST));
      const worse = merged && worseBatch(bets, worst);
      const tested = worse === undefined ? [bets] : [bets, merged!];
      const best = lossesAt(heldOut, rungs, -WORST);
      const lower = lossLowerBound(
        bets,
        unknown === 0 ? best : best.map((loss, row) => (isUnsure(row) ? Math.min(loss, limit) : loss)),
        delta,
      );
      const rejected = (losses: Float64Array) =>
        tested.every((one) => lossPValue(one, losses, { max: limit, delta }) <= delta);
      const upperOf = (losses: Float64Array) =>
        Math.max(...tested.map((one) => lossUpperBound(one, losses, delta, limit)));
      // what always-strong cannot prove on so few cases stops the walk, whatever the cheap model gains on them
      const noLosses = atLeast(new Float64Array(heldOut.n));
      const provable = rejected(noLosses);
      const lowLoss = rejected(worst);
      const upper = provable ? upperOf(worst) : Math.max(upperOf(worst), upperOf(noLosses));
      const value = ofAll.value(meanOfBets({ ...bets, rows: known }, worst));
      const verdict =
        provable && lowLoss ? 'PASS' : ofAll.bounds({ lower, upper }).lower > max ? 'FAIL' : 'INCONCLUSIVE';
      const bounds = agreeing(verdict, enclosing(value, ofAll.bounds({ lower, upper })), max);
      return {
        ...base,
        verdict,
        value,
        bounds,
        ...withNotes([
          mayBeOfSlice,
          merged === undefined ? {} : { note: batchesNote(bets, worst, worse) },
          lowLoss && !provable ? UNPROVABLE : {},
          verdict === 'INCONCLUSIVE' && worse === undefined
            ? furtherForLoss(bets, worst, { max: limit, delta })
            : {},
          dependenceNote(heldOut, bets),
          sealed.below?.repeats === undefined ? {} : { note: sealed.below.repeats },
        ]),
      };
    },
  };
}

/**
 * Few cases are much worse off: a mean can hide them. The rate is bet on, as a loss is, from the first look on: an exact bound of a count holds for
 * one look and not for one after each batch, and counting first and betting later spends the error twice. As with losses, a first batch does not carry later ones that have more of them.
 */
function silentDowngradesCondition(sealed: Sealed): PromiseCondition[] {
  const { suite, heldOut, bets, merged } = sealed;
  if (suite.silent_downgrades === undefined) return [];
  const { margin, max_rate: max } = suite.silent_downgrades;
  if (heldOut.labels !== undefined && hasAudits(heldOut.labels)) {
    const parts = { name: 'silent-downgrades', max, bets, merged, downgradeAbove: margin };
    return [correctedCondition(sealed, heldOut.labels, parts)];
  }
  const { delta, limit, ofAll } = scaleOf(sealed, max);
  const name = 'silent-downgrades';
  const { n } = heldOut;
  const isDowngraded = (row: number, rung: number) =>
    Number(lossOf(heldOut, row, rung, WORST) > margin + QUALITY_TOLERANCE);
  /** With all cases as one batch too, if later ones have more of them than the first. */
  const testedBets = (worse: WorseCases | undefined) => (worse === undefined ? [bets] : [bets, merged!]);
  const rejected = (one: Bets, found: Float64Array) => lossPValue(one, found, { max: limit, delta }) <= delta;
  const downgraded = new Float64Array(n);
  return [
    {
      name,
      move(row, _, to) {
        downgraded[row] = isDowngraded(row, to);
      },
      holds: () =>
        n > 0 &&
        rejected(bets, downgraded) &&
        (merged === undefined || worseBatch(bets, downgraded) === undefined || rejected(merged, downgraded)),
      describe({ rungs }) {
        const base = {
          name,
          limits: { max },
          confidence: 1 - sealed.delta,
          method: 'betting',
          n: countLabelled(heldOut, bets.rows),
          proof: 'walk' as const,
        };
        if (n === 0) return unmeasured(base, 'no case to measure');
        const found = Float64Array.from({ length: n }, (_, row) => isDowngraded(row, rungs[row]!));
        const value = ofAll.value(meanOfBets(bets, found));
        const worse = merged && worseBatch(bets, found);
        const tested = testedBets(worse);
        const shown = ofAll.bounds({
          lower: Math.max(0, lossLowerBound(bets, found, delta)),
          upper: Math.max(...tested.map((one) => lossUpperBound(one, found, delta, limit))),
        });
        const holds = tested.every((one) => rejected(one, found));
        const verdict: VerdictWord = holds ? 'PASS' : shown.lower > max ? 'FAIL' : 'INCONCLUSIVE';
        return {
          ...base,
          verdict,
          value,
          bounds: agreeing(verdict, enclosing(value, shown), max),
          ...withNotes([
            merged === undefined ? {} : { note: batchesNote(bets, found, worse, 'downgrades') },
            verdict === 'INCONCLUSIVE' && worse === undefined
              ? furtherForLoss(bets, found, { max: limit, delta })
              : {},
          ]),
        };
      },
    },
  ];
}

/** What must be escalated is. */
function recallCondition({ suite, hard, delta }: Sealed): PromiseCondition[] {
  if (suite.hard_cases === undefined || hard === undefined) return [];
  const { min_recall: min } = suite.hard_cases;
  const name = 'hard-cases/recall';
  const scores = predictedLosses(decisionScores(hard)).filter((_, row) => hard.cases[row]!.tier === 'strong');
  const n = scores.length;
  return [
    {
      name,
      holds(threshold) {
        if (n === 0) return false;
        const escalated = scores.reduce((count, score) => count + Number(score > threshold), 0);
        return clopperPearsonLower(escalated, n, delta) >= min;
      },
      describe({ hardRungs }) {
        const strong = countByTier(hard.cases, hardRungs ?? [], 'strong');
        const recall = rateWithin(name, strong.escalated, strong.n, { min }, delta);
        const unknown = unknownHardReplies(hard, 'strong');
        if (unknown === 0) return { ...recall, proof: 'walk' };
        const note = `of ${unknown} of them the cheap reply is not known: these count if they go straight up`;
        return {
          ...recall,
          proof: 'walk',
          note: recall.note === undefined ? note : `${note}; ${recall.note}`,
        };
      },
    },
  ];
}

/** Of cases that look like a PASS. */
const UNPROVABLE: Further = {
  note: 'no PASS, though the losses keep to the limit: so few cases would not prove it even of always-strong, which loses nothing, so no threshold was tried; the upper bound is that of no losses',
};
