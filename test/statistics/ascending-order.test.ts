import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascendingOrder } from '../../router/statistics/ascending-order.ts';

/** What a stable comparison sort makes of it. */
function comparedOrder(values: ArrayLike<number>): number[] {
  return Array.from(values, (_, i) => i).sort((a, b) => {
    const [x, y] = [values[a]!, values[b]!];
    return x < y ? -1 : x > y ? 1 : 0;
  });
}

/** Numbers of which many are equal, or agree in their upper bits. */
const number = fc.oneof(
  fc.double({ noNaN: true }),
  fc.constantFrom(0, -0, 1, -1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.MIN_VALUE),
  fc.integer({ min: -4, max: 4 }).map((ulps) => 0.5 + ulps * Number.EPSILON),
);

describe('ascendingOrder', () => {
  it('is that of a stable comparison sort, for few values', () => {
    fc.assert(
      fc.property(fc.array(number, { maxLength: 60 }), (values) => {
        expect([...ascendingOrder(values)]).toEqual(comparedOrder(values));
      }),
    );
  });

  it('is that of a stable comparison sort, for many values', () => {
    fc.assert(
      fc.property(fc.array(number, { minLength: 50, maxLength: 200 }), (some) => {
        const values = Float64Array.from({ length: 5000 }, (_, i) => some[(i * 31) % some.length]!);
        expect([...ascendingOrder(values)]).toEqual(comparedOrder(values));
      }),
      { numRuns: 20 },
    );
  });
});
