/** A mean and the interval of its sampling error. */
export interface MeanInterval {
  readonly n: number;
  readonly mean: number;
  /** The 95 % normal interval; as wide as can be said from this many values. */
  readonly low: number;
  readonly high: number;
}

const Z = 1.959964;

/** Mean and variance of values that come one by one (Welford, Technometrics 4, 1962). */
export class RunningMean {
  #n = 0;
  #mean = 0;
  #squares = 0;

  add(value: number): void {
    this.#n++;
    const off = value - this.#mean;
    this.#mean += off / this.#n;
    this.#squares += off * (value - this.#mean);
  }

  get n(): number {
    return this.#n;
  }

  /** Undefined below two values. */
  interval(): MeanInterval | undefined {
    if (this.#n < 2) return undefined;
    const half = Z * Math.sqrt(this.#squares / (this.#n - 1) / this.#n);
    return { n: this.#n, mean: this.#mean, low: this.#mean - half, high: this.#mean + half };
  }
}
