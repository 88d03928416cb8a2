import { PlimsollError } from '../errors.ts';
import { requireNumbers } from './input-checks.ts';
import { mean } from './mean.ts';

/** Evidence that the mean of a stream lies above a limit. It may be looked at after every value. */
export interface EProcess {
  /** @throws PlimsollError `invalid-input` if the value is outside of the range */
  observe(value: number): void;
  /** The e-value now, as a natural logarithm. */
  logValue(): number;
  /** min(1, 1 / the largest e-value so far). */
  pValue(): number;
}

/** Shares of the largest stake that cannot lose all capital, spread evenly in the logarithm; fixed before any value is seen. */
const SHARES = Float64Array.from({ length: 8 }, (_, k) => 0.05 * 18 ** (k / 7));

/**
 * An e-process against "the mean of each value, given those before, is at most `limit`": the capital of a gambler who bets that it is more. While the claim
 * holds, its expectation is at most 1 whenever one stops, so that it ever passes 1/delta with probability at most delta (Ville's inequality).
 *
 *   E[t] = rest[t] + mean over stakes k of S[k,t],   S[k,t] = (S[k,t-1] + rest[t-1] - rest[t]) (1 + stake[k] (x[t] - limit))
 *
 * Eight stakes from 5 to 90 % of 1 / (limit - low), which is the most that can be bet without losing everything; the mixture loses at most ln 8 against the
 * best of them. Capital is put in at every step and half of it at the first, rest[t] = 1 / (2 + 2 ln t) being what is kept back (rest[0] = 1): a change
 * after many good values is found without first winning back what they cost. O(1) a value.
 *
 * @param limit inside of the range
 * @param range of the values; by default -1 to 1, that of quality losses
 * @throws PlimsollError `invalid-input`: a limit that is not inside of the range
 * @see Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting, JRSS B 86 (2024), arXiv 2010.09686, section 4 (bets on the mean);
 *   Shin, Ramdas and Rinaldo, E-detectors, arXiv 2203.03532, section 2 (sums over the times at which a bet begins)
 */
export function eProcess(
  limit: number,
  range: { readonly low: number; readonly high: number } = { low: -1, high: 1 },
): EProcess {
  const { low, high } = range;
  requireNumbers('limit', [limit], { min: low, max: high });
  if (limit === low || limit === high) {
    throw new PlimsollError('invalid-input', `limit is ${limit}: it must lie between ${low} and ${high}.`);
  }
  const stakes = SHARES.map((share) => share / (limit - low));
  const capitals = new Float64Array(stakes.length);
  let n = 0;
  // All capital is kept divided by e^scale: after a year above the limit it would overflow.
  let scale = 0;
  let rest = 1;
  let highest = 1;
  const value = () => rest + mean(capitals);

  return {
    observe(x) {
      requireNumbers('value', [x], { min: low, max: high });
      n++;
      const before = rest;
      rest = keptBack(n) * Math.exp(-scale);
      for (let k = 0; k < stakes.length; k++) {
        capitals[k] = (capitals[k]! + before - rest) * (1 + stakes[k]! * (x - limit));
      }
      highest = Math.max(highest, value());
      if (highest > TOO_LARGE) rescale();
    },
    logValue: () => Math.log(value()) + scale,
    pValue: () => Math.exp(-scale) / highest,
  };

  function rescale(): void {
    for (let k = 0; k < capitals.length; k++) capitals[k]! /= TOO_LARGE;
    rest /= TOO_LARGE;
    highest /= TOO_LARGE;
    scale += Math.log(TOO_LARGE);
  }
}

const TOO_LARGE = 1e150;

/** The share of the capital that no bet has begun with after n values, at least one. */
function keptBack(n: number): number {
  return 1 / (2 + 2 * Math.log(n));
}
