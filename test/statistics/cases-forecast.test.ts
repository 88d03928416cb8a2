import { describe, expect, test } from 'vitest';
import { casesForecast, casesNeeded, differenceBound, shuffledOrder } from '../../router/statistics/index.ts';

/** Losses of 1 and gains of -1 among so many cases. */
function losses(n: number, lost: number, gained: number): Float64Array {
  return Float64Array.from(shuffledOrder(n, 7), (i) => (i < n * lost ? 1 : i < n * (lost + gained) ? -1 : 0));
}

describe('a forecast of cases in closed form', () => {
  test.each([
    [0.02, 0, 0.05],
    [0.05, 0.03, 0.05],
    [0.02, 0.01, 0.03],
    [0.1, 0.02, 0.12],
    [0.01, 0, 0.02],
    [0.04, 0.02, 0.06],
  ])('is near what the bound itself needs: %s lost, %s gained, margin %s', (lost, gained, margin) => {
    const values = losses(100, lost, gained);
    const mean = lost - gained;
    const needed = casesNeeded(values, margin, 0.03, { bound: differenceBound, most: 1e5 })!;
    const forecast = casesForecast(mean, lost + gained - mean ** 2, margin, 0.03)!;
    expect(forecast / needed).toBeGreaterThan(0.65);
    expect(forecast / needed).toBeLessThan(3.1);
  });

  test('no case is enough where the mean is not below the limit; bad numbers are refused', () => {
    expect(casesForecast(0.05, 0.1, 0.05, 0.03)).toBeUndefined();
    expect(casesForecast(0.06, 0.1, 0.05, 0.03)).toBeUndefined();
    expect(() => casesForecast(Number.NaN, 0.1, 0.05, 0.03)).toThrow(/mean/);
    expect(() => casesForecast(0, 2, 0.05, 0.03)).toThrow(/variance/);
  });
});
