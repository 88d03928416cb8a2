import { PlimsollError } from '../errors.ts';
import { requireNumbers } from './input-checks.ts';

/** Evidence that units did not come to the arms with the probabilities that they were to be assigned by. It may be looked at after every unit. */
export interface SampleRatioTest {
  /**
   * @param arm index of the arm that the unit came to
   * @param probabilities of all arms at that time; they may change
   * @throws PlimsollError `invalid-input`: probabilities that are negative or do not sum to 1, or an arm of probability 0
   */
  observe(arm: number, probabilities: readonly number[]): void;
  /** min(1, 1 / the largest Bayes factor so far): while the assignment is right it ever falls to delta with probability at most delta. */
  pValue(): number;
}

/** How sure the prior is of the intended shares, in units: a mismatch of some percent is found in some thousands. */
const PRIOR_UNITS = 100;

/**
 * The sequential multinomial test: a Bayes factor of a Dirichlet prior around the intended shares p against these themselves,
 *
 *   B[t] = B[t-1] q[t](arm) / p[t](arm),   q[t](i) = p[t](i) r[t](i) / sum,   r[t](i) = (100 p[1](i) + n[t-1](i)) / (100 p[1](i) + e[t-1](i))
 *
 * with n the units that came to arm i, and e those that were expected. With constant shares q is the predictive of Dirichlet(100 p). Each factor has an
 * expectation of 1 if the assignment is right, so Ville's inequality holds for shares that change, too.
 *
 * @see Lindon and Malek, Anytime-valid inference for multinomial count data, NeurIPS 2022, arXiv 2011.03567
 */
export function sampleRatioTest(): SampleRatioTest {
  let first: readonly number[] | undefined;
  let counts: number[] = [];
  let expected: number[] = [];
  let logFactor = 0;
  let highest = 0;
  return {
    observe(arm, probabilities) {
      requireShares(arm, probabilities, counts.length || probabilities.length);
      first ??= probabilities.map((p) => PRIOR_UNITS * (p > 0 ? p : 1 / probabilities.length));
      if (counts.length === 0) {
        counts = probabilities.map(() => 0);
        expected = probabilities.map(() => 0);
      }
      const ratios = first.map((prior, i) => (prior + counts[i]!) / (prior + expected[i]!));
      const sum = probabilities.reduce((total, p, i) => total + p * ratios[i]!, 0);
      logFactor += Math.log(ratios[arm]! / sum);
      highest = Math.max(highest, logFactor);
      counts[arm]!++;
      for (const [i, p] of probabilities.entries()) expected[i]! += p;
    },
    pValue: () => Math.exp(-highest),
  };
}

function requireShares(arm: number, probabilities: readonly number[], arms: number): void {
  requireNumbers('probabilities', probabilities, { length: arms, min: 0, max: 1 });
  const sum = probabilities.reduce((total, p) => total + p, 0);
  if (Math.abs(sum - 1) > 1e-6) {
    throw new PlimsollError('invalid-input', `The probabilities of the arms sum to ${sum}, not to 1.`);
  }
  if (probabilities[arm]) return;
  throw new PlimsollError(
    'invalid-input',
    `A unit came to arm ${arm}, whose probability is ${probabilities[arm] ?? 'not known'}.`,
  );
}
