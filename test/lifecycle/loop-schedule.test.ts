import { expect, onTestFinished, test, vi } from 'vitest';
import { runScheduled, type ScheduleOptions } from '../../evals/loop/index.ts';
import { openState } from '../../router/state/index.ts';

const WEEK_MS = 7 * 86_400_000;

/** Processes on one state, with a clock that is set by hand. */
async function world() {
  const state = await openState({ kind: 'memory', migrate: 'auto' });
  let now = 1_000;
  const ending = new AbortController();
  const running: Promise<void>[] = [];
  onTestFinished(async () => {
    ending.abort();
    await Promise.all(running);
  });
  const start = (round: ScheduleOptions['round'], more: Partial<ScheduleOptions> = {}) => {
    const options = {
      everyMs: WEEK_MS,
      leases: state.leases,
      documents: state.documents,
      onFailure: () => {},
      signal: ending.signal,
      nowMs: () => now,
      lookEveryMs: 5,
      round,
      ...more,
    };
    const process = runScheduled(options);
    running.push(process);
    return process;
  };
  const pass = (ms: number) => {
    now += ms;
  };
  return { start, pass };
}

const looked = () => new Promise((resolve) => setTimeout(resolve, 60));

test('of several processes one runs each round, and the next comes when its time has', async () => {
  const { start, pass } = await world();
  let rounds = 0;
  let atOnce = 0;
  const round = async () => {
    expect(++atOnce).toBe(1);
    await looked();
    rounds++;
    atOnce--;
    return true;
  };
  for (let i = 0; i < 4; i++) void start(round);
  await vi.waitUntil(() => rounds === 1);
  await looked();
  expect(rounds).toBe(1);
  pass(WEEK_MS - 1);
  await looked();
  expect(rounds).toBe(1);
  pass(1);
  await vi.waitUntil(() => rounds === 2);
});

test('a round whose process ends is gone on with by another one', async () => {
  const { start } = await world();
  const first = new AbortController();
  let stopped = false;
  const ended = start(
    async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      stopped = true;
      return false;
    },
    { signal: first.signal },
  );
  await looked();
  let rounds = 0;
  void start(async () => ++rounds > 0);
  await looked();
  expect(rounds).toBe(0); // the lease is held
  first.abort();
  await ended;
  expect(stopped).toBe(true);
  await vi.waitUntil(() => rounds === 1);
});

test('a round that fails is told of, and tried again after an hour, not at once', async () => {
  const { start, pass } = await world();
  const failures: unknown[] = [];
  let tries = 0;
  const round = async () => {
    if (++tries === 1) throw new Error('the provider is down');
    return true;
  };
  void start(round, { onFailure: (error) => void failures.push(error) });
  await vi.waitUntil(() => failures.length === 1);
  await looked();
  expect(tries).toBe(1);
  pass(3_600_000);
  await vi.waitUntil(() => tries === 2);
  pass(3_600_000);
  await looked();
  expect(tries).toBe(2);
});
