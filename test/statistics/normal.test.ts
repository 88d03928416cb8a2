import { describe, expect, it } from 'vitest';
import { normalCdf, normalQuantile } from '../../router/statistics/index.ts';

/** Of scipy.stats.norm 1.11. */
const CDF: readonly (readonly [number, number])[] = [
  [0, 0.5],
  [1, 0.8413447460685429],
  [-1.959963984540054, 0.025],
  [3, 0.9986501019683699],
  [-6, 9.865876450376946e-10],
  [-10, 7.619853024160527e-24],
];

describe('the normal distribution', () => {
  it.each(CDF)('cdf(%d)', (x, p) => expect(normalCdf(x) / p).toBeCloseTo(1, 7));

  it.each(CDF)('quantile of cdf(%d)', (x, p) => expect(normalQuantile(p)).toBeCloseTo(x, 7));

  it('has its ends, and NaN stays NaN', () => {
    expect([normalCdf(Number.NEGATIVE_INFINITY), normalCdf(Number.POSITIVE_INFINITY)]).toEqual([0, 1]);
    expect(normalCdf(Number.NaN)).toBeNaN();
  });

  it.each([0, 1, -0.1, Number.NaN])('no quantile of %d', (p) => {
    expect(() => normalQuantile(p)).toThrow(/p is .*: it must be a number from/);
  });
});
