import { describe, expect, it } from 'vitest';
import { equalMassBins } from '../../router/statistics/calibration.ts';

const plain = (...given: Parameters<typeof equalMassBins>) => equalMassBins(...given).map((bin) => [...bin]);

describe('equalMassBins', () => {
  it('has the indexes of the cases, lowest predictions first', () => {
    expect(plain([0.9, 0.1, 0.2, 0.8], 2)).toEqual([
      [1, 2],
      [3, 0],
    ]);
  });

  it('spreads what does not divide: bin b ends at round(n b / B)', () => {
    const rising = Array.from({ length: 10 }, (_, i) => i / 10);
    expect(equalMassBins(rising, 4).map((bin) => bin.length)).toEqual([3, 2, 3, 2]);
  });

  it('never parts equal predictions, and has no empty bin', () => {
    expect(plain([0.5, 0.5, 0.5, 0.7], 4)).toEqual([[0, 1, 2], [3]]);
    expect(plain([0.5, 0.5], 10)).toEqual([[0, 1]]);
  });

  it('refuses what cannot be cut', () => {
    const invalid = expect.objectContaining({ code: 'invalid-input' });
    expect(() => equalMassBins([], 2)).toThrow(invalid);
    expect(() => equalMassBins([1.1], 2)).toThrow(invalid);
    expect(() => equalMassBins([0.5], 0)).toThrow(invalid);
  });
});
