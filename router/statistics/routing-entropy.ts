import { PlimsollError } from '../errors.ts';
import { requireRungs } from './require-rungs.ts';

export interface RoutingEntropy {
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
  for (let i = 0; i < rungs.length; i++) counts.set(rungs[i], (counts.get(rungs[i]) ?? 0) + 1);
  let bits = 0;
  // lowest rung first: sums have one order, whatever the order of the cases
  for (const [, count] of [...counts].sort(([a], [b]) => a - b)) {
    bits += (count / rungs.length) * Math.log2(rungs.length / count);
  }
  return { bits, normalised: bits / Math.log2(rungCount) };
}
