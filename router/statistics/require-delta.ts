import { PlimsollError } from '../errors.ts';

/**
 * Stops a bound whose error probability cannot be kept.
 *
 * @throws PlimsollError `invalid-input`: delta is not strictly between 0 and 1
 */
export function requireDelta(delta: number): void {
  if (delta > 0 && delta < 1) return;
  throw new PlimsollError('invalid-input', `delta is ${delta}: it must lie between 0 and 1, without either.`);
}
