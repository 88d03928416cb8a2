import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { casesNeeded, MEAN_BOUNDS, meanBound, scaledMeanBound } from '../../router/statistics/mean-bound.ts';
import { seededRandom, shuffledOrder } from '../../router/statistics/random.ts';
import { scaled } from '../helpers/long-run.ts';
import { samples } from './bounds-oracle.ts';

const value = fc.integer({ min: 0, max: 20 }).map((twentieths) => twentieths / 20);
const valueLists = fc.array(value, { minLength: 1, maxLength: 60 });
const deltas = fc.double({ min: 1e-4, max: 0.5, noNaN: true });
const meanOf = (values: readonly number[]) => values.reduce((total, one) => total + one, 0) / values.length;
const lossRange = { low: -1, high: 1 };
const invalid = expect.objectContaining({ code: 'invalid-input' });

describe.each(MEAN_BOUNDS)('meanBound %s', (method) => {
  const bound = meanBound(method);

  it('holds the mean between its bounds, and the bounds in 0..1', () => {
    fc.assert(
      fc.property(valueLists, deltas, (values, delta) => {
        const { low, high } = bound.interval(values, delta);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(low).toBeLessThanOrEqual(meanOf(values) + 1e-12);
        expect(high).toBeGreaterThanOrEqual(meanOf(values) - 1e-12);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBe(bound.lower(values, delta / 2));
        expect(high).toBe(bound.upper(values, delta / 2));
      }),
    );
  });

  it('rejects its upper bound, and nothing a step below it', () => {
    fc.assert(
      fc.property(valueLists, deltas, (values, delta) => {
        const upper = bound.upper(values, delta);
        const rejects = (at: number) => bound.pValue(values, at, delta) <= delta;
        const isMean = (at: number) => Math.abs(at - meanOf(values)) <= 1e-9; // there rounding decides
        if (upper < 1 && !isMean(upper)) expect(rejects(upper)).toBe(true);
        const below = method === 'betting' ? (Math.round(2000 * upper) - 1) / 2000 : upper - 1e-9;
        if (below > 0 && !isMean(below)) expect(rejects(below)).toBe(false);
      }),
    );
  });

  it('mirrors: the lower bound is 1 minus the upper one of 1 minus the values', () => {
    fc.assert(
      fc.property(valueLists, deltas, (values, delta) => {
        const mirrored = values.map((one) => 1 - one);
        expect(bound.lower(values, delta)).toBeCloseTo(1 - bound.upper(mirrored, delta), 9);
      }),
    );
  });

  it('falls with a larger delta', () => {
    // the stakes of the betting bound aim at delta: monotone by far, not by a small step
    const larger = method === 'betting' ? 4 : 1.5;
    fc.assert(
      fc.property(valueLists, deltas, (values, delta) => {
        const next = Math.min(0.9, delta * larger);
        expect(bound.upper(values, next)).toBeLessThanOrEqual(bound.upper(values, delta));
        expect(bound.lower(values, next)).toBeGreaterThanOrEqual(bound.lower(values, delta));
      }),
    );
  });

  it.each(Object.entries(samples))('falls with the number of cases: %s, repeated', (_, values) => {
    const uppers = [1, 4, 16, 64].map((times) => {
      const order = shuffledOrder(60 * times, 5);
      return bound.upper(
        Float64Array.from(order, (i) => values[i % 60]!),
        0.05,
      );
    });
    expect(uppers).toEqual(uppers.toSorted((a, b) => b - a));
    expect(uppers[3]! - meanOf(values)).toBeLessThan((uppers[0]! - meanOf(values)) / 4);
  });

  it.each([1, 2, 50, scaled(1_000_000)])(
    'is a number at n = %i for zeros, ones, equal values and a mixture',
    (n) => {
      const mixture = Float64Array.from(shuffledOrder(n, 2), (i) => (i % 5) / 4);
      for (const values of [...[0, 1, 0.3].map((one) => new Float64Array(n).fill(one)), mixture]) {
        const mean = values.reduce((total, one) => total + one, 0) / n;
        const { low, high } = bound.interval(values, 0.05);
        const width = Math.min(1, 3 / Math.sqrt(n));
        expect(low).toBeGreaterThanOrEqual(Math.max(0, mean - width));
        expect(low).toBeLessThanOrEqual(mean + 1e-9);
        expect(high).toBeGreaterThanOrEqual(mean - 1e-9);
        expect(high).toBeLessThanOrEqual(Math.min(1, mean + width));
        expect(bound.pValue(values, 0.5, 0.05)).toBeLessThanOrEqual(1);
      }
    },
  );

  it('carries losses from [-1, 1] to [0, 1] and back', () => {
    const losses = samples.uniform.map((one) => 2 * one - 1);
    const scaled = scaledMeanBound(method, lossRange);
    expect(scaled.upper(losses, 0.05)).toBeCloseTo(2 * bound.upper(samples.uniform, 0.05) - 1, 9);
    expect(scaled.lower(losses, 0.05)).toBeCloseTo(2 * bound.lower(samples.uniform, 0.05) - 1, 9);
    expect(scaled.pValue(losses, 0, 0.05)).toBeCloseTo(bound.pValue(samples.uniform, 0.5, 0.05), 12);
    const { low, high } = scaled.interval(losses, 0.1);
    expect([low, high]).toEqual([scaled.lower(losses, 0.05), scaled.upper(losses, 0.05)]);
  });

  it('refuses a range that is none, and what lies outside it', () => {
    expect(() => scaledMeanBound(method, { low: 1, high: 1 })).toThrow(invalid);
    expect(() => scaledMeanBound(method, { low: 0, high: Number.POSITIVE_INFINITY })).toThrow(invalid);
    expect(() => scaledMeanBound(method, lossRange).upper([-1.1], 0.05)).toThrow(invalid);
    expect(() => scaledMeanBound(method, lossRange).pValue([0], 2, 0.05)).toThrow(invalid);
    expect(() => bound.interval([0.5], 1)).toThrow(invalid);
  });
});

describe('betting against hoeffding-bentkus', () => {
  it('knows that losses which are all 0 hardly vary', () => {
    const losses = new Float64Array(200);
    const [betting, hoeffdingBentkus] = MEAN_BOUNDS.map((method) =>
      scaledMeanBound(method, lossRange).upper(losses, 0.05),
    );
    expect(betting).toBeLessThan(0.03);
    expect(hoeffdingBentkus).toBeGreaterThan(0.1);
  });
});

const losses = scaledMeanBound('betting', { low: -1, high: 1 });
/** Sixty losses of 1, forty of -1 and 900 of 0, sorted: mean .02. */
const sorted = new Float64Array(1000).fill(1, 0, 60).fill(-1, 60, 100);

describe('casesNeeded', () => {
  it('is the number at which zeros of that many suffice', () => {
    const needed = casesNeeded(new Float64Array(50), 0.02, 0.05) ?? Number.NaN;
    const upper = (n: number) => meanBound('betting').upper(new Float64Array(n), 0.05);
    expect(upper(needed)).toBeLessThanOrEqual(0.02);
    expect(upper(Math.floor(needed * 0.97))).toBeGreaterThan(0.02);
  });

  it('is the number of cases at which about half of the draws from the same law are decided', () => {
    const options = { bound: losses };
    const needed = casesNeeded(sorted, 0.04, 0.05, options) ?? Number.NaN;
    const random = seededRandom(4);
    const decided = (n: number) => {
      let count = 0;
      for (let draw = 0; draw < 200; draw++) {
        const values = Float64Array.from({ length: n }, () => sorted[Math.floor(random() * 1000)]!);
        if (losses.pValue(values, 0.04, 0.05) <= 0.05) count++;
      }
      return count / 200;
    };
    expect(decided(needed)).toBeGreaterThan(0.35);
    expect(decided(needed)).toBeLessThan(0.75);
    expect(decided(Math.floor(needed / 4))).toBeLessThan(0.35);
  });

  it('is the number given where the bound holds already, in the order given', () => {
    expect(casesNeeded(new Float64Array(500), 0.02, 0.05)).toBe(500);
  });

  it('serves a lower bound by the mirror', () => {
    const shares = new Float64Array(40).fill(1);
    const needed =
      casesNeeded(
        shares.map((one) => 1 - one),
        1 - 0.95,
        0.05,
      ) ?? Number.NaN;
    expect(meanBound('betting').lower(new Float64Array(needed).fill(1), 0.05)).toBeGreaterThanOrEqual(0.95);
    expect(needed).toBeGreaterThan(40);
  });

  it('asks for more with the bound that does not know the variance', () => {
    const range = { low: -1, high: 1 };
    const zeros = new Float64Array(50);
    const options = { bound: scaledMeanBound('hoeffding-bentkus', range) };
    expect(casesNeeded(zeros, 0.05, 0.05, { bound: losses })).toBeLessThan(100);
    expect(casesNeeded(zeros, 0.05, 0.05, options)).toBeGreaterThan(1000);
  });

  it('is undefined where no number would do', () => {
    expect(casesNeeded([0.5, 0.7], 0.6, 0.05)).toBeUndefined();
    expect(casesNeeded([0.5, 0.7], 0.5, 0.05)).toBeUndefined();
    expect(casesNeeded(new Float64Array(50), 0.02, 0.05, { most: 100 })).toBeUndefined();
    expect(casesNeeded([0.5, 0.5], 0.5 + 1e-9, 0.05)).toBeUndefined();
  });

  it('refuses what is no value and no probability', () => {
    const invalid = expect.objectContaining({ code: 'invalid-input' });
    expect(() => casesNeeded([], 0.5, 0.05)).toThrow(invalid);
    expect(() => casesNeeded([2], 0.5, 0.05)).toThrow(invalid);
    expect(() => casesNeeded([0], 0.5, 0)).toThrow(invalid);
    expect(() => casesNeeded([0], 0.5, 0.05, { most: 0 })).toThrow(invalid);
  });
});
