/** US dollars that a run may spend. A call reserves the most that it can cost, and settles what it did cost. */
export class Budget {
  readonly limitUsd: number;
  #spentUsd: number;
  #reservedUsd = 0;
  #waiting: (() => void)[] = [];

  /** @param spentUsd by earlier runs of the same journal */
  constructor(limitUsd: number, spentUsd: number) {
    this.limitUsd = limitUsd;
    this.#spentUsd = spentUsd;
  }

  get spentUsd(): number {
    return this.#spentUsd;
  }

  /**
   * Waits while calls at work may turn out cheaper than they reserved.
   * @returns false if the call could exceed the limit; then nothing is reserved
   */
  async reserve(usd: number): Promise<boolean> {
    while (this.#spentUsd + this.#reservedUsd + usd > this.limitUsd) {
      if (this.#reservedUsd <= 0 || this.#spentUsd + usd > this.limitUsd) return false;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#reservedUsd += usd;
    return true;
  }

  /** What counts as spent, since nobody knew what happened to a call, is reserved again: the call goes on. */
  resume(usd: number): void {
    this.#spentUsd -= usd;
    this.#reservedUsd += usd;
  }

  /** @param chargedUsd what counts in place of the reservation: 0 if the call failed */
  settle(reservedUsd: number, chargedUsd: number): void {
    this.#reservedUsd = Math.max(0, this.#reservedUsd - reservedUsd);
    if (this.#reservedUsd < SMALLEST_USD) this.#reservedUsd = 0;
    this.#spentUsd += chargedUsd;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }
}

/** Below any call's cost: what is left of sums of floating-point numbers. */
const SMALLEST_USD = 1e-12;
