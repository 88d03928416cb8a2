const HEAD_SHARE = 3 / 4; // a request mostly says what it wants at the start, and often repeats it at the end

/**
 * The first three quarters and the last quarter of `limit` ids, in order; the ids as they are where they fit.
 * @example keepHeadAndTail(Int32Array.of(1, 2, 3, 4, 5, 6), 4) // 1, 2, 3, 6
 */
export function keepHeadAndTail(ids: Int32Array, limit: number): Int32Array {
  if (ids.length <= limit) return ids;
  const head = Math.ceil(limit * HEAD_SHARE);
  const kept = new Int32Array(limit);
  kept.set(ids.subarray(0, head));
  kept.set(ids.subarray(ids.length - (limit - head)), head);
  return kept;
}
