import { describe, expect, it } from 'vitest';
import {
  DASH,
  formatCost,
  formatCount,
  formatDifference,
  formatLoss,
  formatRate,
} from '../../evals/format.ts';

describe('numbers as words', () => {
  it('shows a dash for what is not known, and never 0 or NaN', () => {
    for (const word of [formatRate, formatLoss, formatCount, formatCost]) {
      expect(word(null)).toBe(DASH);
      expect(word(undefined)).toBe(DASH);
      expect(word(Number.NaN)).toBe(DASH);
    }
    expect(formatDifference(null, 0.5, formatRate)).toBe(DASH);
    expect(formatDifference(0.5, null, formatRate)).toBe(DASH);
  });

  it('writes shares with one decimal, losses with four, costs for a thousand cases', () => {
    expect(formatRate(0.0314)).toBe('3.1 %');
    expect(formatRate(1)).toBe('100.0 %');
    expect(formatLoss(0.01444)).toBe('0.0144');
    expect(formatCount(1_234_567)).toBe('1,234,567');
    expect(formatCount(0)).toBe('0');
    expect(formatCost(0.00042)).toBe('$0.420');
  });

  it('has no minus zero', () => {
    expect(formatRate(-0.0001)).toBe('0.0 %');
    expect(formatLoss(-0.00001)).toBe('0.0000');
    expect(formatLoss(-0.0104)).toBe('-0.0104');
  });

  it('writes a difference with its sign, and ± for one that does not show', () => {
    expect(formatDifference(0.0244, 0.0144, formatLoss)).toBe('-0.0100');
    expect(formatDifference(0.1, 0.25, formatRate)).toBe('+15.0 %');
    expect(formatDifference(0.5, 0.50001, formatRate)).toBe('±0.0 %');
  });
});
