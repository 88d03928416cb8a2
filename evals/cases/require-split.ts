import { PlimsollError } from '../../router/errors.ts';

/** Shares may miss 1 by this much: 0.7 + 0.2 + 0.1 is not 1 in binary. */
const SUM_TOLERANCE = 1e-9;

/** @throws PlimsollError 'invalid-input' unless each share is from 0 to 1 and all add up to 1 */
export function requireShares(shares: Readonly<Record<string, number>>): void {
  const values = Object.values(shares);
  const sum = values.reduce((total, share) => total + share, 0);
  const inRange = values.every((share) => share >= 0 && share <= 1);
  if (inRange && Math.abs(sum - 1) <= SUM_TOLERANCE) return;
  const given = Object.entries(shares).map(([part, share]) => `${part} ${share}`);
  throw new PlimsollError(
    'invalid-input',
    `The shares of a split must be from 0 to 1 and add up to 1; given: ${given.join(', ')}.`,
  );
}

/** @throws PlimsollError 'invalid-input' unless the seed is a whole number that JavaScript holds exactly */
export function requireSeed(seed: number): void {
  if (Number.isSafeInteger(seed)) return;
  throw new PlimsollError('invalid-input', `The seed must be a whole number; given: ${seed}.`);
}
