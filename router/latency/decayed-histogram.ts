/** Buckets to each doubling: neighbouring bounds differ by 9.05 %, so the middle of a bucket is within 4.5 % of everything in it. */
const BUCKETS_PER_DOUBLING = 8;
/** 2^-10 to 2^24: a microsecond to 4.7 hours if the values are in ms. What lies outside counts in the first or the last bucket. */
const LOWEST = -10 * BUCKETS_PER_DOUBLING;
const HIGHEST = 24 * BUCKETS_PER_DOUBLING;
/** So many half-lives after its beginning the scale of the weights is moved, long before a double runs out of range. */
const HALF_LIVES_TO_RESCALE = 64;

/**
 * Quantiles of recent values. Each value has a weight that halves with every half-life, so old ones fade instead of dropping out of a window.
 *
 * Forward decay: a value seen at time t is added with the weight 2^((t - start) / halfLife), and nothing that was added before is touched,
 * since a common factor changes no quantile (Cormode, Shkapenyuk, Srivastava, Xu: "Forward Decay", ICDE 2009). Adding is one logarithm,
 * one power and one addition; memory is 2.2 kB, whatever is added.
 */
export class DecayedHistogram {
  readonly #halfLifeMs: number;
  readonly #weights = new Float64Array(HIGHEST - LOWEST + 1);
  #startMs: number;
  #total = 0;

  /** @param nowMs of any clock that never goes back; the other times are of the same one */
  constructor(halfLifeMs: number, nowMs: number) {
    this.#halfLifeMs = halfLifeMs;
    this.#startMs = nowMs;
  }

  /** @param value above 0; anything else is ignored */
  add(value: number, nowMs: number): void {
    if (!(value > 0) || value === Number.POSITIVE_INFINITY) return;
    if (this.#halfLivesUntil(nowMs) > HALF_LIVES_TO_RESCALE) this.#rescale(nowMs);
    const weight = 2 ** this.#halfLivesUntil(nowMs);
    this.#weights[bucketOf(value) - LOWEST]! += weight;
    this.#total += weight;
  }

  /** How many values of this moment it is worth: n values that are one half-life old count n / 2. */
  weight(nowMs: number): number {
    return this.#total / 2 ** this.#halfLivesUntil(nowMs);
  }

  /**
   * The value that a share of the weight is at or below, to within 4.5 %.
   * @param share above 0, at most 1
   * @returns undefined if nothing was added
   */
  quantile(share: number): number | undefined {
    if (this.#total === 0) return undefined;
    const wanted = share * this.#total;
    let below = 0;
    let last = 0;
    for (let i = 0; i < this.#weights.length; i++) {
      const weight = this.#weights[i]!;
      if (weight === 0) continue;
      below += weight;
      last = i;
      if (below >= wanted) break;
    }
    return 2 ** ((last + LOWEST + 0.5) / BUCKETS_PER_DOUBLING);
  }

  #halfLivesUntil(nowMs: number): number {
    return (nowMs - this.#startMs) / this.#halfLifeMs;
  }

  #rescale(nowMs: number): void {
    const factor = 2 ** -this.#halfLivesUntil(nowMs);
    this.#total = 0;
    for (let i = 0; i < this.#weights.length; i++) {
      const weight = this.#weights[i]! * factor;
      this.#weights[i] = weight;
      this.#total += weight;
    }
    this.#startMs = nowMs;
  }
}

function bucketOf(value: number): number {
  const bucket = Math.floor(Math.log2(value) * BUCKETS_PER_DOUBLING);
  return Math.min(Math.max(bucket, LOWEST), HIGHEST);
}
