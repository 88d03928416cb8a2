import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Leases, State } from '../../../router/state/index.ts';

/** Long enough that no test runs into the end of a lease. */
const LONG_MS = 3_600_000;

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
