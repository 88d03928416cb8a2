import { PlimsollError } from '../errors.ts';
import { requireNumbers, unitInterval } from './require-numbers.ts';

/** The quality that each candidate of a ladder reached on the same cases, cheapest first: [rung][case], each 0..1. */
export type LadderQuality = readonly ArrayLike<number>[];

/**
 * Stops a measurement over qualities that are not those of one ladder on one set of cases. O(rungs * n).
 *
 * @throws PlimsollError `invalid-input`: fewer than two rungs, no cases, rungs with different numbers of cases, NaN, a quality outside 0..1
 * @example requireLadderQuality([[0, 1], [1]]); // throws: qualityByRung[1] has 1 values where 2 are expected
 */
export function requireLadderQuality(qualityByRung: LadderQuality): void {
  if (qualityByRung.length < 2) {
    const message = `qualityByRung has ${qualityByRung.length} rungs: a ladder has at least two, cheapest first.`;
    throw new PlimsollError('invalid-input', message);
  }
  const length = qualityByRung[0].length;
  qualityByRung.forEach((quality, rung) => {
    requireNumbers(`qualityByRung[${rung}]`, quality, { ...unitInterval, length });
  });
}
