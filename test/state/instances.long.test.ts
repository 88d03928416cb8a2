import { expect, test } from 'vitest';
import { benchTexts } from '../../scripts/bench/fixtures.ts';
import { killedInstances } from '../../scripts/bench/state/killed-instances.ts';
import { HAS_POSTGRES, HAS_REDIS } from '../helpers/databases.ts';

/** `npm run bench:state -- --only instances` makes the 50,000 requests of docs/BENCHMARKS.md. */
const REQUESTS = 2_000;

test.skipIf(!HAS_POSTGRES || !HAS_REDIS)(
  'two instances, one killed and PostgreSQL crashed in between: nothing settled is lost, no reply crossed, keys and pins agree',
  async () => {
    const outcome = await killedInstances({ requests: REQUESTS, texts: benchTexts(), say: () => {} });
    expect(outcome).toMatchObject({ unanswered: 0, crossed: 0, missing: 0, wrongSums: 0 });
    const { provider, ledger, atWorkAtKill, turns, revoked } = outcome;
    // What was at work at the kill may have been answered by the provider, with nobody left to settle it.
    expect(ledger.entries).toBeLessThanOrEqual(provider.replies);
    expect(ledger.entries).toBeGreaterThanOrEqual(provider.replies - atWorkAtKill);
    expect(ledger.entries).toBeGreaterThanOrEqual(REQUESTS);
    expect(ledger.nanoUsd).toBeLessThanOrEqual(provider.nanoUsd);
    expect(outcome.attempts).toBeGreaterThan(REQUESTS);
    expect([revoked.taken, outcome.takenBeyondBudget]).toEqual([0, 0]);
    expect(turns).toEqual({ count: REQUESTS / 4, moved: 0 });
  },
  300_000,
);
