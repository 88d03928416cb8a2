import type { Ledger, SettledEntry } from './ports.ts';
import type { SettlementJournal } from './settlement-journal.ts';

/** Entries that may be in the journal alone; above this a settlement waits for the database. */
const MOST_UNCOMMITTED = 10_000;
const RETRY_MS = 1_000;
const IDLE_AFTER_MS = 10_000;

/**
 * A ledger whose settlements are in a journal when they resolve, and in the database soon after. Appending takes tens of microseconds, a
 * transaction in another thread nearly a millisecond. Until an entry is in the database its reservation stays in the windows, which so hold too much
 * and never too little. Whoever reads the ledger, or finds no room in it, first takes in what is in the journals of all processes: each entry counts once,
 * however often it is taken in.
 */
export function journaledLedger(
  inner: Ledger,
  journal: SettlementJournal,
): Ledger & { close(): Promise<void> } {
  let fresh: SettledEntry[] = [];
  const writing = new Set<Promise<boolean>>();
  let uncommitted = 0;
  let begins: NodeJS.Immediate | undefined;
  let retrying: NodeJS.Timeout | undefined;
  let idling: NodeJS.Timeout | undefined;
  let failure: unknown;
  let closed = false;
  let recovering: Promise<unknown> | undefined;

  /** What is fresh goes to the database, together with what comes to it in the same turn. */
  function begin(): void {
    clearImmediate(begins);
    begins = undefined;
    if (fresh.length === 0) return;
    const entries = fresh;
    fresh = [];
    const written = inner.settle(entries).then(
      () => {
        uncommitted -= entries.length;
        return true;
      },
      (error: unknown) => {
        failure = error;
        fresh.push(...entries);
        if (!closed) retrying ??= setTimeout(retry, RETRY_MS).unref();
        return false;
      },
    );
    writing.add(written);
    void written.then(() => {
      writing.delete(written);
      if (uncommitted > 0) return;
      clear(false);
      if (!closed) idling ??= setTimeout(rest, IDLE_AFTER_MS).unref();
    });
  }

  function retry(): void {
    retrying = undefined;
    begin();
  }

  function rest(): void {
    idling = undefined;
    clear(true);
  }

  /** All that this process settled until now is in the database. */
  async function flush(): Promise<void> {
    begin();
    const all = await Promise.all(writing);
    if (all.includes(false)) throw failure;
  }

  /** All that any process settled until now is in the database. @returns whether that of others may not have been */
  async function takeIn(): Promise<boolean> {
    const [others] = await Promise.all([journal.others(), flush()]);
    if (others.entries.length > 0) await inner.settle(others.entries);
    await others.taken();
    return others.entries.length > 0;
  }

  function clear(isIdle: boolean): void {
    if (uncommitted === 0) journal.committed(isIdle);
  }

  /** Once, what processes left that have ended. */
  function recovered(): Promise<unknown> {
    recovering ??= takeIn().catch((error: unknown) => {
      recovering = undefined;
      throw error;
    });
    return recovering;
  }

  return {
    async reserve(reservation) {
      await recovered();
      begin(); // before the reservation, which then has its room
      const outcome = await inner.reserve(reservation);
      if (outcome.isReserved) return outcome;
      const isLate = uncommitted > 0;
      return (await takeIn()) || isLate ? inner.reserve(reservation) : outcome;
    },
    async settle(entries) {
      if (entries.length === 0) return;
      if (closed || uncommitted >= MOST_UNCOMMITTED) return inner.settle(entries);
      try {
        journal.append(entries);
      } catch {
        return inner.settle(entries);
      }
      clearTimeout(idling);
      idling = undefined;
      uncommitted += entries.length;
      fresh.push(...entries);
      if (retrying === undefined) begins ??= setImmediate(begin); // the reply goes first
    },
    cancel: inner.cancel,
    async sweep(nowMs) {
      await takeIn();
      return inner.sweep(nowMs);
    },
    async windows(atMs) {
      await takeIn();
      return inner.windows(atMs);
    },
    async spent(keyId, fromDay) {
      await takeIn();
      return inner.spent(keyId, fromDay);
    },
    async spentByIdPrefix(prefix) {
      await takeIn();
      return inner.spentByIdPrefix(prefix);
    },
    async prune(beforeMs) {
      await takeIn();
      clear(true); // nobody takes in later what is pruned now
      return inner.prune(beforeMs);
    },
    async close() {
      closed = true;
      clearTimeout(idling);
      clearTimeout(retrying);
      await flush().then(
        () => clear(true),
        () => {}, // it stays in the journal, and whoever opens the state next takes it in
      );
    },
  };
}
