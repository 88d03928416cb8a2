import { randomUUID } from 'node:crypto';
import type { State } from './ports.ts';

export interface Retention {
  /** Older records of a log, single entries of the ledger, and counts by hour go. */
  readonly maxAgeDays: number;
  /** The oldest records of a log go when it is larger. */
  readonly maxBytes: number;
}

export interface Pruned {
  readonly records: number;
  readonly ledgerEntries: number;
  readonly documents: number;
}

const DAY_MS = 86_400_000;
const EVERY_MS = 600_000;
const LEASE_MS = 300_000;

/** Drops what is older or larger than may be kept, and what has expired. @param nowMs milliseconds since 1970 */
export async function pruneState(state: State, retention: Retention, nowMs: number): Promise<Pruned> {
  const { maxAgeDays, maxBytes } = retention;
  const beforeMs = nowMs - maxAgeDays * DAY_MS;
  let records = 0;
  for (const stream of await state.log.streams()) {
    records += await state.log.prune(stream, { beforeMs, maxBytes });
  }
  await state.hourCounts.prune(beforeMs);
  return {
    records,
    ledgerEntries: await state.ledger.prune(beforeMs),
    documents: await state.documents.prune(),
  };
}

/**
 * Prunes now and every ten minutes, on one instance at a time. Its timer keeps no process alive.
 * @returns what ends it
 */
export function pruneRegularly(
  state: State,
  retention: Retention,
  onFailure: (error: unknown) => void,
): () => void {
  const holder = randomUUID();
  let running = false;
  async function prune(): Promise<void> {
    if (running) return;
    running = true;
    try {
      const lease = await state.leases.acquire('prune', holder, LEASE_MS);
      if (lease === undefined) return;
      await pruneState(state, retention, Date.now());
      await state.leases.release(lease);
    } catch (error) {
      onFailure(error);
    } finally {
      running = false;
    }
  }
  const first = setTimeout(prune, 5_000).unref(); // not while the server starts
  const timer = setInterval(prune, EVERY_MS).unref();
  return () => {
    clearTimeout(first);
    clearInterval(timer);
  };
}
