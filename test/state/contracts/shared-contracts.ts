import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Counters, Leases, State } from '../../../router/state/index.ts';

/** Long enough that no test runs into the end of a window. */
const LONG_MS = 3_600_000;

/** What every implementation of counters promises. `open` gives two views of the same counters, as two instances have. */
export function describeCountersContract(
  name: string,
  open: () => Promise<{ readonly views: readonly [Counters, Counters]; close(): Promise<void> }>,
): void {
  describe(`${name} keeps the counters contract`, () => {
    let opened: Awaited<ReturnType<typeof open>>;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened?.close());

    it('adds up, and says when the window ends', async () => {
      const [counters] = opened.views;
      expect(await counters.add('a', 1, LONG_MS)).toMatchObject({ total: 1 });
      const { total, resetsInMs } = await counters.add('a', 5, LONG_MS);
      expect(total).toBe(6);
      expect(resetsInMs).toBeGreaterThan(0);
      expect(resetsInMs).toBeLessThanOrEqual(LONG_MS);
    });

    it('keeps keys apart', async () => {
      const [counters] = opened.views;
      await counters.add('b', 3, LONG_MS);
      expect(await counters.add('c', 1, LONG_MS)).toMatchObject({ total: 1 });
    });

    it('loses no count of two instances that add at once', async () => {
      const adds = Array.from({ length: 100 }, (_, i) =>
        opened.views[i % 2 === 0 ? 0 : 1].add('d', 1, LONG_MS),
      );
      const totals = (await Promise.all(adds)).map(({ total }) => total);
      expect(Math.max(...totals)).toBe(100);
      expect(new Set(totals).size).toBe(100);
    });

    it('starts again when the window has ended', async () => {
      const [counters] = opened.views;
      await counters.add('e', 1_000, 1_000);
      await expect.poll(async () => (await counters.add('e', 1, 1_000)).total).toBeLessThan(1_000);
    });
  });
}

/** What every implementation of leases promises. */
export function describeLeasesContract(name: string, open: () => Promise<State>): void {
  describe(`${name} keeps the leases contract`, () => {
    let state: State;
    let leases: Leases;
    beforeAll(async () => {
      state = await open();
      leases = state.leases;
    });
    afterAll(() => state?.close());

    it('has one holder at a time, with a fencing token that only grows', async () => {
      const first = await leases.acquire('job', 'ann', LONG_MS);
      expect(await leases.acquire('job', 'bob', LONG_MS)).toBeUndefined();
      await leases.release(first!);
      const second = await leases.acquire('job', 'bob', LONG_MS);
      expect(second!.fencingToken).toBeGreaterThan(first!.fencingToken);
    });

    it('ends the old lease of a holder that asks again', async () => {
      const first = await leases.acquire('again', 'ann', LONG_MS);
      const second = await leases.acquire('again', 'ann', LONG_MS);
      expect(second!.fencingToken).toBeGreaterThan(first!.fencingToken);
      expect(await leases.renew(first!, LONG_MS)).toBe(false);
      expect(await leases.renew(second!, LONG_MS)).toBe(true);
    });

    it('goes to another one when its time is over, and the first cannot renew or release it', async () => {
      const first = await leases.acquire('expiring', 'ann', 30);
      await expect.poll(() => leases.acquire('expiring', 'bob', LONG_MS)).toBeDefined();
      expect(await leases.renew(first!, LONG_MS)).toBe(false);
      await leases.release(first!);
      expect(await leases.acquire('expiring', 'cecil', LONG_MS)).toBeUndefined();
    });

    it('is won by exactly one of many', async () => {
      const tries = Array.from({ length: 20 }, (_, i) => leases.acquire('race', `holder${i}`, LONG_MS));
      expect((await Promise.all(tries)).filter((lease) => lease !== undefined)).toHaveLength(1);
    });
  });
}
