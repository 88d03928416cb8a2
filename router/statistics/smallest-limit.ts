/** The bracket is closed to this share of the limit: a few units in the last place. */
const CLOSE_ENOUGH = 2 ** -50;

/**
 * The smallest limit in [from, 1] that a test rejects, by bisection. A bound is the inversion of a test: what it rejects lies beyond.
 *
 * @param rejects whether the test rejects a limit; if it rejects one it must reject every larger one
 * @param from 0..1, where the search starts; the result is never below it
 * @returns a limit that is rejected, at most 2^-50 of itself too large; 1 if none below 1 is rejected
 */
export function smallestLimit(rejects: (limit: number) => boolean, from: number): number {
  if (rejects(from)) return from;
  let kept = from;
  let rejected = 1;
  while (rejected - kept > CLOSE_ENOUGH * rejected) {
    const middle = (kept + rejected) / 2;
    if (middle === kept || middle === rejected) break;
    if (rejects(middle)) rejected = middle;
    else kept = middle;
  }
  return rejected;
}
