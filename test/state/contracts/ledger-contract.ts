import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LedgerEntry, State } from '../../../router/state/index.ts';

const NOON = Date.parse('2026-11-29T12:00:00Z');
const DAY_MS = 86_400_000;

/** What every ledger promises. `open` gives an empty state. */
export function describeLedgerContract(name: string, open: () => Promise<State>): void {
  describe(`${name} keeps the ledger contract`, () => {
    let state: State;
    beforeAll(async () => {
      state = await open();
    });
    afterAll(() => state?.close());
    const entry = (id: string, keyId: string, changes: Partial<LedgerEntry> = {}): LedgerEntry => ({
      id,
      keyId,
      timeMs: NOON,
      model: 'first/small',
      nanoUsd: 100,
      inputTokens: 10,
      outputTokens: 1,
      ...changes,
    });

    it('adds up what was settled, by key', async () => {
      const cached = { cachedInputTokens: 6, cacheWriteInputTokens: 3 };
      await state.ledger.settle([
        entry('a', 'sum', cached),
        entry('b', 'sum', { ...cached, nanoUsd: 1 }),
        entry('c', 'other'),
      ]);
      expect(await state.ledger.spent('sum', '2026-11-01')).toEqual({
        nanoUsd: 101,
        inputTokens: 20,
        cachedInputTokens: 12,
        cacheWriteInputTokens: 6,
        outputTokens: 2,
        requests: 2,
      });
    });

    it('adds up the requests whose ids begin alike, by model, with what is reserved', async () => {
      await state.ledger.settle([
        entry('batch_1/a', 'prefix'),
        entry('batch_1/b', 'prefix', { nanoUsd: 5, cachedInputTokens: 4 }),
        entry('batch_1/c', 'prefix', { model: 'first/large', nanoUsd: 2_000_000_000 }),
        entry('batch_10/a', 'prefix'),
        entry('batchX1/a', 'prefix'),
      ]);
      const none = { cachedInputTokens: 0, cacheWriteInputTokens: 0 };
      const reserved = entry('batch_1/d', 'prefix', { nanoUsd: 7 });
      await state.ledger.reserve({ entry: reserved, charges: [], expiresMs: NOON + 1_000 });
      const expected = [
        {
          model: 'first/large',
          requests: 1,
          nanoUsd: 2_000_000_000,
          inputTokens: 10,
          ...none,
          outputTokens: 1,
        },
        {
          model: 'first/small',
          requests: 3,
          nanoUsd: 112,
          inputTokens: 30,
          ...none,
          cachedInputTokens: 4,
          outputTokens: 3,
        },
      ];
      expect(await state.ledger.spentByIdPrefix('batch_1/')).toEqual(expected);
      await state.ledger.sweep(NOON + 1_000);
      expect(await state.ledger.spentByIdPrefix('batch_1/')).toEqual(expected);
      expect(await state.ledger.spentByIdPrefix('batch_2/')).toEqual([]);
    });

    it('has spent nothing for a key that it does not know', async () => {
      expect(await state.ledger.spent('unknown', '2026-01-01')).toEqual({
        nanoUsd: 0,
        inputTokens: 0,
        cachedInputTokens: 0,
        cacheWriteInputTokens: 0,
        outputTokens: 0,
        requests: 0,
      });
    });

    it('counts an entry that is settled twice once, also at the same time and in one batch', async () => {
      const twice = entry('twice', 'again');
      await Promise.all([
        state.ledger.settle([twice, twice]),
        state.ledger.settle([twice]),
        state.ledger.settle([twice, entry('more', 'again')]),
      ]);
      await state.ledger.settle([twice]);
      expect(await state.ledger.spent('again', '2026-11-29')).toMatchObject({ nanoUsd: 200, requests: 2 });
    });

    it('sums from a day on, by days in UTC', async () => {
      const justBefore = Date.parse('2026-11-28T23:59:59.999Z');
      await state.ledger.settle([
        entry('y', 'days', { timeMs: justBefore }),
        entry('z', 'days', { timeMs: justBefore + 1 }),
      ]);
      expect(await state.ledger.spent('days', '2026-11-28')).toMatchObject({ requests: 2 });
      expect(await state.ledger.spent('days', '2026-11-29')).toMatchObject({ requests: 1 });
      expect(await state.ledger.spent('days', '2026-11-30')).toMatchObject({ requests: 0 });
    });

    it('loses nothing under concurrent settling, and sums exactly', async () => {
      const settling = Array.from({ length: 400 }, (_, i) =>
        state.ledger.settle([entry(`c${i}`, `many${i % 3}`, { nanoUsd: 1_000_000_007 })]),
      );
      await Promise.all(settling);
      const spent = await Promise.all([0, 1, 2].map((i) => state.ledger.spent(`many${i}`, '2026-11-29')));
      expect(spent.map(({ requests }) => requests)).toEqual([134, 133, 133]);
      expect(spent.reduce((sum, { nanoUsd }) => sum + nanoUsd, 0)).toBe(400 * 1_000_000_007);
    });

    it('keeps the sums of days whose entries are pruned', async () => {
      await state.ledger.settle([
        entry('old', 'pruned', { timeMs: NOON - 90 * DAY_MS }),
        entry('new', 'pruned'),
      ]);
      expect(await state.ledger.prune(NOON - 30 * DAY_MS)).toBe(1);
      expect(await state.ledger.spent('pruned', '2026-01-01')).toMatchObject({ requests: 2, nanoUsd: 200 });
    });
  });
}
