import { type SafeError, safeError } from '../errors.ts';
import type { Charge, Ledger, LedgerEntry, WindowSums } from '../state/index.ts';
import { createLimitLines } from './limit-lines.ts';
import {
  type AppliedLimit,
  type Limit,
  type LimitSubject,
  type LimitUnit,
  type LimitWindow,
  limitFinder,
  windowAt,
} from './limit-rules.ts';
import type { Queue } from './queue.ts';
import { createSettlement, type Settlement } from './settlement.ts';
import { type AskingSubject, usedShares } from './used-shares.ts';

/** A model that may be called for a request, or was, and what that costs at most, or did. Whole numbers. */
export interface CallCost {
  readonly model: string;
  readonly provider: string;
  /** If the model has several. */
  readonly deployment?: string | undefined;
  /** Billionths of a US dollar. */
  readonly nanoUsd: number;
  readonly tokens: number;
}

/** Where a call goes. */
export type CallPlace = Pick<CallCost, 'model' | 'provider' | 'deployment'>;

/** What a request may come to: of each inner list one call is paid for, the most expensive one at most. */
export type PossibleCalls = readonly (readonly CallCost[])[];

/** What a request came to: the entry of the ledger, and its calls. */
export interface Used {
  readonly entry: Omit<LedgerEntry, 'keyId' | 'timeMs'>;
  readonly calls: readonly CallCost[];
}

/** How a window stands, with the request counted in. */
export interface WindowStanding {
  readonly unit: LimitUnit;
  /** In the window's unit; of `usd` billionths. */
  readonly cap: number;
  /** 0 or more. */
  readonly left: number;
  readonly resetsInMs: number;
}

export interface LimitRefusal {
  readonly outcome: 'refused';
  /** The window without room. */
  readonly unit: LimitUnit;
  readonly window: string;
  readonly limit: AppliedLimit;
  /** The request alone may come to more than the window allows. */
  readonly neverFits: boolean;
  /** A whole number. */
  readonly retryAfterS: number;
  /** When there may be room: at the end of the window, or as soon as a request that is at work gives back what it does not use. */
  readonly room: { readonly afterMs: number } | 'any-time';
  readonly standing: readonly WindowStanding[];
}

export interface HeldReservation {
  readonly outcome: 'reserved';
  readonly standing: readonly WindowStanding[];
  /** Resolves when it is on disk, or after two seconds; then it is tried until it is. Never rejects. Only the first call of the two does anything. */
  settle(used: Used): Promise<void>;
  /** For a request that was never sent. Never rejects. */
  cancel(): Promise<void>;
}

export type Reserving = HeldReservation | LimitRefusal | { readonly outcome: 'unavailable' };

/** The limits that apply to one request. */
export interface RequestLimits {
  /** Some count tokens or money: the length of the reply must be bounded. */
  readonly countsTokens: boolean;
  readonly countsMoney: boolean;
  /** How much of the fullest limit of a call is used, 0 up, as last seen here; undefined if nothing limits it in particular. */
  usedShare(call: CallPlace): number | undefined;
  /** Whether one of its limits is used as far as others are to be preferred. */
  isNearLimit(call: CallPlace): boolean;
  /** Limits whose room requests wait for, and have to wait for in turn since others do already. */
  queued(call: CallPlace): AppliedLimit | undefined;
  /** Reserves the most that the request may come to, in all windows or in none. Never rejects. */
  reserve(entry: Omit<LedgerEntry, 'timeMs'>, calls: PossibleCalls): Promise<Reserving>;
}

export interface Limiter extends Pick<Settlement, 'counts'> {
  /**
   * Takes other limits from now on; what is reserved and settled stays counted in the windows of the same names. Nothing happens if they are the
   * same.
   */
  configure(changed: Pick<LimiterParts, 'limits' | 'leaseMs'>): void;
  /** The line in which requests wait for room in a limit. */
  line(limit: AppliedLimit): Queue;
  /** Undefined if none applies. @param isBooked whether the request is in the ledger even so */
  of(subject: LimitSubject, isBooked?: boolean): RequestLimits | undefined;
  /** Adds money that was spent after its request ended, however full the windows are. Resolves and retries as `HeldReservation.settle` does. */
  charge(
    subject: LimitSubject,
    entry: Omit<LedgerEntry, 'timeMs'>,
    calls: readonly CallCost[],
  ): Promise<void>;
  /** How much of a named limit is used up, by what the ledger last said: 0 or more, 1 if all. */
  used(name: string, subject: AskingSubject): number;
  close(): Promise<void>;
}

interface LimiterParts {
  readonly limits: readonly Limit[];
  readonly ledger: Ledger;
  /** What happens to requests under a budget while the ledger cannot be reached. Requests that only rates limit go on. */
  readonly onUnavailable: 'closed' | 'open';
  /** How long a request may take at most; then its reservation counts as spent. */
  readonly leaseMs: number;
  /** Called when the ledger begins to fail, and again only after it went well in between. */
  readonly onFailure: (trouble: SafeError) => void;
  /** Milliseconds since 1970. A clock that jumps back finds the windows as they were left: nothing is allowed twice. */
  readonly now?: () => number;
}

const SWEEP_MS = 15_000;
/** Until a request that is at work may have given back what it reserved. */
const SOON_S = 2;

/**
 * Limits of requests, tokens and money. What a request may come to at most is reserved in the ledger before it is sent, in all windows or
 * in none, and settled with what it came to: a window is never passed, by any number of requests on any number of instances.
 */
export function createLimiter(parts: LimiterParts): Limiter {
  const { ledger, onUnavailable, onFailure, now = Date.now } = parts;
  const settlement = createSettlement(ledger);
  let { leaseMs } = parts;
  let inForce = limitsInForce(parts.limits);
  const lines = createLimitLines();
  let failing = false;
  const sweeping = setInterval(() => ledger.sweep(now()).catch(() => {}), SWEEP_MS).unref();

  function failed(error: unknown): void {
    if (!failing) onFailure(safeError(error));
    failing = true;
  }

  function held(
    entry: LedgerEntry,
    asked: readonly AskedCharge[],
    sums: readonly WindowSums[],
  ): HeldReservation {
    let ended = false;
    return {
      outcome: 'reserved',
      standing: standingOf(asked, sums, now()),
      async settle(used) {
        if (ended) return;
        ended = true;
        const charges = asked.map((charge) => ({ ...charge.ledger, amount: usedOf(charge, used.calls) }));
        await settlement.settle({ ...entry, ...used.entry, id: entry.id, charges });
      },
      async cancel() {
        if (ended) return;
        ended = true;
        await ledger.cancel(entry.id).catch(failed); // then it is swept
      },
    };
  }

  async function reserve(
    { full, shares }: LimitsInForce,
    applied: readonly AppliedLimit[],
    given: Omit<LedgerEntry, 'timeMs'>,
    calls: PossibleCalls,
  ): Promise<Reserving> {
    const at = now();
    const entry = { ...given, timeMs: at };
    const asked = applied.flatMap((limit) => chargesOf(limit, calls, at));
    const known = asked.map(full.sumsOf);
    if (known.some((sums) => sums !== undefined))
      return refusal(
        asked,
        known.map((sums) => sums ?? NOTHING),
        at,
      );
    const charges = asked.map(({ ledger: charge, window }) => ({ ...charge, cap: window.cap }));
    try {
      const { isReserved, windows } = await ledger.reserve({ entry, charges, expiresMs: at + leaseMs });
      failing = false;
      for (const [i, sums] of windows.entries()) {
        const { ledger: charge, window } = asked[i]!;
        shares.told({ ...charge, cap: window.cap }, sums);
      }
      if (isReserved) return held(entry, asked, windows);
      for (const [i, sums] of windows.entries()) full.note(asked[i]!, sums, at);
      return refusal(asked, windows, at);
    } catch (error) {
      failed(error);
      void ledger.cancel(entry.id).catch(() => {}); // it may have been made all the same
      const isMoney = asked.some(({ window }) => window.unit === 'usd');
      return isMoney && onUnavailable === 'closed' ? { outcome: 'unavailable' } : held(entry, asked, []);
    }
  }

  return {
    counts: settlement.counts,
    line: lines.of,
    configure(changed) {
      ({ leaseMs } = changed);
      if (JSON.stringify(changed.limits) !== JSON.stringify(inForce.limits))
        inForce = limitsInForce(changed.limits);
    },
    of(subject, isBooked = false) {
      const own = inForce;
      const { shares } = own;
      const applied = own.find(subject);
      if (applied.length === 0 && !isBooked) return undefined;
      const units = new Set(applied.flatMap(({ windows }) => windows.map(({ unit }) => unit)));
      return {
        countsTokens: units.has('tokens'),
        countsMoney: units.has('usd'),
        usedShare(call) {
          const at = now();
          const used = applied.flatMap((limit) =>
            limit.whenFull !== undefined && isFor(limit, call) ? [shares.ofLimit(limit, at)] : [],
          );
          return used.length === 0 ? undefined : Math.max(...used);
        },
        isNearLimit(call) {
          const at = now();
          return applied.some(
            (limit) =>
              limit.whenFull !== undefined &&
              isFor(limit, call) &&
              limit.whenFull.preferOthersAt < 1 &&
              shares.ofLimit(limit, at) >= limit.whenFull.preferOthersAt,
          );
        },
        queued: (call) => applied.find((limit) => isFor(limit, call) && lines.waiting(limit)),
        reserve: (entry, calls) => reserve(own, applied, entry, calls),
      };
    },
    async charge(subject, given, calls) {
      const at = now();
      const asked = inForce.find(subject).flatMap((limit) => chargesOf(limit, [], at));
      const charges = asked
        .filter(({ window }) => window.unit === 'usd')
        .map((charge) => ({ ...charge.ledger, amount: usedOf(charge, calls) }));
      await settlement.settle({ ...given, timeMs: at, charges });
    },
    used: (name, subject) => inForce.shares.of(name, subject, now()),
    async close() {
      clearInterval(sweeping);
      lines.close();
      await settlement.close();
    },
  };
}

type LimitsInForce = ReturnType<typeof limitsInForce>;

/** Limits, and what is known about their windows. */
function limitsInForce(limits: readonly Limit[]) {
  return { limits, find: limitFinder(limits), full: fullWindows(), shares: usedShares(limits) };
}

const NOTHING: WindowSums = { reserved: 0, settled: 0 };

/** A charge, and the limit that it is for. */
interface AskedCharge {
  readonly ledger: Charge;
  readonly limit: AppliedLimit;
  readonly window: LimitWindow;
}

function chargesOf(limit: AppliedLimit, calls: PossibleCalls, at: number): AskedCharge[] {
  const worst = { requests: 1, tokens: 0, usd: 0 };
  for (const alternatives of calls) {
    const own = alternatives.filter((call) => isFor(limit, call));
    worst.tokens += Math.max(0, ...own.map(({ tokens }) => tokens));
    worst.usd += Math.max(0, ...own.map(({ nanoUsd }) => nanoUsd));
  }
  return limit.windows.map((window) => ({
    limit,
    window,
    ledger: { scope: limit.scope, window: window.name, ...windowAt(window, at), amount: worst[window.unit] },
  }));
}

function usedOf({ limit, window: { unit } }: AskedCharge, calls: readonly CallCost[]): number {
  const own = calls.filter((call) => isFor(limit, call));
  if (unit === 'requests') return isOfModel(limit) && own.length === 0 ? 0 : 1;
  const field = unit === 'usd' ? 'nanoUsd' : 'tokens';
  return own.reduce((sum, call) => sum + call[field], 0);
}

function isOfModel({ names }: AppliedLimit): boolean {
  return names.model !== undefined || names.provider !== undefined || names.deployment !== undefined;
}

/** Whether a call counts for a limit that names models or providers; for the others all do. */
export function isFor({ names }: AppliedLimit, { model, provider, deployment }: CallPlace): boolean {
  return (
    (names.model ?? model) === model &&
    (names.provider ?? provider) === provider &&
    (names.deployment ?? deployment) === deployment
  );
}

function standingOf(
  asked: readonly AskedCharge[],
  sums: readonly WindowSums[],
  at: number,
): WindowStanding[] {
  return sums.map(({ reserved, settled }, i) => {
    const { window, ledger } = asked[i]!;
    return {
      unit: window.unit,
      cap: window.cap,
      left: Math.max(0, window.cap - settled - reserved),
      resetsInMs: Math.max(0, ledger.endMs - at),
    };
  });
}

/** Names the window that takes longest to have room. */
function refusal(asked: readonly AskedCharge[], sums: readonly WindowSums[], at: number): LimitRefusal {
  const waits = asked.map(({ ledger, window }, i) => {
    const { reserved, settled } = sums[i]!;
    if (ledger.amount > window.cap) return Number.POSITIVE_INFINITY;
    if (settled + ledger.amount > window.cap) return ledger.endMs - at;
    return reserved + settled + ledger.amount > window.cap ? Math.min(SOON_S * 1_000, ledger.endMs - at) : -1;
  });
  const isGivenBack = (_: AskedCharge, i: number) =>
    sums[i]!.settled + asked[i]!.ledger.amount <= asked[i]!.window.cap;
  const longest = waits.indexOf(Math.max(...waits));
  const { limit, window, ledger } = asked[longest]!;
  const waitMs = Number.isFinite(waits[longest]!) ? waits[longest]! : ledger.endMs - at;
  return {
    outcome: 'refused',
    unit: window.unit,
    window: window.name,
    limit,
    neverFits: ledger.amount > window.cap,
    retryAfterS: Math.max(1, Math.ceil(waitMs / 1_000)),
    room: asked.every(isGivenBack) ? 'any-time' : { afterMs: waitMs },
    standing: standingOf(asked, sums, at),
  };
}

const MOST_FULL = 1_000;

/** Windows that are known to be used up: until they end, the ledger is not asked again. */
function fullWindows() {
  const known = new Map<string, WindowSums & { readonly endMs: number }>();
  const nameOf = ({ ledger: { scope, window, startMs } }: AskedCharge) => `${scope}\0${window}\0${startMs}`;
  return {
    sumsOf: (charge: AskedCharge): WindowSums | undefined =>
      known.size === 0 ? undefined : known.get(nameOf(charge)),
    note(charge: AskedCharge, sums: WindowSums, at: number): void {
      if (sums.settled < charge.window.cap) return;
      if (known.size >= MOST_FULL) for (const [name, { endMs }] of known) if (endMs <= at) known.delete(name);
      if (known.size >= MOST_FULL) known.clear();
      known.set(nameOf(charge), { reserved: 0, settled: sums.settled, endMs: charge.ledger.endMs });
    },
  };
}
