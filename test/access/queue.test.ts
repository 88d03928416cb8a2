import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createQueue, type Entry } from '../../router/access/queue.ts';
import { seededRandom } from '../../router/statistics/index.ts';

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

test('a place goes to whoever was given the fewest lately, in turn among equals', async () => {
  const queue = createQueue({ maxConcurrency: 2, maxQueue: 10, maxWaitMs: 2_500 });
  const first = await queue.enter(undefined, 'busy');
  const second = await queue.enter(undefined, 'busy');
  const order: string[] = [];
  const entries = ['busy', 'busy', 'a', 'b', 'a'].map(async (who) => {
    const entry = await queue.enter(undefined, who);
    order.push(who);
    return entry;
  });
  leave(first);
  leave(second);
  for (const at of [2, 3, 4, 0, 1]) leave(await entries[at]!);
  expect(order).toEqual(['a', 'b', 'a', 'busy', 'busy']);
});

test('a full queue makes room by refusing the last of the longest line', async () => {
  const queue = createQueue({ maxConcurrency: 1, maxQueue: 3, maxWaitMs: 2_500 });
  const first = await queue.enter(undefined, 'busy');
  const busy = [1, 2, 3].map(() => queue.enter(undefined, 'busy'));
  const other = queue.enter(undefined, 'a');
  expect(await busy[2]).toMatchObject({ outcome: 'full' });
  expect(await queue.enter(undefined, 'busy')).toMatchObject({ outcome: 'full' });
  expect(await queue.enter(undefined, 'a')).toMatchObject({ outcome: 'full' }); // as many each
  leave(first);
  for (const entry of [other, busy[0]!, busy[1]!]) leave(await entry);
});

/**
 * Waits in ms of nine keys with `rate` requests a second each, while another key sends `load` a second, over a minute. Ten places serve ten
 * requests a second each. Time is counted here; the queue's own timers stand still.
 */
async function waitsOfOthers(rate: number, load: number): Promise<number[]> {
  let now = 0;
  const queue = createQueue({ maxConcurrency: 10, maxQueue: 100, maxWaitMs: 5_000 }, () => now);
  const [others, busy] = [seededRandom(7), seededRandom(8)];
  const ends = new Map<number, Entry[]>();
  const waits: number[] = [];
  const request = async (who: string) => {
    const came = now;
    const entry = await queue.enter(undefined, who);
    if (who !== 'busy') waits.push(entry.outcome === 'entered' ? now - came : Number.POSITIVE_INFINITY);
    if (entry.outcome === 'entered') ends.set(now + 100, [...(ends.get(now + 100) ?? []), entry]);
  };
  for (; now < 60_000 || ends.size > 0; now++) {
    for (const entry of ends.get(now) ?? []) leave(entry);
    ends.delete(now);
    for (let key = 0; key < 9; key++) if (others() < rate / 1_000 && now < 60_000) void request(`key ${key}`);
    if (busy() < load / 1_000 && now < 60_000) void request('busy');
    for (let turn = 0; turn < 6; turn++) await Promise.resolve();
  }
  return waits.sort((a, b) => a - b);
}

const p95 = (sorted: readonly number[]) => sorted[Math.floor(sorted.length * 0.95)]!;

test.each([
  [7, 1.5],
  [8, 1.5],
  [9, 1.5],
])(
  'at %i requests a second, a key with ten times as many makes the others wait at most %f times as long',
  async (rate, most) => {
    const [like, beside] = [await waitsOfOthers(rate, rate), await waitsOfOthers(rate, 10 * rate)];
    expect(beside).toHaveLength(like.length);
    expect(p95(beside)).toBeLessThanOrEqual(most * p95(like));
  },
);

test('a fifth of the places is kept from whoever was given much, while others come', async () => {
  let now = 0;
  const queue = createQueue({ maxConcurrency: 20, maxQueue: 10, maxWaitMs: 2_500 }, () => now);
  const alone = await Promise.all(Array.from({ length: 20 }, () => queue.enter(undefined, 'busy')));
  for (const entry of alone) leave(entry);
  now += 1_000;
  const other = await queue.enter(undefined, 'other');
  for (let i = 0; i < 15; i++) await queue.enter(undefined, 'busy');
  const waiting = queue.enter(undefined, 'busy');
  expect([queue.atWork(), queue.waiting()]).toEqual([16, 1]);
  for (let i = 0; i < 4; i++) await queue.enter(undefined, 'other');
  expect([queue.atWork(), queue.waiting()]).toEqual([20, 1]);
  now += 60_000; // the other one has not come since
  leave(other);
  expect((await waiting).outcome).toBe('entered');
});

test('a fifth is kept at once from whoever takes most places in one go, before that is much of what was given lately', async () => {
  const queue = createQueue({ maxConcurrency: 20, maxQueue: 10, maxWaitMs: 2_500 }, () => 0);
  for (let i = 0; i < 180; i++) leave(await queue.enter(undefined, `key ${i % 9}`));
  for (let i = 0; i < 20; i++) void queue.enter(undefined, 'new');
  await vi.advanceTimersByTimeAsync(0);
  expect([queue.atWork(), queue.waiting()]).toEqual([16, 4]);
  const others = await Promise.all([0, 1, 2, 3].map((i) => queue.enter(undefined, `key ${i}`)));
  expect(others.map(({ outcome }) => outcome)).toEqual(Array(4).fill('entered'));
  queue.close();
});

test('work in the background enters when nobody waits, and waits as long as it takes', async () => {
  const queue = createQueue(limits);
  const [first, second] = await Promise.all([queue.enter(), queue.enter()]);
  const order: string[] = [];
  const noted = async (name: string, entering: Promise<Entry>) => {
    const entry = await entering;
    order.push(name);
    return entry;
  };
  const aborting = new AbortController();
  const behind = noted('behind', queue.enterInBackground(new AbortController().signal));
  const given = queue.enterInBackground(aborting.signal);
  const live = noted('live', queue.enter());
  expect(queue.waiting()).toBe(1); // requests alone are counted, and have the limit of the queue
  leave(first);
  leave(await live);
  leave(await behind);
  expect(order).toEqual(['live', 'behind']);
  leave(second);
  leave(await given);
  const [third] = await Promise.all([queue.enter(), queue.enter()]);
  const aborted = queue.enterInBackground(aborting.signal);
  await vi.advanceTimersByTimeAsync(10 * limits.maxWaitMs);
  aborting.abort();
  expect(await aborted).toEqual({ outcome: 'aborted' });
  expect(await queue.enterInBackground(aborting.signal)).toEqual({ outcome: 'aborted' });
  const last = queue.enterInBackground(new AbortController().signal);
  queue.close();
  expect((await last).outcome).toBe('closed');
  leave(third);
});

test('work in the background leaves a tenth of the places free', async () => {
  const queue = createQueue({ maxConcurrency: 10, maxQueue: 10, maxWaitMs: 1_000 });
  const { signal } = new AbortController();
  const entries = Array.from({ length: 12 }, () => queue.enterInBackground(signal));
  await vi.advanceTimersByTimeAsync(0);
  expect(queue.atWork()).toBe(9);
  leave(await queue.enter());
  expect(queue.atWork()).toBe(9);
  queue.close();
  for (const entry of await Promise.all(entries)) if (entry.outcome === 'entered') entry.leave();
});
