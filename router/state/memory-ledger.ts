import { dayOf } from './names.ts';
import type {
  Charge,
  Ledger,
  LedgerEntry,
  LedgerWindow,
  ModelSpending,
  Reservation,
  SettledEntry,
  Spending,
  WindowSums,
} from './ports.ts';

type HeldWindow = LedgerWindow & { reserved: number; settled: number };

/** The ledger of one process, gone with it. */
export function memoryLedger(): Ledger & { size(): number } {
  const entries = new Map<string, LedgerEntry>();
  const days = new Map<string, Map<string, Spending>>();
  const reservations = new Map<string, Reservation>();
  const windows = new Map<string, HeldWindow>();

  function windowOf({ scope, window, startMs, endMs }: LedgerWindow): HeldWindow {
    const name = `${scope}\0${window}\0${startMs}`;
    let held = windows.get(name);
    if (held === undefined) {
      held = { scope, window, startMs, endMs, reserved: 0, settled: 0 };
      windows.set(name, held);
    }
    return held;
  }

  function giveBack(id: string): void {
    for (const charge of reservations.get(id)?.charges ?? []) windowOf(charge).reserved -= charge.amount;
    reservations.delete(id);
  }

  function settleOne({ charges = [], ...entry }: SettledEntry): void {
    giveBack(entry.id);
    if (entries.has(entry.id)) return;
    entries.set(entry.id, entry);
    const ofKey = days.get(entry.keyId) ?? new Map<string, Spending>();
    days.set(entry.keyId, ofKey);
    const day = dayOf(entry.timeMs);
    ofKey.set(day, sum(ofKey.get(day) ?? NOTHING_SPENT, spendingOf(entry)));
    for (const charge of charges) windowOf(charge).settled += charge.amount;
  }

  return {
    async reserve(reservation) {
      const { entry, charges } = reservation;
      const isKnown = reservations.has(entry.id);
      const fits = charges.every((charge) => isRoomFor(charge, windowOf(charge)));
      if (fits && !isKnown) {
        reservations.set(entry.id, reservation);
        for (const charge of charges) windowOf(charge).reserved += charge.amount;
      }
      const sums = charges.map(windowOf).map(({ reserved, settled }) => ({ reserved, settled }));
      return { isReserved: fits || isKnown, windows: sums };
    },
    async settle(settled) {
      for (const entry of settled) settleOne(entry);
    },
    async cancel(id) {
      giveBack(id);
    },
    async sweep(nowMs) {
      const expired = [...reservations.values()].filter(({ expiresMs }) => expiresMs <= nowMs);
      for (const { entry, charges } of expired) settleOne({ ...entry, charges });
      return expired.length;
    },
    async windows(atMs) {
      return [...windows.values()]
        .filter(({ startMs, endMs }) => startMs <= atMs && atMs < endMs)
        .filter(({ reserved, settled }) => reserved !== 0 || settled !== 0)
        .map((window) => ({ ...window }))
        .sort((a, b) => compare(a.scope, b.scope) || compare(a.window, b.window));
    },
    async spent(keyId, fromDay) {
      const since = [...(days.get(keyId) ?? [])].filter(([day]) => day >= fromDay);
      return since.map(([, spending]) => spending).reduce(sum, NOTHING_SPENT);
    },
    async spentByIdPrefix(prefix) {
      const open = [...reservations.values()].map(({ entry }) => entry);
      const all = [...entries.values(), ...open].filter(({ id }) => id.startsWith(prefix));
      const byModel = new Map<string, ModelSpending>();
      for (const { model, ...entry } of all) {
        const before = byModel.get(model) ?? NOTHING_SPENT;
        byModel.set(model, { model, ...sum(before, spendingOf(entry)) });
      }
      return [...byModel.values()].sort((a, b) => compare(a.model, b.model));
    },
    async prune(beforeMs) {
      const old = [...entries.values()].filter(({ timeMs }) => timeMs < beforeMs);
      for (const { id } of old) entries.delete(id);
      for (const [name, { endMs, reserved }] of windows)
        if (endMs < beforeMs && reserved === 0) windows.delete(name);
      return old.length;
    },
    size: () => entries.size,
  };
}

function isRoomFor({ amount, cap }: Charge & { readonly cap: number }, { reserved, settled }: WindowSums) {
  return settled + reserved + amount <= cap;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

const NOTHING_SPENT: Spending = {
  nanoUsd: 0,
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteInputTokens: 0,
  outputTokens: 0,
  requests: 0,
};

/** What one entry adds. */
function spendingOf(entry: Omit<LedgerEntry, 'model'>): Spending {
  const { nanoUsd, inputTokens, cachedInputTokens = 0, cacheWriteInputTokens = 0, outputTokens } = entry;
  return { nanoUsd, inputTokens, cachedInputTokens, cacheWriteInputTokens, outputTokens, requests: 1 };
}

function sum(a: Spending, b: Spending): Spending {
  return {
    nanoUsd: a.nanoUsd + b.nanoUsd,
    inputTokens: a.inputTokens + b.inputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    cacheWriteInputTokens: a.cacheWriteInputTokens + b.cacheWriteInputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    requests: a.requests + b.requests,
  };
}
