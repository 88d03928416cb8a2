import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asymptoticDifference, boundedDifference, seededRandom } from '../../router/statistics/index.ts';

/** Successes with these probabilities, half of the requests each. */
function compared(control: number, treated: number, n: number, seed = 1, propensity = 0.5) {
  const random = seededRandom(seed);
  const sequence = boundedDifference(0.05);
  for (let i = 0; i < n; i++) {
    const isTreated = random() < propensity;
    sequence.observe({ isTreated, propensity, value: random() < (isTreated ? treated : control) ? 1 : 0 });
  }
  return sequence.interval()!;
}

describe('bounded outcomes', () => {
  test('nothing is said before the first outcome, and nearly nothing after it', () => {
    const sequence = boundedDifference(0.05);
    expect(sequence.interval()).toBeUndefined();
    sequence.observe({ isTreated: true, propensity: 0.5, value: 1 });
    expect(sequence.interval()).toMatchObject({ low: -1, high: 1 });
  });

  test('a difference of 4 points is found in 10,000 requests, and the interval holds it', () => {
    const { low, high, estimate } = compared(0.8, 0.84, 10_000);
    expect(low).toBeGreaterThan(0);
    expect(low).toBeLessThan(0.04);
    expect(high).toBeGreaterThan(0.04);
    expect(estimate).toBeCloseTo(0.04, 1);
  });

  test('whoever swaps the arms gets the mirror image', () => {
    const random = seededRandom(5);
    const [one, other] = [boundedDifference(0.05), boundedDifference(0.05)];
    for (let i = 0; i < 500; i++) {
      const isTreated = random() < 0.2;
      const value = random();
      one.observe({ isTreated, propensity: 0.2, value });
      other.observe({ isTreated: !isTreated, propensity: 0.8, value });
    }
    const [a, b] = [one.interval()!, other.interval()!];
    expect(a.low).toBeCloseTo(-b.high, 9);
    expect(a.high).toBeCloseTo(-b.low, 9);
  });

  test('another range is the same in other units', () => {
    const random = seededRandom(6);
    const [unit, percent] = [boundedDifference(0.05), boundedDifference(0.05, { low: -50, high: 50 })];
    for (let i = 0; i < 500; i++) {
      const isTreated = random() < 0.5;
      const value = random();
      unit.observe({ isTreated, propensity: 0.5, value });
      percent.observe({ isTreated, propensity: 0.5, value: 100 * value - 50 });
    }
    expect(percent.interval()!.low).toBeCloseTo(100 * unit.interval()!.low, 6);
    expect(percent.interval()!.high).toBeCloseTo(100 * unit.interval()!.high, 6);
  });

  test('equal arms: 0 is within, at every look of 60 runs but a few', () => {
    let alarms = 0;
    for (let run = 0; run < 60; run++) {
      const random = seededRandom(run);
      const sequence = boundedDifference(0.05);
      for (let i = 0; i < 1_000; i++) {
        const isTreated = random() < 0.5;
        sequence.observe({ isTreated, propensity: 0.5, value: random() < 0.8 ? 1 : 0 });
        const { low, high } = sequence.interval()!;
        if (low <= 0 && high >= 0) continue;
        alarms++;
        break;
      }
    }
    expect(alarms).toBeLessThanOrEqual(4);
  });

  test('the true difference is within while the share of the arm rises', () => {
    const random = seededRandom(7);
    const sequence = boundedDifference(0.05);
    for (let i = 0; i < 8_000; i++) {
      const propensity = [0.01, 0.05, 0.25, 0.6][Math.floor(i / 2_000)]!;
      const isTreated = random() < propensity;
      sequence.observe({ isTreated, propensity, value: random() < (isTreated ? 0.7 : 0.8) ? 1 : 0 });
      expect(sequence.interval()!.low).toBeLessThan(-0.1);
    }
    expect(sequence.interval()!.high).toBeLessThan(0);
    expect(sequence.interval()!.high).toBeGreaterThan(-0.1);
  });

  test('any outcomes give numbers, low below high', () => {
    const outcome = fc.record({
      isTreated: fc.boolean(),
      propensity: fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true }),
      value: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(outcome, { minLength: 1, maxLength: 200 }), (outcomes) => {
        const sequence = boundedDifference(0.05);
        for (const one of outcomes) sequence.observe(one);
        const { low, estimate, high } = sequence.interval()!;
        expect(low).toBeLessThanOrEqual(estimate);
        expect(estimate).toBeLessThanOrEqual(high);
        expect(Math.abs(low) <= 1 && Math.abs(high) <= 1).toBe(true);
      }),
    );
  });

  test('what cannot be measured is refused', () => {
    const sequence = boundedDifference(0.05);
    for (const value of [-0.1, 1.1, Number.NaN])
      expect(() => sequence.observe({ isTreated: true, propensity: 0.5, value })).toThrow(/^value is/);
    for (const propensity of [0, 1, -0.5, Number.NaN])
      expect(() => sequence.observe({ isTreated: true, propensity, value: 1 })).toThrow(/^propensity is/);
    expect(() => boundedDifference(0)).toThrow(/delta/);
    expect(() => boundedDifference(0.05, { low: 1, high: 1 })).toThrow(/empty/);
  });
});

describe('outcomes without a bound', () => {
  test('nothing is said below 50 of an arm', () => {
    const sequence = asymptoticDifference(0.05);
    for (let i = 0; i < 99; i++) sequence.observe({ isTreated: i % 2 === 0, propensity: 0.5, value: i });
    expect(sequence.interval()).toBeUndefined();
    sequence.observe({ isTreated: false, propensity: 0.5, value: 50 });
    expect(sequence.interval()).toBeDefined();
  });

  test('a latency that is a tenth higher is found, with its size', () => {
    const random = seededRandom(3);
    const sequence = asymptoticDifference(0.05);
    for (let i = 0; i < 4_000; i++) {
      const isTreated = random() < 0.5;
      sequence.observe({ isTreated, propensity: 0.5, value: (isTreated ? 1_100 : 1_000) * (0.5 + random()) });
    }
    const { low, high } = sequence.interval()!;
    expect(low).toBeGreaterThan(0);
    expect(low).toBeLessThan(100);
    expect(high).toBeGreaterThan(100);
  });

  test('infinite and missing values are refused', () => {
    const sequence = asymptoticDifference(0.05);
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => sequence.observe({ isTreated: true, propensity: 0.5, value })).toThrow(/^value is/);
  });
});
