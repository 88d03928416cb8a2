import { PlimsollError } from '../errors.ts';
import { requireNumbers } from './require-numbers.ts';
import { seededRandom } from './seeded-random.ts';

/**
 * 0 to n - 1 in a random order: in it a gate hands its values to the betting bound, which is valid in any order that does not depend
 * on the values. A file's own order may: by date, by task, by difficulty. The same n and seed give the same order on every machine.
 *
 * @param n a whole number from 0 to 2^32 - 1
 * @param seed a whole number from 0 to 2^32 - 1, set before the values are seen: to try seeds until one passes breaks the bound
 * @returns shape [n]
 * @throws PlimsollError `invalid-input`: any other n or seed
 * @see Durstenfeld, Algorithm 235: Random permutation, CACM 7 (1964), the shuffle of Fisher and Yates
 */
export function shuffledOrder(n: number, seed: number): Uint32Array {
  requireNumbers('n', [n], { min: 0, max: 2 ** 32 - 1 });
  if (!Number.isInteger(n)) throw new PlimsollError('invalid-input', `n is ${n}: it must be a whole number.`);
  const random = seededRandom(seed);
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  for (let i = n - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    const moved = order[i];
    order[i] = order[other];
    order[other] = moved;
  }
  return order;
}
