import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import {
  bills,
  type KilledOutcome,
  killedLabelling,
  openWorld,
  startLabel,
} from '../../scripts/bench/killed-labelling.ts';
import { HAS_REDIS, redisUrl } from '../helpers/databases.ts';
import { folderForTest } from './labelling-world.ts';

/** `npm run bench:killed-labels` makes the 20,000 calls of docs/EXPERIMENTS.md. */
const PLAN = { rows: 300, faultShare: 0.1, kills: 6, concurrency: 8, seed: 7 };

function expectPaidOnce(outcome: KilledOutcome, rows: number, mostTwice: number): void {
  expect(outcome).toMatchObject({ complete: rows, pairs: 2 * rows, same: true });
  expect(outcome.kills).toBeGreaterThan(1);
  expect(outcome.journal).toEqual({ replies: 2 * rows, keys: 2 * rows });
  // What was at work at a kill may have been answered while the process died: nothing else is asked twice.
  expect(outcome.twice).toBeLessThanOrEqual(mostTwice);
  const { atBudget, billedUsd, spentUsd, lostUsd, callUsd } = outcome;
  expect(billedUsd).toBeLessThanOrEqual(spentUsd + 1e-9);
  expect(spentUsd).toBeLessThanOrEqual(billedUsd + lostUsd + 1e-6);
  expect(atBudget.spentUsd).toBeLessThanOrEqual(atBudget.budgetUsd);
  expect(atBudget.spentUsd).toBeGreaterThan(atBudget.budgetUsd - callUsd);
  expect(atBudget.billedUsd).toBeLessThanOrEqual(atBudget.budgetUsd);
}

test('600 calls with 10 % faults, killed 6 times: each reply is paid for once, within the budget, and the cases are the same', async () => {
  const outcome = await killedLabelling({ ...PLAN, folder: folderForTest() });
  expectPaidOnce(outcome, PLAN.rows, outcome.kills * PLAN.concurrency);
}, 300_000);

test.skipIf(!HAS_REDIS)(
  'the same with four workers, each kill of the run or of one of them',
  async () => {
    const shared = { workers: 4, redisUrl: await redisUrl() };
    const plan = { ...PLAN, rows: 150, kills: 4, concurrency: 16, folder: folderForTest(), shared };
    const outcome = await killedLabelling(plan);
    expectPaidOnce(outcome, plan.rows, outcome.kills * plan.concurrency);
  },
  300_000,
);

test('an interrupt waits for the calls at work: none is paid for twice', async () => {
  const plan = { ...PLAN, folder: folderForTest() };
  const world = await openWorld(plan, 'interrupted');
  onTestFinished(() => world.provider.close());
  const run = async (child: ReturnType<typeof startLabel>) => {
    const [stdout] = await Promise.all([text(child.stdout!), once(child, 'close')]);
    return { code: child.exitCode, result: JSON.parse(stdout) };
  };
  const child = startLabel(world, plan, 5);
  const ended = run(child);
  while (world.provider.requests.length < 100) await sleep(2);
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 130, result: { ended: 'ended', lost_usd: 0 } });
  const rest = await run(startLabel(world, plan, 5));
  expect(rest.result).toMatchObject({ complete: PLAN.rows, lost_usd: 0 });
  const { pairs, replies } = bills(world.provider);
  expect(replies).toBe(pairs);
}, 120_000);
