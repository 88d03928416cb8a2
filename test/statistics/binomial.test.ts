import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  binomialTail,
  clopperPearsonInterval,
  clopperPearsonLower,
  clopperPearsonUpper,
  poissonDeviance,
} from '../../router/statistics/binomial.ts';
import { binomialTails, clopperPearson } from './bounds-oracle.ts';

describe('binomialTail', () => {
  it.each(binomialTails)('P(Bin(%2$i, %3$d) <= %1$i) is that of scipy', (k, n, p, tail) => {
    expect(Math.abs(binomialTail(k, n, p) / tail - 1)).toBeLessThan(1e-10);
  });

  it('is the plain sum where n is small', () => {
    // Bin(3, 1/4): 27, 27, 9 and 1 of 64
    expect([0, 1, 2, 3].map((k) => binomialTail(k, 3, 0.25) * 64)).toEqual(
      [27, 54, 63, 64].map((share) => expect.closeTo(share, 10)),
    );
  });

  it('is 0 and 1 at the ends', () => {
    expect(binomialTail(-1, 5, 0.5)).toBe(0);
    expect(binomialTail(5, 5, 0.5)).toBe(1);
    expect(binomialTail(2, 5, 0)).toBe(1);
    expect(binomialTail(4, 5, 1)).toBe(0);
  });

  it('falls with p, without a jump where the two tails meet', () => {
    const tails = Array.from({ length: 2001 }, (_, i) => binomialTail(400, 1000, 0.39 + i * 1e-5));
    const steps = tails.slice(1).map((tail, i) => tails[i]! - tail);
    expect(Math.min(...steps)).toBeGreaterThan(0);
    expect(Math.max(...steps)).toBeLessThan(0.0003);
  });

  it('underflows to 0, never to NaN', () => {
    expect(binomialTail(10, 1_000_000, 0.5)).toBe(0);
    expect(binomialTail(999_990, 1_000_000, 0.5)).toBe(1);
  });
});

describe('poissonDeviance', () => {
  it('is x ln(x / m) + m - x on both sides of the series', () => {
    for (const [x, m] of [
      [3, 10],
      [10, 10.5],
      [10, 9],
      [1e5, 1.1e5],
      [0.5, 2],
    ] as const) {
      expect(poissonDeviance(x, m)).toBeCloseTo(x * Math.log(x / m) + m - x, 9);
    }
    expect(poissonDeviance(7, 7)).toBe(0);
    expect(poissonDeviance(0, 4)).toBe(4);
  });

  it('keeps its digits where x and m are close', () => {
    // (x - m)^2 / 2m, less (x - m)^3 / 6m^2 = 1.7e-13 of it
    expect(poissonDeviance(1e6 + 1e-3, 1e6) / 5e-13).toBeCloseTo(1, 6);
  });
});

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
