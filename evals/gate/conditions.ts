import type { Condition, Manifest } from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import {
  calibrationErrorBounds,
  countEscalated,
  countSilentDowngrades,
  differenceBound,
  excessOverRandom,
  expectedCalibrationError,
  holm,
  pairedExcess,
  qualityLosses,
} from '../../router/statistics/index.ts';
import { chooseThreshold } from '../threshold/index.ts';
import { atMost, meanAboveZero, meanAtMost, rateWithin } from './judge.ts';
import type { Traits } from './replay.ts';
import { errorProbability, type HardReplay, reorder, type Subject } from './subject.ts';
import type { SliceRule } from './suite.ts';

/** Two steps of the certified walk: training adds up in float64 and the graph in float32, which may move a case across a step. */
const TOLERANCE = 0.002;

/** Every condition that the suite sets, in the order of the reports. */
export function judgeConditions(subject: Subject, chosenBy: Manifest['policy']['chosen_by']): Condition[] {
  return [
    qualityLossCondition(subject),
    escalationRateCondition(subject),
    ...beatsRandomCondition(subject),
    ...silentDowngradesCondition(subject),
    ...sliceConditions(subject),
    ...hardCaseConditions(subject),
    ...flipRateConditions(subject),
    ...calibrationConditions(subject),
    ...asCalibratedCondition(subject, chosenBy),
  ];
}

/** The promise itself: the mean loss against always-strong is at most the margin. */
export function qualityLossCondition(subject: Subject): Condition {
  const { suite, heldOut, rungs, order } = subject;
  const losses = reorder(qualityLosses(heldOut.quality, rungs), order);
  const condition = meanAtMost('quality-loss', losses, suite.max_quality_loss, {
    delta: errorProbability(subject),
  });
  const questions = new Set(heldOut.traits.map(({ key }) => key)).size;
  if (questions === heldOut.n) return condition;
  const note = `${heldOut.n} cases of ${questions} questions: cases of one question are not independent, so the bounds are a little too narrow`;
  return { ...condition, note };
}

/** The share above the cheapest rung lies inside the band: a router that sends all to one side has collapsed. */
export function escalationRateCondition(subject: Subject): Condition {
  const { rungs, suite } = subject;
  // two bounds must hold at once: half of delta for each
  return rateWithin(
    'escalation-rate',
    countEscalated(rungs),
    rungs.length,
    suite.escalation_rate,
    errorProbability(subject) / 2,
  );
}

/** Better than escalating the same share at random: the bound is over pairs of cases, the value over all. */
export function beatsRandomCondition(subject: Subject): Condition[] {
  const { suite, heldOut, rungs, order } = subject;
  if (!suite.beats_random) return [];
  const quality = heldOut.quality.map((column) => reorder(column, order));
  const shuffled = Int32Array.from(order, (row) => rungs[row]!);
  const pairs = pairedExcess(quality, shuffled) ?? new Float64Array();
  const condition = meanAboveZero('beats-random', pairs, errorProbability(subject));
  const { further_cases: pairsMore, ...rest } = condition;
  return [
    {
      ...rest,
      n: heldOut.n,
      value: condition.value === null ? null : excessOverRandom(quality, shuffled),
      ...(pairsMore !== undefined && { further_cases: 2 * pairsMore }),
      note: `bounds from ${pairs.length} pairs of cases; value: quality above a random choice of the same share`,
    },
  ];
}

/** Few cases are much worse off: a mean can hide them. */
export function silentDowngradesCondition(subject: Subject): Condition[] {
  const { suite, heldOut, rungs } = subject;
  if (suite.silent_downgrades === undefined) return [];
  const { margin, max_rate: max } = suite.silent_downgrades;
  const downgraded = countSilentDowngrades(qualityLosses(heldOut.quality, rungs), margin);
  return [rateWithin('silent-downgrades', downgraded, heldOut.n, { max }, errorProbability(subject))];
}

/**
 * Each slice keeps its own margin. Holm's step-down holds the probability that any slice passes wrongly below delta, however many
 * there are; a slice's bounds are at the level at which Holm tested it.
 */
export function sliceConditions(subject: Subject): Condition[] {
  const { suite, heldOut, rungs, order } = subject;
  const losses = qualityLosses(heldOut.quality, rungs);
  const slices = suite.slices.map((rule) => ({
    rule,
    values: lossesIn(rule, heldOut.traits, losses, order),
  }));
  if (slices.length === 0) return [];
  const tunedFor = errorProbability(subject) / slices.length; // one tuning for p-values and bounds, so that they agree
  const pValues = slices.map(({ rule, values }) =>
    values.length === 0 ? 1 : differenceBound.pValue(values, rule.max_quality_loss, tunedFor),
  );
  const tests = holm(pValues, errorProbability(subject));
  return slices.map(({ rule, values }, i) => {
    const level = { delta: tests[i]!.delta, tunedFor };
    const condition = meanAtMost(`slice/${rule.name}`, values, rule.max_quality_loss, level);
    return values.length === heldOut.n ? { ...condition, note: 'every case is in this slice' } : condition;
  });
}

function lossesIn(
  { where }: SliceRule,
  traits: readonly Traits[],
  losses: Float64Array,
  order: Uint32Array,
): Float64Array {
  const rows = order.filter((row) => isInSlice(where, traits[row]!));
  return Float64Array.from(rows, (row) => losses[row]!);
}

/** Whether a case has all that the slice asks for. What a row does not say, it does not have. */
export function isInSlice(where: SliceRule['where'], one: Traits): boolean {
  const named = (wanted: string | string[] | undefined, value: string | undefined) =>
    wanted === undefined || (value !== undefined && [wanted].flat().includes(value));
  const flag = (wanted: boolean | undefined, value: boolean) => wanted === undefined || wanted === value;
  return (
    named(where.task, one.task) &&
    named(where.source, one.source) &&
    named(where.language, one.language) &&
    one.characters >= (where.min_characters ?? 0) &&
    one.characters <= (where.max_characters ?? Number.POSITIVE_INFINITY) &&
    flag(where.multi_turn, (one.turns ?? 1) > 1) &&
    flag(where.tools, one.tools === true)
  );
}

/** What must be escalated is; and, if the suite asks for it, what looks hard and is easy stays cheap. */
export function hardCaseConditions(subject: Subject): Condition[] {
  const { suite, hard } = subject;
  if (suite.hard_cases === undefined || hard === undefined) return [];
  const { min_recall: minRecall, min_kept_cheap: minKept } = suite.hard_cases;
  const strong = countByTier(hard, 'strong');
  const cheap = countByTier(hard, 'cheap');
  const delta = errorProbability(subject);
  return [
    rateWithin('hard-cases/recall', strong.escalated, strong.n, { min: minRecall }, delta),
    ...(minKept === undefined
      ? []
      : [rateWithin('hard-cases/kept-cheap', cheap.n - cheap.escalated, cheap.n, { min: minKept }, delta)]),
  ];
}

/** How many cases of a tier there are, in one slice or in all, and how many of them are escalated. */
export function countByTier({ cases, rungs }: HardReplay, tier: 'cheap' | 'strong', slice?: string) {
  let n = 0;
  let escalated = 0;
  cases.forEach((one, row) => {
    if (one.tier !== tier || (slice !== undefined && one.slice !== slice)) return;
    n++;
    if (rungs[row]! > 0) escalated++;
  });
  return { n, escalated };
}

/** No kind of harmless edit changes many decisions. */
export function flipRateConditions(subject: Subject): Condition[] {
  const limit = subject.suite.flip_rate;
  if (limit === undefined) return [];
  const maxOf = (edit: string) => (edit === 'paraphrase' ? (limit.max_paraphrase ?? limit.max) : limit.max);
  return subject.flips.map(({ edit, n, flipped }) =>
    rateWithin(`flip-rate/${edit}`, flipped, n, { max: maxOf(edit) }, errorProbability(subject)),
  );
}

/**
 * Each head's probabilities come true: the expected calibration error is at most the limit. Its bounds add up those of the bins' mean
 * labels, each at delta / 10, so that all hold at once (Bonferroni): wide, and valid at any n.
 */
export function calibrationConditions(subject: Subject): Condition[] {
  const { suite, heldOut, candidates, order } = subject;
  const max = suite.max_ece;
  if (max === undefined) return [];
  return candidates.map((candidate, rung) => {
    const probabilities = reorder(heldOut.probabilities[rung]!, order);
    const labels = reorder(heldOut.quality[rung]!, order);
    const bounds = calibrationErrorBounds(probabilities, labels, errorProbability(subject));
    return {
      name: `calibration/${candidate}`,
      verdict: atMost(bounds, max),
      value: expectedCalibrationError(probabilities, labels),
      bounds,
      limits: { max },
      confidence: suite.confidence,
      method: 'betting, each bin',
      n: heldOut.n,
    };
  });
}

/**
 * The threshold is the one that its rule gives on the calibration cases, found again with the artifact's own graph. Sealed cases
 * show a threshold that is too loose; this one shows any other, and a classifier that was changed after it was set.
 */
export function asCalibratedCondition(
  { threshold, calibration }: Subject,
  rule: Manifest['policy']['chosen_by'],
): Condition[] {
  if (calibration === undefined || rule.rule === 'fixed-threshold') return [];
  const found = thresholdAgain(calibration, rule);
  const limits = { min: threshold - TOLERANCE, max: threshold + TOLERANCE };
  const same = found !== undefined && found >= limits.min && found <= limits.max;
  return [
    {
      name: 'as-calibrated',
      verdict: same ? 'PASS' : 'FAIL',
      value: found ?? null,
      bounds: { lower: null, upper: null },
      limits,
      confidence: 1,
      method: 'set again',
      n: calibration.quality[0]!.length,
      ...(found === undefined && {
        note: 'nothing cheaper than always-strong can be certified on these cases',
      }),
    },
  ];
}

function thresholdAgain(
  calibration: NonNullable<Subject['calibration']>,
  rule: Exclude<Manifest['policy']['chosen_by'], { rule: 'fixed-threshold' }>,
): number | undefined {
  try {
    return chooseThreshold(calibration, rule).threshold;
  } catch (error) {
    if (error instanceof PlimsollError && error.code === 'insufficient-data') return undefined;
    throw error;
  }
}
