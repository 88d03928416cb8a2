import { randomUUID } from 'node:crypto';
import { safeError } from '../errors.ts';
import { LEASE_MS, type RunParts, runBatch } from './run.ts';
import { Stop } from './stop.ts';

/** How often batches are looked for that nobody works on. */
const LOOK_MS = 2_000;
/** Batches of one process at once. */
const MAX_RUNNING = 100;
const MAX_LISTED = 1_000;

export interface Worker {
  /** Looks for batches now. */
  wake(): void;
  /** Takes up no more lines, and waits for those at work; after the time they are cut off. */
  close(withinMs: number): Promise<void>;
}

/** Works on batches that no other process works on: each has one lease. */
export function startWorker(parts: RunParts): Worker {
  const { state, batches, onTrouble } = parts;
  const holder = randomUUID();
  const running = new Map<string, { readonly stop: Stop; readonly ended: Promise<void> }>();
  let looking: Promise<void> | undefined;
  let closed = false;

  async function look(): Promise<void> {
    for (const batch of await batches.open(MAX_LISTED)) {
      if (closed || running.size >= MAX_RUNNING) return;
      if (!running.has(batch.id)) await take(batch);
    }
  }

  async function take(batch: { readonly id: string; readonly scope: string }): Promise<void> {
    const lease = await state.leases.acquire(`batch/${batch.id}`, holder, LEASE_MS);
    if (lease === undefined) return;
    const stop = new Stop();
    const ended = runBatch(batch, lease, stop, parts)
      .catch((error) => onTrouble(batch.id, safeError(error)))
      .then(() => state.leases.release(lease))
      .catch(() => {}) // then it expires
      .finally(() => running.delete(batch.id));
    running.set(batch.id, { stop, ended });
  }

  function wake(): void {
    if (closed) return;
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
