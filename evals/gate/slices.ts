import type { HardCase } from '../cases/index.ts';
import type { Traits } from './replay.ts';
import type { SliceRule } from './suite.ts';

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

/** How many hard cases of a tier there are, in one slice or in all, and how many of them are escalated. */
export function countByTier(
  cases: readonly HardCase[],
  rungs: ArrayLike<number>,
  tier: HardCase['tier'],
  slice?: string,
): { n: number; escalated: number } {
  let n = 0;
  let escalated = 0;
  cases.forEach((one, row) => {
    if (one.tier !== tier || (slice !== undefined && one.slice !== slice)) return;
    n++;
    if (rungs[row]! > 0) escalated++;
  });
  return { n, escalated };
}
