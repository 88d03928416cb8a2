/** How often a limit of ours is tried again before it is due: it may have been raised. */
const LOOK_MS = 30_000;

/** What the lines of a running batch are at. By it the worker sees that a batch only waits for a limit. */
export class Activity {
  #lines = 0;
  readonly #waits = new Set<{ readonly untilMs: number }>();
  #hasLookout = false;
  /** Lines on the lookout that found room. */
  #found = 0;

  /** When the first line is tried again, if all that were begun wait for a limit; undefined if one of them does not, or none was begun. */
  get waitsUntilMs(): number | undefined {
    if (this.#waits.size === 0 || this.#waits.size < this.#lines) return undefined;
    return Math.min(...[...this.#waits].map(({ untilMs }) => untilMs));
  }

  async line<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#lines++;
    try {
      return await work();
    } finally {
      this.#lines--;
    }
  }

  /**
   * A line waits at a limit. If it is a limit of ours, one line at a time is on the lookout and tries again early; once it gets through, the others
   * wait no longer.
   * @param sleep resolves at that time, or once it is over
   * @returns whether the line is on the lookout: if it gets through now, `foundRoom` is to be called
   */
  async atLimit(
    {
      untilMs,
      nowMs,
      isOurs,
    }: { readonly untilMs: number; readonly nowMs: number; readonly isOurs: boolean },
    sleep: (untilMs: number, isOver: () => boolean) => Promise<void>,
  ): Promise<boolean> {
    const wait = { untilMs };
    this.#waits.add(wait);
    const found = this.#found;
    const isLookout = isOurs && !this.#hasLookout;
    if (isLookout) this.#hasLookout = true;
    const wakeMs = isLookout ? Math.min(untilMs, nowMs + LOOK_MS) : untilMs;
    await sleep(wakeMs, () => isOurs && this.#found !== found);
    if (isLookout) this.#hasLookout = false;
    this.#waits.delete(wait);
    return isLookout;
  }

  foundRoom(): void {
    this.#found++;
  }
}
