import { describe, expect, it } from 'vitest';
import { seededRandom, shuffledOrder, xoshiro128StarStar } from '../../router/statistics/random.ts';

const take = (count: number, next: () => number) => Array.from({ length: count }, next);

describe('xoshiro128StarStar', () => {
  it('gives the words of the reference implementation in C from the state 1, 2, 3, 4', () => {
    const words = take(10, xoshiro128StarStar([1, 2, 3, 4]));
    expect(words.slice(0, 5)).toEqual([11520, 0, 5927040, 70819200, 2031721883]);
    expect(words.slice(5)).toEqual([1637235492, 1287239034, 3734860849, 3729100597, 4258142804]);
  });
});

describe('seededRandom', () => {
  it('repeats itself for one seed and differs for another', () => {
    expect(take(50, seededRandom(7))).toEqual(take(50, seededRandom(7)));
    expect(take(50, seededRandom(7))).not.toEqual(take(50, seededRandom(8)));
  });

  it('is uniform over [0, 1)', () => {
    const counts = new Array<number>(10).fill(0);
    for (const number of take(100_000, seededRandom(0))) counts[Math.floor(number * 10)]!++;
    // Chi-squared with 9 degrees of freedom exceeds 27.9 once in a thousand seeds.
    expect(counts.reduce((total, count) => total + (count - 10_000) ** 2 / 10_000, 0)).toBeLessThan(27.9);
  });

  it('refuses what is no seed', () => {
    const invalid = expect.objectContaining({ code: 'invalid-input' });
    expect(() => seededRandom(-1)).toThrow(invalid);
    expect(() => seededRandom(1.5)).toThrow(invalid);
    expect(() => seededRandom(Number.NaN)).toThrow(invalid);
    expect(() => seededRandom(2 ** 32)).toThrow(invalid);
  });
});

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
