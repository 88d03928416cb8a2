/** What the lines of a running batch are at. By it the worker sees that a batch only waits for a limit. */
export class Activity {
  #lines = 0;
  readonly #waits = new Set<{ readonly untilMs: number }>();

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

  /** Of a line that is at a limit. @param sleep resolves at that time, or earlier */
  async atLimit(untilMs: number, sleep: () => Promise<void>): Promise<void> {
    const wait = { untilMs };
    this.#waits.add(wait);
    await sleep();
    this.#waits.delete(wait);
  }
}
