import type { Condition } from '../../../router/artifact/index.ts';
import { holm, scaledMeanBound } from '../../../router/statistics/index.ts';
import { meanAtMost } from '../judge.ts';
import { lossesOf, type Traits } from '../replay.ts';
import type { SliceRule } from '../suite.ts';
import { deltaOf, type Subject } from './subject.ts';

const betting = scaledMeanBound('betting', { low: -1, high: 1 });

/**
 * Each slice keeps its own margin. Holm's step-down holds the probability that any slice passes wrongly below delta, however many
 * there are; a slice's bounds are at the level at which Holm tested it.
 */
export function sliceConditions(subject: Subject): Condition[] {
  const { suite, sealed, rungs, order } = subject;
  const losses = lossesOf(sealed, rungs);
  const slices = suite.slices.map((rule) => ({ rule, values: lossesIn(rule, sealed.traits, losses, order) }));
  if (slices.length === 0) return [];
  const tunedFor = deltaOf(subject) / slices.length; // one tuning for p-values and bounds, so that they agree
  const pValues = slices.map(({ rule, values }) =>
    values.length === 0 ? 1 : betting.pValue(values, rule.max_quality_loss, tunedFor),
  );
  const tests = holm(pValues, deltaOf(subject));
  return slices.map(({ rule, values }, i) => {
    const level = { delta: tests[i]!.delta, tunedFor };
    const condition = meanAtMost(`slice/${rule.name}`, values, rule.max_quality_loss, level);
    return values.length === sealed.n ? { ...condition, note: 'every case is in this slice' } : condition;
  });
}

function lossesIn(
  { where }: SliceRule,
  traits: readonly Traits[],
  losses: Float64Array,
  order: Uint32Array,
): Float64Array {
  const rows = order.filter((row) => isIn(where, traits[row]!));
  return Float64Array.from(rows, (row) => losses[row]!);
}

/** Whether a case has all that the slice asks for. What a row does not say, it does not have. */
export function isIn(where: SliceRule['where'], one: Traits): boolean {
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
