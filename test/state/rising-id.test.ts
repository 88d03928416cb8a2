import fc from 'fast-check';
import { expect, test } from 'vitest';
import { risingId } from '../../router/rising-id.ts';

const MAX_MS = 2 ** 48 - 1;

test('an id is a UUID of version 7, whose first 48 bits are the time', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: MAX_MS }), (ms) => {
      const id = risingId(ms);
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(ms);
    }),
  );
});

test('a later id sorts behind, and two of one moment differ', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: MAX_MS - 1 }), (ms) => {
      expect(risingId(ms) < risingId(ms + 1)).toBe(true);
      expect(risingId(ms)).not.toBe(risingId(ms));
    }),
  );
});
