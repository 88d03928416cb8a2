import { randomFillSync } from 'node:crypto';
import { textLanguage } from '../cascade/index.ts';
import type { Stratum } from './captured.ts';

/** Upper ends of the bands of length, in characters. */
const SHORT = 200;
const MEDIUM = 1_000;
const LONG = 4_000;
/** Lower ends of the bands of the predicted loss; below the first all is one band. */
const LOSS_BANDS = [0, 0.05, 0.1, 0.2, 0.4];

/** What is known about a request before the draw. */
export interface StratumFacts {
  /** The text that is scored; undefined if there is none. */
  readonly text: string | undefined;
  readonly task?: string | undefined;
  /** Predicted loss, -1 to 1; undefined if the client named the model. */
  readonly predictedLoss?: number | undefined;
}

export function stratumOf({ text = '', task, predictedLoss }: StratumFacts): Stratum {
  return {
    ...(task !== undefined && { task }),
    length: lengthBand(text.length),
    language: textLanguage(text),
    score: scoreBand(predictedLoss),
  };
}

function lengthBand(characters: number): Stratum['length'] {
  if (characters <= SHORT) return 'short';
  if (characters <= MEDIUM) return 'medium';
  return characters <= LONG ? 'long' : 'very-long';
}

function scoreBand(predictedLoss: number | undefined): string {
  if (predictedLoss === undefined) return 'none';
  return String(LOSS_BANDS.findLast((from) => predictedLoss >= from) ?? -1);
}

export interface Sampler {
  /** Draws one request, which counts from then on. @returns the probability with which it was drawn; undefined if it was not */
  draw(stratum: Stratum): number | undefined;
  /** With which probability the next request of a stratum will be drawn. */
  probability(stratum: Stratum): number;
}

/** Strata beyond these share one: a client may write tasks as it likes. */
const MOST_STRATA = 2_000;
/** When this many requests were counted, all counts are halved: the rates follow the traffic. */
const HALVED_AT = 100_000;
/** The least rate of any stratum, as a part of `share`. */
const LEAST_OF_SHARE = 0.25;

/**
 * Poisson sampling: each request is drawn by itself, with a probability that depends on its stratum and on the requests *before* it alone. So
 * it is known at the draw and never revised, and 1 over it is an unbiased weight (Horvitz and Thompson 1952; given the past, the draw has that
 * probability, so the errors of a weighted sum are a martingale). With n_h requests seen in stratum h, of n in all,
 *
 *     p_h = min(1, floor + (share - floor) * (n / sqrt(n_h)) / sum over k of sqrt(n_k)),    floor = share * max(1/4, share)
 *
 * The second part is power allocation with exponent 1/2 (Bankier, Power Allocations, The American Statistician 42, 1988): a stratum that is
 * four times as frequent is kept twice as often, not four times. The mean of p is `share` as long as no p_h is cut at 1.
 *
 * @param share the share of the requests that is kept, above 0 and at most 1; 1 keeps all
 * @param random uniform in [0, 1); by default of crypto
 */
export function createSampler(share: number, random: () => number = cryptoRandom): Sampler {
  const floor = share * Math.max(LEAST_OF_SHARE, share);
  const counts = new Map<string, number>();
  let total = 0;
  let rootSum = 0;

  function nameOf(stratum: Stratum): string {
    const name = JSON.stringify([stratum.task, stratum.length, stratum.language, stratum.score]);
    return counts.has(name) || counts.size < MOST_STRATA ? name : '';
  }

  /** As if the request itself had been seen: the first one of a stratum has a rate too. */
  function probability(stratum: Stratum): number {
    const seen = counts.get(nameOf(stratum)) ?? 0;
    const roots = rootSum - Math.sqrt(seen) + Math.sqrt(seen + 1);
    const relative = (total + 1) / Math.sqrt(seen + 1) / roots;
    return Math.min(1, floor + (share - floor) * relative);
  }

  function count(stratum: Stratum): void {
    const name = nameOf(stratum);
    const seen = counts.get(name) ?? 0;
    counts.set(name, seen + 1);
    rootSum += Math.sqrt(seen + 1) - Math.sqrt(seen);
    if (++total >= HALVED_AT) halve();
  }

  function halve(): void {
    for (const [name, seen] of counts) counts.set(name, seen / 2);
    total /= 2;
    rootSum = [...counts.values()].reduce((sum, seen) => sum + Math.sqrt(seen), 0);
  }

  return {
    probability,
    draw(stratum) {
      const p = probability(stratum);
      count(stratum);
      return random() < p ? p : undefined;
    },
  };
}

const pool = new Uint32Array(1_024);
let used = pool.length;

/** Random, so that nobody can foresee which requests are kept. */
function cryptoRandom(): number {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  return pool[used++]! / 2 ** 32;
}
