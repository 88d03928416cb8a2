import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holm } from '../../router/statistics/hypothesis-tests.ts';

const closely = (delta: number) => expect.closeTo(delta, 12);

describe('holm', () => {
  it('steps down until the first that is kept, by hand', () => {
    // sorted .01, .015, .03, .04 against .05 / 4 = .0125, .05 / 3 = .0167, .05 / 2 = .025: stops at the third
    expect(holm([0.04, 0.01, 0.03, 0.015], 0.05)).toEqual([
      { rejected: false, delta: closely(0.025) },
      { rejected: true, delta: closely(0.0125) },
      { rejected: false, delta: closely(0.025) },
      { rejected: true, delta: closely(0.05 / 3) },
    ]);
  });

  it('keeps a small p-value that comes after one that was kept', () => {
    // .03 is above .025, so .04 is kept though it is below .05
    expect(holm([0.03, 0.04], 0.05).map(({ rejected }) => rejected)).toEqual([false, false]);
  });

  it('rejects at the level itself, all of equal p-values, and nothing of nothing', () => {
    expect(holm([0.025, 0.05], 0.05).every(({ rejected }) => rejected)).toBe(true);
    expect(holm([0.01, 0.01, 0.01], 0.05).every(({ rejected }) => rejected)).toBe(true);
    expect(holm([0.2], 0.05)).toEqual([{ rejected: false, delta: 0.05 }]);
    expect(holm([], 0.05)).toEqual([]);
  });

  it('rejects what lies at or below its level and nothing else, and no less than Bonferroni', () => {
    const pValueLists = fc.array(fc.double({ min: 0, max: 0.2, noNaN: true }), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(pValueLists, (pValues) => {
        for (const [i, { rejected, delta }] of holm(pValues, 0.1).entries()) {
          expect(rejected).toBe(pValues[i]! <= delta);
          if (pValues[i]! <= 0.1 / pValues.length) expect(rejected).toBe(true);
        }
      }),
    );
  });

  it('refuses what is no probability', () => {
    const invalid = expect.objectContaining({ code: 'invalid-input' });
    expect(() => holm([0.5, Number.NaN], 0.05)).toThrow(invalid);
    expect(() => holm([1.5], 0.05)).toThrow(invalid);
    expect(() => holm([0.5], 1)).toThrow(invalid);
  });
});
