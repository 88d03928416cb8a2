import { smallArrays } from '../small-arrays.ts';

/** Buckets that neighbouring word pieces are hashed into. A power of two; each costs four bytes a head in the artifact. */
export const PAIR_BUCKETS = 2 ** 16;

/** The bucket of a text without pairs. No pair is hashed into it, so its weight is 0. */
export const NO_PAIR = 0;

/**
 * The bucket of two word pieces that stand side by side, 1 to PAIR_BUCKETS - 1: multiplicative hashing (Knuth, The Art of
 * Computer Programming 3, section 6.4) of both ids. Pairs that share a bucket share a weight (Weinberger et al. 2009).
 */
export function pairBucket(first: number, second: number): number {
  const mixed = Math.imul(Math.imul(first, 0x9e3779b1) ^ second, 0x85ebca6b);
  return 1 + (((mixed ^ (mixed >>> 15)) >>> 0) % (PAIR_BUCKETS - 1));
}

/**
 * The distinct buckets of a text's word pairs, in the order of their first appearance; [NO_PAIR] if there is none.
 * A text is represented by 1 / sqrt(count) in each, so that long and short texts have the same norm.
 */
export function pairBuckets(tokenIds: Int32Array): Int32Array {
  if (found.length < tokenIds.length) found = new Int32Array(2 * tokenIds.length);
  let count = 0;
  for (let i = 1; i < tokenIds.length; i++) {
    const bucket = pairBucket(tokenIds[i - 1]!, tokenIds[i]!);
    if (seen[bucket]) continue;
    seen[bucket] = 1;
    found[count++] = bucket;
  }
  const buckets = bucketArray(Math.max(1, count)); // zeros: NO_PAIR
  for (let k = 0; k < count; k++) {
    const bucket = found[k]!;
    buckets[k] = bucket;
    seen[bucket] = 0;
  }
  return buckets;
}

/** Scratch space of one call. */
let found = new Int32Array(1024);
const bucketArray = smallArrays(Int32Array);

/** Marks of one call, all 0 between calls: a Set for each request costs four times as much. */
const seen = new Uint8Array(PAIR_BUCKETS);
