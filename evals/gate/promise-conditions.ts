import type { Condition, VerdictWord } from '../../router/artifact/index.ts';
import { clopperPearsonLower, QUALITY_TOLERANCE } from '../../router/statistics/index.ts';
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
} from '../threshold/index.ts';
import { batchesNote, type WorseCases, worseBatch } from './batches.ts';
import { correctedCondition } from './corrected-condition.ts';
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
import { countByTier } from './slices.ts';
import { type Sealed, type Subject, unknownHardReplies } from './subject.ts';

/** A demand that is tested at every step of the walk, and described where it ended. */
export interface PromiseCondition extends WalkTest {
  describe(subject: Subject): Condition;
}

export function hasAudits({ audited }: JudgedLabels): boolean {
  return audited.includes(1);
}

/** The cases that a mean loss is of. */
interface LossParts {
  readonly bets: Bets;
  readonly merged: Bets | undefined;
  /** For a slice: the cases that may or may not be in it, since they lack one of the labels. */
  readonly unsure?: { readonly isUnsure: (row: number) => boolean; readonly labels: string };
}

/**
 * The mean loss against always-strong, over all cases or a slice of them, is at most a margin. Bets that were won stay won, so where later
 * cases lose more than the first batch, the margin must also hold of all cases as one batch: else good cases first would carry bad ones.
 *
 * A case that may be in the slice or not counts as a loss of at least the margin: if it is in it, that is no less than its loss, and if it is not, the
 * sum of what the cases stray from the margin only grows. So the margin that is proved holds of the slice, whichever of them are in it.
 */
export function meanLossCondition(
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
export function silentDowngradesCondition(sealed: Sealed): PromiseCondition[] {
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
export function recallCondition({ suite, hard, delta }: Sealed): PromiseCondition[] {
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

/** For cases whose losses keep to the limit, but which are too few to prove anything. */
const UNPROVABLE: Further = {
  note: 'no PASS, though the losses keep to the limit: so few cases would not prove it even of always-strong, which loses nothing, so no threshold was tried; the upper bound is that of no losses',
};
