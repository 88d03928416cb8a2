import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HourCounts, State } from '../../../router/state/index.ts';

const HOUR_MS = 3_600_000;
const FIRST = 500_000 * HOUR_MS;

/** What every implementation of counts by hour promises. */
export function describeHourCountsContract(name: string, open: () => Promise<State>): void {
  describe(`${name} keeps the contract of counts by hour`, () => {
    let state: State;
    let counts: HourCounts;
    beforeAll(async () => {
      state = await open();
      counts = state.hourCounts;
    });
    afterAll(() => state?.close());

    it('adds up, by measure and label, and by hour', async () => {
      await counts.add('a', [
        { startMs: FIRST, measure: 'requests', label: 'ok', amount: 2 },
        { startMs: FIRST, measure: 'requests', label: 'failed', amount: 1 },
        { startMs: FIRST + HOUR_MS, measure: 'requests', label: 'ok', amount: 5 },
      ]);
      await counts.add('b', [{ startMs: FIRST, measure: 'requests', label: 'ok', amount: 10 }]);
      const span = { fromMs: FIRST, untilMs: FIRST + 2 * HOUR_MS };
      const totals = await counts.totals(span);
      expect(totals).toHaveLength(2);
      expect(totals).toContainEqual({ measure: 'requests', label: 'ok', amount: 17 });
      expect(totals).toContainEqual({ measure: 'requests', label: 'failed', amount: 1 });
      expect(await counts.series(span, ['requests', 'other'], 'hour')).toEqual([
        { startMs: FIRST, measure: 'requests', amount: 13 },
        { startMs: FIRST + HOUR_MS, measure: 'requests', amount: 5 },
      ]);
      expect(await counts.series(span, [], 'hour')).toEqual([]);
    });

    it('knows whole days as the sums of their hours', async () => {
      const day = 24 * HOUR_MS;
      const from = 30_000 * day;
      const at = (hour: number, amount: number) => {
        return { startMs: from + hour * HOUR_MS, measure: 'daily', label: 'x', amount };
      };
      await counts.add('days 1', [at(0, 1), at(23, 2), at(24, 4)]);
      await counts.add('days 2', [at(1, 8), at(47, 16), at(48, 32)]);
      expect(await counts.series({ fromMs: from, untilMs: from + 3 * day }, ['daily'], 'day')).toEqual([
        { startMs: from, measure: 'daily', amount: 11 },
        { startMs: from + day, measure: 'daily', amount: 20 },
        { startMs: from + 2 * day, measure: 'daily', amount: 32 },
      ]);
      const total = async (fromMs: number, untilMs: number) =>
        (await counts.totals({ fromMs, untilMs }))[0]?.amount;
      expect(await total(from, from + 2 * day)).toBe(31);
      expect(await total(from + HOUR_MS, from + 2 * day)).toBe(30);
    });

    it('counts a batch once that is added twice, also at the same time', async () => {
      const startMs = FIRST + 100 * HOUR_MS;
      const count = { startMs, measure: 'twice', label: '', amount: 3 };
      await counts.add('c', [count]);
      await Promise.all([counts.add('c', [count]), counts.add('d', [count]), counts.add('d', [count])]);
      expect(await counts.totals({ fromMs: startMs, untilMs: startMs + 1 })).toEqual([
        { measure: 'twice', label: '', amount: 6 },
      ]);
    });

    it('keeps sums of billions of billionths exact, and labels with any signs', async () => {
      const startMs = FIRST + 200 * HOUR_MS;
      const label = `it's "a" \\ model/ü`;
      const amount = 4_000_000_000_000_001;
      await counts.add('e', [{ startMs, measure: 'cost', label, amount }]);
      await counts.add('f', [{ startMs, measure: 'cost', label, amount: 1 }]);
      expect(await counts.totals({ fromMs: startMs, untilMs: startMs + HOUR_MS })).toEqual([
        { measure: 'cost', label, amount: amount + 1 },
      ]);
    });

    it('takes counts of several processes at once, and drops old hours', async () => {
      const startMs = FIRST - 1_000 * HOUR_MS;
      const labels = Array.from({ length: 50 }, (_, i) => `label ${i}`);
      const batch = (order: readonly string[]) =>
        order.map((label) => ({ startMs, measure: 'crowd', label, amount: 1 }));
      const adding = Array.from({ length: 12 }, (_, i) =>
        counts.add(`crowd ${i}`, batch(i % 2 === 0 ? labels : labels.toReversed())),
      );
      await Promise.all(adding);
      const totals = await counts.totals({ fromMs: startMs, untilMs: startMs + HOUR_MS });
      expect(totals).toHaveLength(50);
      expect(totals.every(({ amount }) => amount === 12)).toBe(true);
      expect(await counts.prune(startMs + HOUR_MS)).toBe(50);
      expect(await counts.totals({ fromMs: startMs, untilMs: startMs + HOUR_MS })).toEqual([]);
    });
  });
}
