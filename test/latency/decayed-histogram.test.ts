import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DecayedHistogram } from '../../router/latency/decayed-histogram.ts';

const HALF_LIFE = 1_000;
/** Half of a bucket: 2^(1/16) - 1, and a little for rounding at its bounds. */
const TOLERANCE = 1.0443 + 1e-9;

const sample = fc.record({
  value: fc.double({ min: 0.01, max: 1e6, noNaN: true }),
  afterMs: fc.double({ min: 0, max: 5_000, noNaN: true }),
});

/** By the definition: sort, add up the weights, take the first value that reaches the share. */
function exactQuantile(
  samples: readonly { readonly value: number; readonly at: number }[],
  now: number,
  share: number,
): { readonly at: number; readonly margin: number } {
  const weighted = samples
    .map(({ value, at }) => ({ value, weight: 2 ** ((at - now) / HALF_LIFE) }))
    .sort((a, b) => a.value - b.value);
  const total = weighted.reduce((sum, { weight }) => sum + weight, 0);
  let below = 0;
  let margin = Number.POSITIVE_INFINITY;
  let at = weighted.at(-1)!.value;
  let found = false;
  for (const { value, weight } of weighted) {
    below += weight;
    margin = Math.min(margin, Math.abs(below / total - share));
    if (!found && below >= share * total) {
      at = value;
      found = true;
    }
  }
  return { at, margin };
}

test('a quantile is within half a bucket of the exact one of the weighted values', () => {
  fc.assert(
    fc.property(
      fc.array(sample, { minLength: 1, maxLength: 60 }),
      fc.constantFrom(0.5, 0.95, 0.98),
      (samples, share) => {
        const histogram = new DecayedHistogram(HALF_LIFE, 0);
        let now = 0;
        const placed = samples.map(({ value, afterMs }) => {
          now += afterMs;
          histogram.add(value, now);
          return { value, at: now };
        });
        const { at, margin } = exactQuantile(placed, now, share);
        fc.pre(margin > 1e-9); // two sums in another order may part at the very share
        const found = histogram.quantile(share)!;
        expect(Math.max(found / at, at / found)).toBeLessThanOrEqual(TOLERANCE);
      },
    ),
    { seed: 1 },
  );
});

test('the weight of a value halves with every half-life, over any time', () => {
  const histogram = new DecayedHistogram(HALF_LIFE, 0);
  for (let i = 0; i < 8; i++) histogram.add(10, 0);
  expect(histogram.weight(0)).toBe(8);
  expect(histogram.weight(HALF_LIFE)).toBe(4);
  histogram.add(10, 3 * HALF_LIFE);
  expect(histogram.weight(3 * HALF_LIFE)).toBe(2);
});

test('what was usual is forgotten: new values decide after a few half-lives', () => {
  const histogram = new DecayedHistogram(HALF_LIFE, 0);
  for (let i = 0; i < 100; i++) histogram.add(100, i);
  for (let i = 0; i < 20; i++) histogram.add(1_000, 5 * HALF_LIFE + i);
  expect(histogram.quantile(0.5)).toBeGreaterThan(950);
});

test('a process that runs for years stays exact: the scale moves', () => {
  const histogram = new DecayedHistogram(HALF_LIFE, 0);
  let now = 0;
  for (let i = 0; i < 5_000; i++) {
    now += HALF_LIFE;
    histogram.add(i % 2 === 0 ? 10 : 1_000, now);
  }
  expect(histogram.weight(now)).toBeCloseTo(2, 6);
  expect(histogram.quantile(0.3)).toBeCloseTo(10, -1);
  expect(histogram.quantile(0.9)).toBeGreaterThan(950);
});

test('a pause of any length leaves numbers, and values after it decide', () => {
  const histogram = new DecayedHistogram(HALF_LIFE, 0);
  histogram.add(10, 0);
  histogram.add(500, 1e12);
  expect(histogram.weight(1e12)).toBe(1);
  expect(histogram.quantile(0.01)).toBeGreaterThan(470);
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('%s is no time, and is ignored', (value) => {
  const histogram = new DecayedHistogram(HALF_LIFE, 0);
  histogram.add(value, 0);
  expect(histogram.quantile(0.5)).toBeUndefined();
});

test('what is out of range counts in the bucket at that end', () => {
  const histogram = new DecayedHistogram(HALF_LIFE, 0);
  histogram.add(1e-9, 0);
  histogram.add(1e12, 0);
  expect(histogram.quantile(0.5)).toBeLessThan(0.002);
  expect(histogram.quantile(1)).toBeGreaterThan(1.6e7);
});
