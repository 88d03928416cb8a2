import { PlimsollError } from '../errors.ts';
import { requireNumbers } from './require-numbers.ts';

/**
 * The costs of all cases, or undefined if that of a single one is not known: a sum over the known ones alone would be
 * the cost of other cases than those whose quality is compared. O(n).
 *
 * @param name what the costs are called in a message
 * @param costsUsd one a case, US dollars, undefined where unknown
 * @param length the number of cases
 * @returns shape [n], or undefined
 * @throws PlimsollError `invalid-input`: no cases, another number of costs than `length`, a cost that is NaN, negative or infinite
 * @example knownCosts('costsUsd', [0.01, undefined], 2); // undefined
 */
export function knownCosts(
  name: string,
  costsUsd: ArrayLike<number | undefined>,
  length: number,
): Float64Array | undefined {
  if (costsUsd.length === 0 || costsUsd.length !== length) {
    const message = `${name} has ${costsUsd.length} values where ${length} are expected: one for each of at least one case.`;
    throw new PlimsollError('invalid-input', message);
  }
  const known = new Float64Array(length);
  let unknown = 0;
  for (let i = 0; i < length; i++) {
    const costUsd = costsUsd[i];
    if (costUsd === undefined) {
      unknown++;
      continue;
    }
    requireNumbers(`${name}[${i}]`, [costUsd], { min: 0, max: Number.MAX_VALUE });
    known[i] = costUsd;
  }
  return unknown === 0 ? known : undefined;
}
