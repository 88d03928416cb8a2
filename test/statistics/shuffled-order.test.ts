import { describe, expect, it } from 'vitest';
import { shuffledOrder } from '../../router/statistics/random.ts';

describe('shuffledOrder', () => {
  it('holds every index once, the same for the same seed alone', () => {
    const order = shuffledOrder(100, 7);
    const inOrder = Uint32Array.from({ length: 100 }, (_, i) => i);
    expect(order.toSorted()).toEqual(inOrder);
    expect(order).not.toEqual(inOrder);
    expect(shuffledOrder(100, 7)).toEqual(order);
    expect(shuffledOrder(100, 8)).not.toEqual(order);
  });

  it('gives each of the six orders of three equally often', () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 6000; seed++) {
      const order = shuffledOrder(3, seed).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // Chi-squared with 5 degrees of freedom exceeds 20.5 once in a thousand.
    const distance = [...counts.values()].reduce((total, count) => total + (count - 1000) ** 2 / 1000, 0);
    expect(distance).toBeLessThan(20.5);
  });

  it('is empty for none, and refuses what is no number of cases', () => {
    const invalid = expect.objectContaining({ code: 'invalid-input' });
    expect(shuffledOrder(0, 1)).toHaveLength(0);
    expect([...shuffledOrder(1, 1)]).toEqual([0]);
    expect(() => shuffledOrder(1.5, 1)).toThrow(invalid);
    expect(() => shuffledOrder(-1, 1)).toThrow(invalid);
    expect(() => shuffledOrder(3, -1)).toThrow(invalid);
  });
});
