import { NO_PAIR, pairBucket } from '../classifier/index.ts';
import { keepHeadAndTail } from '../encoders/index.ts';

/** Word pieces that are read: what is wanted is said at the start or the end, and what it is done to lies between. */
const MOST_PIECES = 120;

/** The pieces of a text that say what is wanted: all of a short one, head and tail of a long one. */
export function instructionPieces(ids: Int32Array): Int32Array {
  return keepHeadAndTail(ids, MOST_PIECES);
}

/** Pieces at either end that also count for where they are. */
const END_PIECES = 10;

/** In the place of a pair's first piece: they are no ids, so the buckets are others than those of pairs. */
const ALONE = -1;
const NEAR_START = -2;
const NEAR_END = -3;
const FIRST = -4;

/**
 * The distinct buckets of the pieces: each alone, each with the one before it, and those at either end once more for being there, because
 * "translate" at the start says something else than in the middle of a letter. At least one.
 */
export function taskBuckets(ids: Int32Array): Int32Array {
  const buckets = new Set<number>();
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    buckets.add(pairBucket(ALONE, id));
    if (i > 0) buckets.add(pairBucket(ids[i - 1]!, id));
    if (i < END_PIECES) buckets.add(pairBucket(NEAR_START, id));
    if (i >= ids.length - END_PIECES) buckets.add(pairBucket(NEAR_END, id));
  }
  if (ids.length > 0) buckets.add(pairBucket(FIRST, ids[0]!));
  return buckets.size > 0 ? Int32Array.from(buckets) : Int32Array.of(NO_PAIR);
}
