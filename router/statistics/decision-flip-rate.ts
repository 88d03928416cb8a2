import { requireRungs } from './require-rungs.ts';

/**
 * Decision flip rate: the share of cases that go to another candidate after an edit that does not change what is asked.
 *
 *   rate = mean of [rung(original) != rung(edited)]
 *
 * 0 is a router that is not moved by the edit. Up and down count alike, and so do one rung and two: a flip is a flip. It does not say
 * which of the two decisions was right. A router that sends all to one rung has 0 as well: read it beside routingEntropy. O(n).
 *
 * @param original the rung of each case as it was asked, shape [n]
 * @param edited the rung of the same cases after the edit, in the same order. Shape [n]
 * @returns 0..1
 * @throws PlimsollError `invalid-input`: no cases, different lengths, NaN, a rung that is negative or not a whole number
 * @example decisionFlipRate([0, 1, 0, 2], [0, 1, 1, 2]); // 0.25
 */
export function decisionFlipRate(original: ArrayLike<number>, edited: ArrayLike<number>): number {
  requireRungs('original', original);
  requireRungs('edited', edited, { length: original.length });
  let flipped = 0;
  for (let i = 0; i < original.length; i++) if (original[i] !== edited[i]) flipped++;
  return flipped / original.length;
}
