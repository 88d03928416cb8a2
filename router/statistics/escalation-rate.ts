import { requireRungs } from './require-rungs.ts';

/**
 * Escalation rate: the share of cases that routing sends above the cheapest rung of the ladder.
 *
 *   rate = (number of cases with rung > 0) / n
 *
 * Retries and fallbacks after a failure are no escalations and do not belong in the input. O(n).
 *
 * @param rungs the rung that routing chose for each case: 0 is the cheapest candidate, 1 the next. Shape [n]
 * @returns 0..1
 * @throws PlimsollError `invalid-input`: no cases, NaN, a rung that is negative or not a whole number
 * @example escalationRate([0, 1, 0, 2]); // 0.5
 */
export function escalationRate(rungs: ArrayLike<number>): number {
  requireRungs('rungs', rungs);
  let escalated = 0;
  for (let i = 0; i < rungs.length; i++) if (rungs[i] > 0) escalated++;
  return escalated / rungs.length;
}
