import { describe, expect, it } from 'vitest';
import { binomialTail, poissonDeviance } from '../../router/statistics/binomial.ts';
import { binomialTails } from './bounds-oracle.ts';

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
