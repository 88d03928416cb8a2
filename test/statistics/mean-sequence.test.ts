import { describe, expect, test } from 'vitest';
import {
  asymptoticMean,
  boundedMean,
  type DifferenceInterval,
  differenceOfMeans,
  type MeanSequence,
  seededRandom,
} from '../../router/statistics/index.ts';

const DELTA = 0.05;
const RUNS = 400;
const N = 1_500;

/** How often some interval of a run misses the mean, on either side. */
function missed(make: () => MeanSequence, draw: (random: () => number) => number, mean: number) {
  const counts = { above: 0, below: 0 };
  for (let run = 0; run < RUNS; run++) {
    const random = seededRandom(run + 1);
    const sequence = make();
    let [isAbove, isBelow] = [false, false];
    for (let i = 0; i < N; i++) {
      sequence.observe(draw(random));
      const { low, high } = sequence.interval()!;
      isAbove ||= low > mean;
      isBelow ||= high < mean;
    }
    counts.above += Number(isAbove);
    counts.below += Number(isBelow);
  }
  return counts;
}

describe('looked at after every value, either end misses the mean in half of delta at most', () => {
  test.each([0.02, 0.5, 0.99])('bounded, mean %d', (mean) => {
    const { above, below } = missed(
      () => boundedMean(DELTA),
      (random) => Number(random() < mean),
      mean,
    );
    expect(above).toBeLessThanOrEqual(RUNS * DELTA * 0.5);
    expect(below).toBeLessThanOrEqual(RUNS * DELTA * 0.5);
  });

  test('asymptotic, exponential times: both together in delta', () => {
    const { above, below } = missed(
      () => asymptoticMean(DELTA),
      (random) => -100 * Math.log(1 - random()),
      100,
    );
    expect(above + below).toBeLessThanOrEqual(RUNS * DELTA * 1.4); // three standard errors of 400 runs above it
  });
});

function fed(sequence: MeanSequence, values: readonly number[]): MeanSequence {
  for (const value of values) sequence.observe(value);
  return sequence;
}

test('the estimate is the mean of the values, and the interval is around it and narrows', () => {
  for (const make of [boundedMean, asymptoticMean]) {
    const few = fed(make(DELTA), Array(200).fill([0, 1]).flat()).interval()!;
    const many = fed(make(DELTA), Array(2_000).fill([0, 1]).flat()).interval()!;
    for (const { estimate, low, high } of [few, many]) {
      expect(estimate).toBeCloseTo(0.5, 12);
      expect(low).toBeLessThan(0.5);
      expect(high).toBeGreaterThan(0.5);
    }
    expect(many.high - many.low).toBeLessThan((few.high - few.low) / 2);
  }
});

test('a difference has the sum of both radii; of one side alone nothing is known', () => {
  const treated = fed(boundedMean(DELTA / 2), Array(500).fill([1, 1, 0, 1]).flat());
  const control = fed(boundedMean(DELTA / 2), Array(500).fill([0, 1, 0, 0]).flat());
  const [own, other] = [treated.interval()!, control.interval()!];
  const difference: DifferenceInterval = differenceOfMeans(treated, control)!;
  expect(difference.estimate).toBeCloseTo(0.5, 12);
  expect(difference.low).toBeCloseTo(own.low - other.high, 12);
  expect(difference.high).toBeCloseTo(own.high - other.low, 12);
  expect(difference.low).toBeGreaterThan(0.4);
  expect(differenceOfMeans(treated, boundedMean(DELTA))).toBeUndefined();
});

test('below fifty values an asymptotic interval has no ends; values out of range and no errors are refused', () => {
  const few = fed(asymptoticMean(DELTA), Array(49).fill(3));
  expect(few.interval()).toEqual({ estimate: 3, low: -Infinity, high: Infinity });
  expect(fed(few, [3]).interval()).toEqual({ estimate: 3, low: 3, high: 3 });
  expect(() => boundedMean(DELTA).observe(1.01)).toThrow(/value/);
  expect(() => asymptoticMean(DELTA).observe(Number.NaN)).toThrow(/value/);
  expect(() => boundedMean(0)).toThrow();
});
