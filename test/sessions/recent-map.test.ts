import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecentMap } from '../../router/recent-map.ts';

const key = fc.integer({ min: 0, max: 9 }).map(String);
const step = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), key }),
  fc.record({ kind: fc.constant('delete' as const), key }),
);

test('holds what a list of the entries that were set last would hold', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 300 }), (max, steps) => {
      const map = new RecentMap<number>(max);
      let list: { readonly key: string; readonly value: number }[] = [];
      for (const [value, { kind, key: of }] of steps.entries()) {
        list = list.filter((one) => one.key !== of);
        if (kind === 'set') {
          map.set(of, value);
          list = [...list, { key: of, value }].slice(-max);
        } else map.delete(of);
        expect(map.size).toBe(list.length);
        for (let i = 0; i < 10; i++) {
          expect(map.get(String(i))).toBe(list.find((one) => one.key === String(i))?.value);
        }
      }
    }),
  );
});
