import { resultWithin } from '../result-within.ts';
import type { Ledger, SettledEntry } from '../state/index.ts';

export interface Settlement {
  /** Resolves when the entry is on disk, or after two seconds; then it is tried until it is. Never rejects. */
  settle(entry: SettledEntry): Promise<void>;
  /** `waiting`: not on disk yet. `dropped`: there was no room for more. */
  counts(): { readonly settled: number; readonly waiting: number; readonly dropped: number };
  /** Tries once more; what cannot be written then is dropped. */
  close(): Promise<void>;
}

/** A reply does not wait longer for the ledger. */
const MAX_WAIT_MS = 2_000;
const RETRY_MS = 1_000;
/** Entries that wait for a ledger that is away. */
const MAX_WAITING = 100_000;

/** Writes entries of the ledger, and keeps those that could not be written until they are: each counts once, however often it is tried. */
export function createSettlement(ledger: Ledger): Settlement {
  const counts = { settled: 0, waiting: 0, dropped: 0 };
  const late = new Map<string, SettledEntry>();
  let retrying: NodeJS.Timeout | undefined;
  let closed = false;

  async function write(entries: readonly SettledEntry[]): Promise<boolean> {
    try {
      await ledger.settle(entries);
    } catch {
      return false;
    }
    counts.settled += entries.length;
    counts.waiting -= entries.length;
    return true;
  }

  function keep(entry: SettledEntry): void {
    if (closed || late.size >= MAX_WAITING) {
      counts.waiting--;
      counts.dropped++;
      return;
    }
    late.set(entry.id, entry);
    retrying ??= setTimeout(() => void retry(), RETRY_MS).unref();
  }

  async function retry(): Promise<void> {
    const entries = [...late.values()].slice(0, 1_000);
    if (await write(entries)) for (const { id } of entries) late.delete(id);
    retrying = late.size === 0 || closed ? undefined : setTimeout(() => void retry(), RETRY_MS).unref();
  }

  return {
    counts: () => counts,
    async settle(entry) {
      counts.waiting++;
      const written = write([entry]).then((ok) => ok || keep(entry));
      await resultWithin(written, MAX_WAIT_MS);
    },
    async close() {
      closed = true;
      clearTimeout(retrying);
      if (late.size === 0) return;
      const entries = [...late.values()];
      late.clear();
      if (await write(entries)) return;
      counts.waiting -= entries.length;
      counts.dropped += entries.length;
    },
  };
}
