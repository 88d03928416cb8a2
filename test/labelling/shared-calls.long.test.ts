import { describe, expect, onTestFinished, test } from 'vitest';
import { type Caller, keyOf, type Tried } from '../../evals/labelling/call-model.ts';
import { label, openLabelWorker } from '../../evals/labelling/index.ts';
import { openSharedCalls } from '../../evals/labelling/shared-calls.ts';
import { configSchema } from '../../router/config/index.ts';
import { HAS_REDIS, redisUrl } from '../helpers/databases.ts';
import { configFor, labellingWorld } from './labelling-world.ts';

const ROWS = Array.from({ length: 60 }, (_, i) => ({
  id: `q${i}`,
  prompt: `Question ${i}: what is ${i} plus ${i}?`,
  reference: 2 * i,
}));
const answer = (text: string) => `It is ${2 * Number(/Question (\d+)/.exec(text)?.[1])}.`;

async function sharedWorld() {
  const { provider, options } = await labellingWorld(answer, ROWS, [{ use: [{ type: 'number' }] }]);
  const config = { ...configFor(provider), redis: { url: await redisUrl() } };
  return { provider, options: { ...options, config }, config };
}

describe.skipIf(!HAS_REDIS)('with a Redis server', () => {
  test('workers and the run share the calls, and each is made once', async () => {
    const { provider, options, config } = await sharedWorld();
    provider.faults.push('503', '429', 'reset', 'broken-json');
    let replies = 0;
    const onCall = (ended: string) => {
      if (ended === 'reply') replies++;
    };
    const workers = await Promise.all(
      [1, 2, 3].map(() => openLabelWorker({ config, concurrency: 4, waitsMs: [1], onCall })),
    );
    onTestFinished(async () => void (await Promise.all(workers.map((worker) => worker.close()))));
    const shared = await label({ ...options, concurrency: 16 });
    expect(shared).toMatchObject({ ended: 'done', complete: 60, newCalls: 120, lostUsd: 0, missing: [] });
    const served = provider.requests.filter(({ fault }) => fault === undefined);
    expect(new Set(served.map(({ body }) => JSON.stringify([body['model'], body['messages']]))).size).toBe(
      120,
    );
    expect(served).toHaveLength(120);
    expect(replies).toBeGreaterThan(0);
    expect(replies).toBeLessThanOrEqual(120);
    expect(await label(options)).toMatchObject({ newCalls: 0, sha256: shared.sha256 });
  });

  test('what a worker leaves undone is put in again, unless the run ends', async () => {
    const { config } = await sharedWorld();
    const ends: Tried[] = [
      { kind: 'interrupted', why: 'status 503' },
      { kind: 'failed', why: 'status 400', ofProvider: false },
      { kind: 'interrupted', why: 'status 503' },
    ];
    const own: Caller = {
      call: async () => ends.shift()!,
      underway: async () => undefined,
      settled: async () => {},
    };
    const run = new AbortController();
    const journalId = `journal${Math.floor(Math.random() * 1e9)}`;
    const calls = await openSharedCalls({ config, journalId, own, concurrency: 1, signal: run.signal });
    onTestFinished(() => calls.close());
    const call = { model: 'fake/small', caseId: 'a', purpose: 'candidate', body: {} };
    expect(await calls.call(call)).toMatchObject({ kind: 'failed', why: 'status 400' });
    expect(ends).toHaveLength(1);
    expect(await calls.underway(keyOf(call))).toEqual(call); // until it is on the disk
    await calls.settled(call);
    expect(await calls.underway(keyOf(call))).toBeUndefined();
    run.abort();
    expect(await calls.call(call)).toMatchObject({ kind: 'interrupted' });
  });

  test('a worker whose configuration lacks a model says so', async () => {
    const { config } = await sharedWorld();
    const signal = new AbortController().signal;
    const own: Caller = {
      call: async () => ({ kind: 'interrupted', why: 'busy' }),
      underway: async () => undefined,
      settled: async () => {},
    };
    const worker = await openLabelWorker({ config });
    onTestFinished(() => worker.close());
    const calls = await openSharedCalls({ config, journalId: 'lacking', own, concurrency: 1, signal });
    onTestFinished(() => calls.close());
    const call = { model: 'other/model', caseId: 'a', purpose: 'candidate', body: {} };
    expect(await calls.call(call)).toMatchObject({ kind: 'failed', why: /other/ });
  });
});

test('a worker needs redis', async () => {
  const config = configSchema.parse({ log_level: 'silent' });
  await expect(openLabelWorker({ config })).rejects.toMatchObject({
    code: 'invalid-config',
    place: { field: 'redis' },
  });
});
