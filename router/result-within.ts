/**
 * The result of some work; undefined if it takes longer. The work then goes on, and its outcome is ignored. A result that came in time
 * counts, also if this process was too busy to read it: after a pause timers fire first, and what arrived in the meantime is read after them.
 * @throws what the work rejects with in time
 */
export async function resultWithin<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => setImmediate(() => setImmediate(resolve, undefined)), ms);
  });
  try {
    return await Promise.race([work, passed]);
  } finally {
    clearTimeout(timer);
  }
}
