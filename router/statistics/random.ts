import { PlimsollError } from '../errors.ts';
import { requireNumbers } from './input-checks.ts';

/** Four unsigned 32-bit words, not all of them 0. */
type RandomState = readonly [number, number, number, number];

/** The next unsigned 32-bit word, 0 to 2^32 - 1. */
type RandomWords = () => number;

/**
 * Pseudo-random words by xoshiro128**: the same state gives the same words on every machine. Period 2^128 - 1. Not for secrets.
 *
 * @param state the start of the sequence; see seededRandom for a start from one number
 * @see Blackman and Vigna, xoshiro128starstar.c 1.1, https://prng.di.unimi.it/xoshiro128starstar.c, public domain (CC0)
 */
export function xoshiro128StarStar(state: RandomState): RandomWords {
  let [a, b, c, d] = state;
  return () => {
    const word = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return word;
  };
}

/**
 * Pseudo-random numbers from a seed: uniform over the multiples of 2^-32 in [0, 1). The same seed gives the same numbers on
 * every machine. An index below n is Math.floor(random() * n), whose bias is below n / 2^32.
 *
 * The seed is spread over the state of xoshiro128** by a counter and a mixing function of 32 bits; four different
 * counters never all mix to 0.
 *
 * @param seed a whole number from 0 to 2^32 - 1
 * @throws PlimsollError `invalid-input`: any other seed
 * @see Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA 2014 (the counter); Wellons, hash-prospector
 *   (the mixing constants), public domain
 */
export function seededRandom(seed: number): () => number {
  requireNumbers('seed', [seed], { min: 0, max: 2 ** 32 - 1 });
  if (!Number.isInteger(seed)) {
    throw new PlimsollError('invalid-input', `seed is ${seed}: it must be a whole number.`);
  }
  const next = xoshiro128StarStar([mixed(seed, 1), mixed(seed, 2), mixed(seed, 3), mixed(seed, 4)]);
  return () => next() / 2 ** 32;
}

function mixed(seed: number, step: number): number {
  let word = (seed + Math.imul(step, 0x9e3779b9)) | 0;
  word = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
  word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
  return word ^ (word >>> 15);
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

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
    const moved = order[i]!;
    order[i] = order[other]!;
    order[other] = moved;
  }
  return order;
}
