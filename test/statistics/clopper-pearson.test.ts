import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clopperPearsonInterval,
  clopperPearsonLower,
  clopperPearsonUpper,
} from '../../router/statistics/binomial.ts';
import { clopperPearson } from './bounds-oracle.ts';

const counts = fc
  .integer({ min: 1, max: 2000 })
  .chain((n) => fc.record({ n: fc.constant(n), successes: fc.integer({ min: 0, max: n }) }));
const deltas = fc.double({ min: 1e-6, max: 0.5, noNaN: true });

describe('clopperPearson', () => {
  it.each(clopperPearson)('of %i of %i at %d is that of scipy', (successes, n, delta, lower, upper) => {
    expect(Math.abs(clopperPearsonLower(successes, n, delta) - lower)).toBeLessThan(1e-12);
    expect(Math.abs(clopperPearsonUpper(successes, n, delta) - upper)).toBeLessThan(1e-12);
  });

  it('puts half of delta on each side of the interval', () => {
    const { low, high } = clopperPearsonInterval(137, 1000, 0.1);
    expect(low).toBe(clopperPearsonLower(137, 1000, 0.05));
    expect(high).toBe(clopperPearsonUpper(137, 1000, 0.05));
  });

  it('holds the share between its bounds, and the bounds in 0..1', () => {
    fc.assert(
      fc.property(counts, deltas, ({ successes, n }, delta) => {
        const lower = clopperPearsonLower(successes, n, delta);
        const upper = clopperPearsonUpper(successes, n, delta);
        expect(lower).toBeGreaterThanOrEqual(0);
        expect(lower).toBeLessThanOrEqual(successes / n);
        expect(upper).toBeGreaterThanOrEqual(successes / n);
        expect(upper).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('narrows with more of the same and with a larger delta', () => {
    fc.assert(
      fc.property(counts, deltas, ({ successes, n }, delta) => {
        fc.pre(successes < n);
        const upper = clopperPearsonUpper(successes, n, delta);
        expect(clopperPearsonUpper(4 * successes, 4 * n, delta)).toBeLessThan(upper);
        expect(clopperPearsonUpper(successes, n, delta * 1.5)).toBeLessThan(upper);
      }),
    );
  });

  it('refuses what is no count and no probability', () => {
    const invalid = expect.objectContaining({ code: 'invalid-input' });
    expect(() => clopperPearsonUpper(1, 0, 0.05)).toThrow(invalid);
    expect(() => clopperPearsonUpper(11, 10, 0.05)).toThrow(invalid);
    expect(() => clopperPearsonUpper(-1, 10, 0.05)).toThrow(invalid);
    expect(() => clopperPearsonLower(0.5, 10, 0.05)).toThrow(invalid);
    expect(() => clopperPearsonLower(1, 10, 0)).toThrow(invalid);
    expect(() => clopperPearsonInterval(1, 10, 1)).toThrow(invalid);
    expect(() => clopperPearsonInterval(1, 10, Number.NaN)).toThrow(invalid);
  });
});
