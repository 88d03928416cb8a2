import { PlimsollError } from '../errors.ts';
import {
  type LadderQuality,
  requireLadderQuality,
  requireNumbers,
  requireRungs,
  unitInterval,
} from './input-checks.ts';
import { QUALITY_TOLERANCE } from './mean.ts';

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
  return countEscalated(rungs) / rungs.length;
}

/**
 * The number of cases above the cheapest rung: a count for a Clopper-Pearson bound of the escalation rate. O(n).
 *
 * @param rungs as in escalationRate, not checked. Shape [n]
 * @returns 0..n
 */
export function countEscalated(rungs: ArrayLike<number>): number {
  let escalated = 0;
  for (let i = 0; i < rungs.length; i++) if (rungs[i]! > 0) escalated++;
  return escalated;
}

/**
 * Quality losses: what routing gives away against always strong on each case. Their mean is the quality loss.
 *
 *   loss[i] = q(strong)[i] - q(routed)[i]
 *
 * Negative if the routed reply is the better one, which is possible: the cheap candidate may be right on a case that the strong one
 * gets wrong. O(rungs * n).
 *
 * @param qualityByRung what each candidate reached, cheapest first: [rung][case], 0..1
 * @param rungs the rung that routing chose for each case, shape [n]
 * @returns each -1..1, shape [n]
 * @throws PlimsollError `invalid-input`: fewer than two rungs, no cases, different lengths, NaN, a quality outside 0..1, a rung that is
 *   none of the ladder
 * @example qualityLosses([[1, 0, 1, 0], [1, 1, 0, 1]], [0, 0, 0, 1]); // 0, 1, -1, 0
 */
export function qualityLosses(qualityByRung: LadderQuality, rungs: ArrayLike<number>): Float64Array {
  requireLadderQuality(qualityByRung);
  const strong = qualityByRung[qualityByRung.length - 1]!;
  requireRungs('rungs', rungs, { length: strong.length, rungCount: qualityByRung.length });
  const losses = new Float64Array(strong.length);
  for (let i = 0; i < losses.length; i++) losses[i] = strong[i]! - qualityByRung[rungs[i]!]![i]!;
  return losses;
}

/**
 * Silent downgrades: the number of cases whose routed reply is worse than the strong one by more than a margin. Over n cases it is the
 * silent downgrade rate.
 *
 *   number of cases with loss > margin + 1e-12
 *
 * Silent, because nothing fails: the person gets a reply, and it is the worse one. The mean quality loss does not show them, because
 * cases on which the cheap candidate happens to be better make up for them there, and not for the person who got the bad reply.
 *
 * All cases are in the denominator of the rate, those that were escalated too (they count as no downgrade): it is what a person meets,
 * and n does not depend on what the router chose. Over the cases that stayed cheap alone, a router that keeps one case cheap and fails
 * it would have a rate of 1, and every change of the threshold would measure other cases. O(n).
 *
 * @param losses q(strong) - q(routed) of each case (see qualityLosses), -1..1, shape [n]
 * @param margin 0..1: a loss up to the margin, itself included, is no downgrade. 1 counts nothing
 * @returns 0..n: a count for a Clopper-Pearson bound if the cases are independent
 * @throws PlimsollError `invalid-input`: no cases, NaN, a loss or a margin out of range
 * @example countSilentDowngrades([1, 0.4, -1, 0], 0.5); // 1
 */
export function countSilentDowngrades(losses: ArrayLike<number>, margin: number): number {
  requireNumbers('losses', losses, { min: -1, max: 1 });
  requireNumbers('margin', [margin], unitInterval);
  let downgraded = 0;
  for (let i = 0; i < losses.length; i++) if (losses[i]! > margin + QUALITY_TOLERANCE) downgraded++;
  return downgraded;
}

interface RoutingEntropy {
  /** 0 to log2(number of rungs). */
  readonly bits: number;
  /** bits / log2(number of rungs), 0..1. */
  readonly normalised: number;
}

/**
 * Entropy of the decisions over the rungs: how far the router is from sending everything to one candidate.
 *
 *   H = sum over rungs k with p[k] > 0 of p[k] log2(1 / p[k]),   p[k] = share of cases on rung k
 *
 * 0 is a collapsed router: one rung gets all. log2(number of rungs) is all rungs alike, which is no merit in itself: the right shares
 * depend on prices and cases. Rungs that are never chosen count in the normalised form. O(n).
 *
 * @param rungs the rung that routing chose for each case, shape [n]
 * @param rungCount rungs of the ladder, those that were never chosen included: a whole number of at least 2
 * @throws PlimsollError `invalid-input`: no cases, NaN, a rung that is negative, not whole or not below rungCount; a rungCount below 2
 *   or not whole
 * @see Shannon, A mathematical theory of communication, Bell System Technical Journal 27 (1948), section 6
 * @example routingEntropy([0, 0, 0, 1], 2).bits; // 0.8113
 */
export function routingEntropy(rungs: ArrayLike<number>, rungCount: number): RoutingEntropy {
  if (!Number.isSafeInteger(rungCount) || rungCount < 2) {
    const message = `rungCount is ${rungCount}: it must be a whole number of at least 2.`;
    throw new PlimsollError('invalid-input', message);
  }
  requireRungs('rungs', rungs, { rungCount });
  const counts = new Map<number, number>();
  for (let i = 0; i < rungs.length; i++) counts.set(rungs[i]!, (counts.get(rungs[i]!) ?? 0) + 1);
  let bits = 0;
  // lowest rung first: sums have one order, whatever the order of the cases
  for (const [, count] of [...counts].sort(([a], [b]) => a - b)) {
    bits += (count / rungs.length) * Math.log2(rungs.length / count);
  }
  return { bits, normalised: bits / Math.log2(rungCount) };
}
