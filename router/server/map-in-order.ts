import type { Abandonment } from './admission.ts';

/**
 * Applies `f` to each item, at most `width` at once, and answers in the order of the items. Stops taking new items
 * once nobody waits for them; the answer then has holes, and nobody reads it.
 */
export async function mapInOrder<T, R>(
  items: readonly T[],
  width: number,
  f: (item: T) => Promise<R>,
  waiting: Abandonment,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  async function worker(): Promise<void> {
    while (next < items.length && !waiting.abandoned) {
      const index = next++;
      results[index] = await f(items[index]!);
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
}
