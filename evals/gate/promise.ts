import type { Condition, Verdict } from '../../router/artifact/index.ts';
import { mean } from '../../router/statistics/index.ts';
import { type Bets, decisionScores, walkRungs, walkThresholds } from '../threshold/index.ts';
import { auditSkew } from './audit-skew.ts';
import { someBets } from './bets.ts';
import { conditionsJudgedOnce } from './conditions.ts';
import type { FlipCount } from './flips.ts';
import { unmeasured } from './judge.ts';
import type { JudgedLabels } from './judged-labels.ts';
import { lossesAt, WORST } from './losses.ts';
import { toldAsPredicted } from './predicted-tasks.ts';
import {
  hasAudits,
  meanLossCondition,
  type PromiseCondition,
  recallCondition,
  silentDowngradesCondition,
} from './promise-conditions.ts';
import { inSlice, labelsOf } from './slices.ts';
import type { Sealed, Subject } from './subject.ts';

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
      ? walked(sealed, promised, steps)
      : { threshold: undefined, steps: 0, stoppedBy: unprovable.name };
  return {
    threshold: found.threshold ?? from,
    proved: found.threshold !== undefined,
    walk: { from, to, steps: found.steps, stopped_by: found.stoppedBy ?? null },
    promised,
  };
}

function walked(
  { heldOut, sessions, candidates }: Sealed,
  promised: readonly PromiseCondition[],
  steps: Float64Array,
) {
  if (sessions === undefined) return walkThresholds(decisionScores(heldOut), promised, steps);
  return walkRungs(sessions.rungsAt, candidates.length - 1, promised, steps);
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
  if (bets.weights === undefined || bets.unitsAre === 'sessions' || condition.verdict !== 'PASS')
    return condition;
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

/** A threshold that will not serve deserves neither a FAIL nor a count of further cases. */
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
      const condition = meanLossCondition(sealed, `slice/${name}`, parts, max);
      return {
        ...condition,
        describe: (subject: Subject) => toldAsPredicted(condition.describe(subject), where, subject.heldOut),
      };
    }),
    ...silentDowngradesCondition(sealed),
  ];
  const judged = labels === undefined ? ofLabels : judgedConditions(sealed, labels, ofLabels);
  return [
    ...(sealed.given === undefined ? judged : judged.map((one) => byOperatorsWord(one, sealed.given!))),
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

/** The same test: what it compares with is nobody's label. */
function byOperatorsWord(condition: PromiseCondition, given: string): PromiseCondition {
  return {
    ...condition,
    describe(subject) {
      const described = condition.describe(subject);
      const warning = `WARNING: ${given}`;
      return { ...described, note: described.note === undefined ? warning : `${warning}; ${described.note}` };
    },
  };
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
