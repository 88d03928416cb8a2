import { expect, test } from 'vitest';
import { killedBatch } from '../../scripts/bench/killed-batch.ts';
import { folderForTest } from '../labelling/labelling-world.ts';

/** `npm run bench:batches` does the same with up to 50,000 lines; docs/EXPERIMENTS.md has a run. */
const PLAN = { lines: 2_000, kills: 2, concurrency: 16, delayMs: 5 };

test('2,000 lines, killed twice: each line is answered once, and the report is the ledger', async () => {
  const outcome = await killedBatch({ ...PLAN, folder: folderForTest() });
  expect(outcome).toMatchObject({
    status: 'completed',
    kills: PLAN.kills,
    output: { lines: PLAN.lines, distinct: PLAN.lines },
  });
  expect(outcome.asked).toBe(PLAN.lines + outcome.askedAgain);
  expect(outcome.askedAgain).toBeLessThanOrEqual(PLAN.kills * PLAN.concurrency); // at work at a kill
  expect(outcome.reportNanoUsd).toBe(BigInt(outcome.ledger.nanoUsd));
  expect(outcome.reportRequests).toBe(outcome.ledger.requests);
}, 300_000);
