import { nextTurn } from '../turns.ts';
import type { Abandonment } from './admission.ts';

/** Work without a wait of its own would keep all other requests waiting until the last item. */
const SLICE_MS = 10;

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
  let sliceFromMs = performance.now();
  async function worker(): Promise<void> {
    while (next < items.length && !waiting.abandoned) {
      if (performance.now() - sliceFromMs > SLICE_MS) {
        await nextTurn();
        sliceFromMs = performance.now();
        continue;
      }
      const index = next++;
      results[index] = await f(items[index]!);
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
}
