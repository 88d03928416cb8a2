import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_PAIR, PAIR_BUCKETS, pairBucket, pairBuckets } from '../../router/classifier/word-pairs.ts';
import { scaled } from '../helpers/long-run.ts';

const VOCABULARY = 30_522;
const id = fc.integer({ min: 0, max: VOCABULARY - 1 });

describe('pairBucket', () => {
  it('is a bucket, and never the one that stands for no pair', () => {
    fc.assert(
      fc.property(id, id, (first, second) => {
        const bucket = pairBucket(first, second);
        expect(Number.isInteger(bucket)).toBe(true);
        expect(bucket).toBeGreaterThan(NO_PAIR);
        expect(bucket).toBeLessThan(PAIR_BUCKETS);
      }),
      { numRuns: scaled(2000), seed: 1 },
    );
  });

  it('tells the order of a pair', () => {
    fc.assert(
      fc.property(id, id, (first, second) => {
        fc.pre(first !== second);
        expect(pairBucket(first, second)).not.toBe(pairBucket(second, first));
      }),
      { numRuns: scaled(500), seed: 1 }, // a few in 65,535 collide; not among these
    );
  });

  it('spreads neighbouring ids evenly: chi-squared of 256 groups of buckets is ordinary', () => {
    for (const [from, step] of [
      [0, 1],
      [1000, 7],
      [20_000, 64],
    ] as const) {
      const side = 400;
      const groups = new Float64Array(256);
      for (let i = 0; i < side; i++)
        for (let j = 0; j < side; j++)
          groups[(pairBucket((from + i * step) % VOCABULARY, (from + j * step) % VOCABULARY) - 1) >> 8]! += 1;
      const expected = (side * side) / 256;
      const chiSquared = groups.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
      expect(chiSquared).toBeLessThan(255 + 6 * Math.sqrt(2 * 255)); // mean 255, six standard deviations
    }
  });

  it('keeps most pairs of a text apart', () => {
    const buckets = new Set<number>();
    for (let i = 0; i < 100; i++)
      for (let j = 0; j < 100; j++) buckets.add(pairBucket(2000 + i * 13, 2000 + j * 17));
    // 10,000 balls into 65,535 urns leave 65,535 (1 - e^(-10,000 / 65,535)) = 9,275 urns with one or more
    expect(buckets.size).toBeGreaterThan(9150);
    expect(buckets.size).toBeLessThan(9400);
  });

  it('keeps the buckets that trained artifacts hold', () => {
    expect([pairBucket(0, 0), pairBucket(1996, 3007), pairBucket(30_521, 30_521)]).toMatchInlineSnapshot(`
      [
        1,
        12019,
        16108,
      ]
    `);
  });
});

describe('pairBuckets', () => {
  it('has each bucket once, in the order of first appearance', () => {
    const [ab, ba] = [pairBucket(1, 2), pairBucket(2, 1)];
    expect(Array.from(pairBuckets(Int32Array.of(1, 2, 1, 2, 1)))).toEqual([ab, ba]);
  });

  it('has one bucket a neighbourhood at most, all of them different', () => {
    fc.assert(
      fc.property(fc.array(id, { minLength: 2, maxLength: 60 }), (ids) => {
        const buckets = pairBuckets(Int32Array.from(ids));
        expect(new Set(buckets).size).toBe(buckets.length);
        expect(buckets.length).toBeLessThanOrEqual(ids.length - 1);
        ids.slice(1).forEach((second, i) => {
          expect(buckets).toContain(pairBucket(ids[i]!, second));
        });
      }),
      { numRuns: scaled(200), seed: 1 },
    );
  });

  it.each([[[]], [[101]]])('says that %j has no pair', (ids) => {
    expect(Array.from(pairBuckets(Int32Array.from(ids)))).toEqual([NO_PAIR]);
  });
});
