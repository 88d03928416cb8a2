export interface Batch<T> {
  add(item: T): void;
  /** Handles what waits, now. */
  flush(): void;
}

export interface BatchLimits {
  /** Handled at once when so many wait. */
  readonly maxItems: number;
  /** The longest that an item waits, in ms. */
  readonly maxMs: number;
}

/** Items that are handled together, so that work which can wait is not done between two requests. Its timer keeps no process alive. */
export function createBatch<T>(
  handle: (items: readonly T[]) => void,
  { maxItems, maxMs }: BatchLimits,
): Batch<T> {
  let waiting: T[] = [];
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length === 0) return;
    const items = waiting;
    waiting = [];
    handle(items);
  }

  return {
    flush,
    add(item) {
      waiting.push(item);
      if (waiting.length >= maxItems) flush();
      else timer ??= setTimeout(flush, maxMs).unref();
    },
  };
}
