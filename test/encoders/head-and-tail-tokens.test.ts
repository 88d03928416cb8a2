import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keepHeadAndTail } from '../../router/encoders/static.ts';

describe('keepHeadAndTail', () => {
  it('keeps three quarters from the start and one from the end', () => {
    const ids = Int32Array.from({ length: 1000 }, (_, i) => i);
    const kept = keepHeadAndTail(ids, 8);
    expect([...kept]).toEqual([0, 1, 2, 3, 4, 5, 998, 999]);
  });

  it('leaves ids that fit as they are', () => {
    const ids = Int32Array.of(5, 6, 7);
    expect(keepHeadAndTail(ids, 3)).toBe(ids);
  });

  it('never gives more than the limit, and only a start and an end', () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), fc.integer({ min: 1, max: 60 }), (values, limit) => {
        const kept = [...keepHeadAndTail(Int32Array.from(values), limit)];
        expect(kept).toHaveLength(Math.min(values.length, limit));
        const ids = [...Int32Array.from(values)];
        const head = kept.findIndex((id, i) => id !== ids[i]);
        const tail = head < 0 ? 0 : kept.length - head;
        expect(kept.slice(kept.length - tail)).toEqual(tail === 0 ? [] : ids.slice(-tail));
      }),
    );
  });
});
