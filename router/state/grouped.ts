/** Items of one transaction: above this a statement takes too long for those that wait. */
export const MAX_GROUP = 1_000;

interface Group<T, R> {
  readonly items: T[];
  readonly done: Promise<R>;
  readonly start: () => void;
}

/**
 * Group commit: while one write is at work, all that comes waits, and is then written together. A failed group fails all its callers,
 * who may repeat. All callers of a group get the same result.
 */
export function grouped<T, R = void>(
  write: (items: readonly T[]) => Promise<R>,
): (items: readonly T[]) => Promise<R> {
  const waiting: Group<T, R>[] = [];
  let working = false;

  async function work(): Promise<void> {
    working = true;
    await Promise.resolve(); // what comes in the same turn goes together
    for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
      group.start();
      await group.done.catch(() => {});
    }
    working = false;
  }

  function newGroup(): Group<T, R> {
    const items: T[] = [];
    let start = () => {};
    const started = new Promise<void>((resolve) => {
      start = resolve;
    });
    const group = { items, start, done: started.then(() => write(items)) };
    waiting.push(group);
    return group;
  }

  return (items) => {
    const last = waiting.at(-1);
    const group = last !== undefined && last.items.length < MAX_GROUP ? last : newGroup();
    group.items.push(...items);
    if (!working) void work();
    return group.done;
  };
}
