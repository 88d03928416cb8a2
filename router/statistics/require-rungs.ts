import { PlimsollError } from '../errors.ts';
import { requireNumbers } from './require-numbers.ts';

/** What decisions must keep to. */
export interface RungRule {
  /** The number of decisions that is expected, for arrays that are paired by case. */
  readonly length?: number;
  /** The number of rungs of the ladder, where it is known: every rung must be below it. */
  readonly rungCount?: number;
}

/**
 * Stops a measurement over what are no rungs of a ladder: 0 is the cheapest candidate, 1 the next. O(n).
 *
 * @param name what the rungs are called in the message
 * @param rungs the rung that routing chose for each case
 * @throws PlimsollError `invalid-input`: no cases, another number than `rule.length`, NaN, a rung that is negative, not whole or not
 *   below `rule.rungCount`
 * @example requireRungs('rungs', [0, 2], { rungCount: 2 }); // throws: rungs[1] is 2
 */
export function requireRungs(name: string, rungs: ArrayLike<number>, rule: RungRule = {}): void {
  const { length, rungCount = Number.MAX_SAFE_INTEGER } = rule;
  requireNumbers(name, rungs, { min: 0, max: rungCount - 1, ...(length !== undefined && { length }) });
  for (let i = 0; i < rungs.length; i++) {
    if (Number.isInteger(rungs[i])) continue;
    const message = `${name}[${i}] is ${rungs[i]}: a rung is a whole number, 0 the cheapest candidate.`;
    throw new PlimsollError('invalid-input', message);
  }
}
