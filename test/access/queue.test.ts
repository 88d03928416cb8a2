import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createQueue, type Entry } from '../../router/access/queue.ts';

// Waits are bounded by the fake clock, so that nothing here depends on how fast the machine is.
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0); // no timer outlives what it was for
  vi.useRealTimers();
});

const limits = { maxConcurrency: 2, maxQueue: 2, maxWaitMs: 2_500 };

function leave(entry: Entry): void {
  expect(entry.outcome).toBe('entered');
  if (entry.outcome === 'entered') entry.leave();
}

test('at work, waiting in order of arrival, and full: 429', async () => {
  const queue = createQueue(limits);
  const [first, second] = await Promise.all([queue.enter(), queue.enter()]);
  const order: string[] = [];
  const noted = async (name: string) => {
    const entry = await queue.enter();
    order.push(name);
    return entry;
  };
  const third = noted('third');
  const fourth = noted('fourth');
  expect(await queue.enter()).toEqual({ outcome: 'full', retryAfterS: 3 });
  expect([queue.atWork(), queue.waiting()]).toEqual([2, 2]);
  leave(second);
  const entered = await third;
  leave(first);
  leave(first); // a second time changes nothing
  leave(await fourth);
  expect(order).toEqual(['third', 'fourth']);
  expect([queue.atWork(), queue.waiting()]).toEqual([1, 0]);
  leave(entered);
  expect(queue.atWork()).toBe(0);
});

test('a wait that is too long: 503, and its place in the queue is free again', async () => {
  const queue = createQueue({ ...limits, maxConcurrency: 1, maxQueue: 1 });
  const first = await queue.enter();
  const waited = queue.enter();
  vi.advanceTimersByTime(2_499);
  expect(queue.waiting()).toBe(1);
  vi.advanceTimersByTime(1);
  expect(await waited).toEqual({ outcome: 'waited-too-long', retryAfterS: 3 });
  const next = queue.enter();
  leave(first);
  leave(await next);
  expect([queue.atWork(), queue.waiting()]).toEqual([0, 0]);
});

test('a client that leaves is taken out of the queue, and leaves no listener behind', async () => {
  const queue = createQueue({ ...limits, maxConcurrency: 1 });
  const first = await queue.enter();
  const [gone, stays] = [new AbortController(), new AbortController()];
  const waits = queue.enter(gone.signal);
  const next = queue.enter(stays.signal);
  gone.abort();
  expect(await waits).toEqual({ outcome: 'aborted' });
  expect(await queue.enter(gone.signal)).toEqual({ outcome: 'aborted' });
  expect(queue.waiting()).toBe(1);
  leave(first);
  leave(await next);
  expect(getEventListeners(stays.signal, 'abort')).toEqual([]);
  expect(getEventListeners(gone.signal, 'abort')).toEqual([]);
  expect(queue.atWork()).toBe(0);
});

test('closing refuses those who wait and come, and lets those at work end', async () => {
  const queue = createQueue({ ...limits, maxConcurrency: 1 });
  const first = await queue.enter();
  const waits = queue.enter();
  queue.close();
  expect(await waits).toMatchObject({ outcome: 'closed' });
  expect(await queue.enter()).toMatchObject({ outcome: 'closed' });
  leave(first);
  expect(queue.atWork()).toBe(0);
});

test('maxQueue 0 lets nobody wait', async () => {
  const queue = createQueue({ maxConcurrency: 1, maxQueue: 0, maxWaitMs: 10 });
  const first = await queue.enter();
  expect(await queue.enter()).toEqual({ outcome: 'full', retryAfterS: 1 });
  leave(first);
});

test('never more at work than allowed, whatever comes and goes', async () => {
  const queue = createQueue({ maxConcurrency: 3, maxQueue: 1_000, maxWaitMs: 1_000 });
  let most = 0;
  const work = async (i: number) => {
    const aborter = new AbortController();
    const coming = queue.enter(aborter.signal);
    if (i % 7 === 0) aborter.abort();
    const entry = await coming;
    if (entry.outcome !== 'entered') return entry.outcome;
    most = Math.max(most, queue.atWork());
    for (let turns = 0; turns < i % 5; turns++) await Promise.resolve();
    entry.leave();
    return 'done';
  };
  const outcomes = await Promise.all(Array.from({ length: 500 }, (_, i) => work(i)));
  expect(most).toBe(3);
  expect(new Set(outcomes)).toEqual(new Set(['done', 'aborted']));
  expect([queue.atWork(), queue.waiting()]).toEqual([0, 0]);
});
