import { PlimsollError } from '../errors.ts';
import { meanQualityRange } from './quality-tolerance.ts';
import { requireNumbers, unitInterval } from './require-numbers.ts';
import type { RoutingCurve } from './routing-curve.ts';

/**
 * Stops a measurement over a curve that does not run from always cheap (share 0) to always strong (share 1): areas and
 * crossings of such a curve mean something else. O(n).
 *
 * @throws PlimsollError `invalid-input`: fewer than two points, arrays of different lengths, NaN, a quality outside 0..1, an
 *   infinite cost, shares that fall or that do not run from exactly 0 to exactly 1
 */
export function requireAnchoredCurve({ shareEscalated, meanQuality, meanCostUsd }: RoutingCurve): void {
  const length = shareEscalated.length;
  requireNumbers('shareEscalated', shareEscalated, unitInterval);
  requireNumbers('meanQuality', meanQuality, { ...meanQualityRange, length });
  if (meanCostUsd !== undefined) {
    requireNumbers('meanCostUsd', meanCostUsd, { length, min: -Number.MAX_VALUE, max: Number.MAX_VALUE });
  }
  const rises = shareEscalated.every((share, k) => k === 0 || share >= shareEscalated[k - 1]);
  if (length < 2 || shareEscalated[0] !== 0 || shareEscalated[length - 1] !== 1 || !rises) {
    const message =
      'shareEscalated must rise from 0 (always cheap) to 1 (always strong): add the ends, and sort.';
    throw new PlimsollError('invalid-input', message);
  }
}
