import { randomUUID } from 'node:crypto';
import { safeError } from '../errors.ts';
import { Activity } from './activity.ts';
import type { OpenBatch } from './batch-store.ts';
import { LEASE_MS, type RunParts, runBatch } from './run.ts';
import { Stop } from './stop.ts';

/** How often batches are looked for that nobody works on. */
const LOOK_MS = 2_000;
/** Batches of one process at once. */
const MAX_RUNNING = 100;
/** How long a batch that gave way stays behind, while others want its place: as long as its limit, within these. */
const MIN_BEHIND_MS = 60_000;
const MAX_BEHIND_MS = 600_000;

export interface Worker {
  /** Looks for batches now. @param urgent one that has only to be ended, whether or not there is a place */
  wake(urgent?: OpenBatch): void;
  /** Takes up no more lines, and waits for those at work; after the time they are cut off. */
  close(withinMs: number): Promise<void>;
}

interface Running extends OpenBatch {
  readonly stop: Stop;
  readonly activity: Activity;
  readonly ended: Promise<void>;
}

/**
 * Works on batches that no other process works on: each has one lease. API keys have the places in turn: a batch gives way that only waits for a limit,
 * else one of the key that has more of them than whoever comes.
 */
export function startWorker(parts: RunParts): Worker {
  const { state, batches, onTrouble, now } = parts;
  const holder = randomUUID();
  const running = new Map<string, Running>();
  /** Those that gave way, until when. */
  const behind = new Map<string, number>();
  const urgent = new Map<string, OpenBatch>();
  let looking: Promise<void> | undefined;
  let closed = false;

  const holders = () => [...running.values()].filter(({ stop }) => stop.reason !== 'left');

  async function look(): Promise<void> {
    const open = await batches.open();
    const ids = new Set(open.map(({ id }) => id));
    for (const ended of [behind, urgent]) for (const id of ended.keys()) if (!ids.has(id)) ended.delete(id);
    for (const batch of open) if ((batch.expiresMs ?? now()) < now()) urgent.set(batch.id, batch);
    await endUrgent();
    await takeInTurn(open);
  }

  /** What has only to be ended is not held up by others that wait. */
  async function endUrgent(): Promise<void> {
    for (const batch of urgent.values()) {
      if (closed || running.size >= 2 * MAX_RUNNING) return;
      if (running.has(batch.id)) continue;
      urgent.delete(batch.id);
      await take(batch);
    }
  }

  /** The next of the key that has the fewest places, until nobody gives way any more. */
  async function takeInTurn(open: readonly OpenBatch[]): Promise<void> {
    const queues = new Map<string, OpenBatch[]>();
    const last: OpenBatch[] = []; // with no place, they stay behind
    for (const batch of open) {
      if (running.has(batch.id)) continue;
      if ((behind.get(batch.id) ?? 0) > now()) last.push(batch);
      else queues.set(batch.scope, [...(queues.get(batch.scope) ?? []), batch]);
    }
    while (queues.size > 0 && !closed) {
      const counts = countByScope(holders());
      const [scope] = [...queues.keys()].sort((a, b) => (counts.get(a) ?? 0) - (counts.get(b) ?? 0));
      const isFree = holders().length < MAX_RUNNING;
      const leaving = isFree ? undefined : givingWay(scope!);
      if (!isFree && leaving === undefined) return;
      const queue = queues.get(scope!)!;
      if ((await take(queue.shift()!)) && leaving !== undefined) leave(leaving);
      if (queue.length === 0) queues.delete(scope!);
    }
    for (const batch of last) if (!closed && holders().length < MAX_RUNNING) await take(batch);
  }

  /** Undefined if nobody does. The newest of a key goes first: of the others more is done. */
  function givingWay(scope: string): Running | undefined {
    const counts = countByScope(holders());
    const countOf = (one: { readonly scope: string }) => counts.get(one.scope) ?? 0;
    const inOrder = holders().sort((a, b) => countOf(b) - countOf(a) || (a.id < b.id ? 1 : -1));
    const waiting = inOrder.find(({ activity }) => activity.waitsUntilMs !== undefined);
    if (waiting !== undefined) return waiting;
    return countOf(inOrder[0]!) > countOf({ scope }) + 1 ? inOrder[0] : undefined;
  }

  /** Its lines that are at work are still answered. */
  function leave({ id, stop, activity }: Running): void {
    const waitMs = (activity.waitsUntilMs ?? 0) - now();
    behind.set(id, now() + Math.min(MAX_BEHIND_MS, Math.max(MIN_BEHIND_MS, waitMs)));
    stop.stop('left');
  }

  /** @returns false if another process has it */
  async function take(batch: OpenBatch): Promise<boolean> {
    const lease = await state.leases.acquire(`batch/${batch.id}`, holder, LEASE_MS);
    if (lease === undefined) return false;
    behind.delete(batch.id);
    const stop = new Stop();
    const activity = new Activity();
    const ended = runBatch(batch, lease, { stop, activity }, parts)
      .catch((error) => onTrouble(batch.id, safeError(error)))
      .then(() => state.leases.release(lease))
      .catch(() => {}) // then it expires
      .finally(() => running.delete(batch.id));
    running.set(batch.id, { ...batch, stop, activity, ended });
    return true;
  }

  function wake(wanted?: OpenBatch): void {
    if (closed) return;
    if (wanted !== undefined) urgent.set(wanted.id, wanted);
    looking ??= look()
      .catch((error) => onTrouble('', safeError(error)))
      .finally(() => {
        looking = undefined;
      });
  }

  const timer = setInterval(wake, LOOK_MS).unref();
  wake();
  return {
    wake,
    async close(withinMs) {
      closed = true;
      clearInterval(timer);
      await looking;
      const all = [...running.values()];
      for (const { stop } of all) stop.stop('left');
      const cutOff = setTimeout(() => {
        for (const { stop } of all) stop.cutOff();
      }, withinMs);
      await Promise.all(all.map(({ ended }) => ended));
      clearTimeout(cutOff);
    },
  };
}

function countByScope(batches: readonly { readonly scope: string }[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { scope } of batches) counts.set(scope, (counts.get(scope) ?? 0) + 1);
  return counts;
}
