import type { Condition, Verdict, VerdictWord } from '../../router/artifact/index.ts';
import { clopperPearsonLower, QUALITY_TOLERANCE } from '../../router/statistics/index.ts';
import {
  type Bets,
  decisionScores,
  LossBets,
  lossLowerBound,
  lossPValue,
  lossUpperBound,
  predictedLosses,
  type WalkTest,
  walkThresholds,
} from '../threshold/index.ts';
import { batchesNote, type WorseCases, worseBatch } from './batches.ts';
import { someBets } from './bets.ts';
import { conditionsJudgedOnce } from './conditions.ts';
import type { FlipCount } from './flips.ts';
import { type Bounds, enclosing, type Further, furtherForLoss, rateWithin, unmeasured } from './judge.ts';
import { dependenceNote } from './repeats.ts';
import type { Replay } from './replay.ts';
import { countByTier, inSlice, labelsOf } from './slices.ts';
import { type Sealed, type Subject, unknownHardReplies } from './subject.ts';

/** A demand that is tested at every step of the walk, and described where it ended. */
export interface PromiseCondition extends WalkTest {
  describe(subject: Subject): Condition;
}

/** What is not known counts as the worst that it can be. */
const WORST = 1;

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

/** Every condition of the suite at the threshold of the walk. */
export function judgeWalk(
  { promised, proved, walk }: SealedWalk,
  subject: Subject,
  flips: readonly FlipCount[],
): Condition[] {
  const once = conditionsJudgedOnce(subject, flips);
  const walked = promised.map((condition) => condition.describe(subject));
  if (proved || walk.from === walk.to) return [...walked, ...once];
  return [
    ...walked.map((one) => (one.verdict === 'PASS' ? unproved(one) : one)),
    ...once.map(withoutThreshold),
  ];
}

/** A demand of the promise that holds where the walk begins, at a threshold at which another one does not. */
function unproved(condition: Condition): Condition {
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
  return [
    meanLossCondition(sealed, 'quality-loss', { bets, merged }, suite.max_quality_loss),
    ...suite.slices.map(({ name, where, max_quality_loss: max }) => {
      const membership = heldOut.traits.map((one) => inSlice(where, one));
      const possible = (all: Bets) => someBets(all, (row) => membership[row] !== false);
      const unsure = { isUnsure: (row: number) => membership[row] === undefined, labels: labelsOf(where) };
      const parts = { bets: possible(bets), merged: merged && possible(merged), unsure };
      return meanLossCondition(sealed, `slice/${name}`, parts, max);
    }),
    ...silentDowngradesCondition(sealed),
    ...recallCondition(sealed),
  ];
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
      const unsureNote =
        unknown === 0
          ? {}
          : {
              note: `${unknown} cases do not say their ${unsure!.labels} and may be of the slice: each counts as a loss of at least the margin`,
            };
      if (known.length === 0) return { ...unmeasured(base, 'no case to measure'), ...unsureNote };
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
      const value = ofAll.value(meanOver(known, worst));
      const verdict =
        provable && lowLoss ? 'PASS' : ofAll.bounds({ lower, upper }).lower > max ? 'FAIL' : 'INCONCLUSIVE';
      const bounds = agreeing(verdict, enclosing(value, ofAll.bounds({ lower, upper })), max);
      return {
        ...base,
        verdict,
        value,
        bounds,
        ...withNotes([
          unsureNote,
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
 * What a limit on all requests demands of the cases that have labels. All of them, as a rule; where only those were labelled that may stay
 * cheap, the mean over all is at most the upper bound of their share times theirs.
 */
function scaleOf({ delta, below }: Sealed, max: number) {
  if (below === undefined) {
    return {
      delta,
      limit: max,
      ofAll: { value: (mean: number) => mean, bounds: (bounds: Bounds) => bounds },
    };
  }
  const { value, lower, upper } = below.share;
  const largest = (bound: number) => bound * (bound > 0 ? upper : lower);
  const smallest = (bound: number) => bound * (bound > 0 ? lower : upper);
  return {
    delta: below.delta,
    limit: Math.min(1, max / upper),
    ofAll: {
      value: (mean: number) => value * mean,
      bounds: (bounds: Bounds) => ({ lower: smallest(bounds.lower), upper: largest(bounds.upper) }),
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
        const value = ofAll.value(meanOver(bets.rows, found));
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

/** What routing gives away against always-strong on each case; `unknown` if an outcome that this needs is missing. Shape [n] */
export function lossesAt(
  heldOut: Pick<Replay, 'quality' | 'n'>,
  rungs: ArrayLike<number>,
  unknown: number,
): Float64Array {
  return Float64Array.from({ length: heldOut.n }, (_, row) => lossOf(heldOut, row, rungs[row]!, unknown));
}

/** A case on the strongest rung loses nothing, whether or not anybody labelled it. */
function lossOf({ quality }: Pick<Replay, 'quality'>, row: number, rung: number, unknown: number): number {
  const strongest = quality.length - 1;
  if (rung === strongest) return 0;
  const loss = quality[strongest]![row]! - quality[rung]![row]!;
  return Number.isNaN(loss) ? unknown : loss;
}

function countLabelled({ quality }: Replay, rows: ArrayLike<number>): number {
  let labelled = 0;
  const isKnown = (row: number) => {
    for (const column of quality) if (Number.isNaN(column[row]!)) return false;
    return true;
  };
  for (let i = 0; i < rows.length; i++) labelled += Number(isKnown(rows[i]!));
  return labelled;
}

function meanOver(rows: ArrayLike<number>, losses: Float64Array): number {
  let total = 0;
  for (let i = 0; i < rows.length; i++) total += losses[rows[i]!]!;
  return total / rows.length;
}

/** Of cases that look like a PASS. */
const UNPROVABLE: Further = {
  note: 'no PASS, though the losses keep to the limit: so few cases would not prove it even of always-strong, which loses nothing, so no threshold was tried; the upper bound is that of no losses',
};

/** Without the noise that scaling a limit to the labelled part and back adds. */
function agreeing(verdict: VerdictWord, { lower, upper }: Bounds, max: number): Bounds {
  return { lower, upper: verdict === 'PASS' ? Math.min(upper, max) : upper };
}

function withNotes(parts: readonly Further[]): Further {
  const notes = parts.flatMap(({ note }) => note ?? []);
  return Object.assign({}, ...parts, notes.length > 0 && { note: notes.join('; ') });
}
