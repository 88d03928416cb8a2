import type { SafeError } from '../errors.ts';
import { safeError } from '../errors.ts';
import { type Counters, dayOf, type Ledger, type LedgerEntry } from '../state/index.ts';
import { createSettlement, type Settlement } from './settlement.ts';

/** What one API key may use. What is left out is not limited. */
export interface KeyLimits {
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
  /** US dollars a day and a calendar month, both in UTC. */
  readonly usdPerDay?: number | undefined;
  readonly usdPerMonth?: number | undefined;
}

export interface LimitOptions {
  /** Of each key that has none of its own. */
  readonly limits: KeyLimits;
  /** Id of a key -> its own, in place of the others. */
  readonly keyLimits: Readonly<Record<string, KeyLimits>>;
}

/** Whether a request may go on. Refused ones may come again after `retryAfterS` seconds, a whole number. */
export type Admission =
  | { readonly outcome: 'admitted' }
  | { readonly outcome: 'requests' | 'tokens' | 'day' | 'month'; readonly retryAfterS: number }
  | { readonly outcome: 'unavailable'; readonly retryAfterS: number };

/** What a request used, once it is known. */
export type Used = Omit<LedgerEntry, 'keyId' | 'timeMs'>;

export interface Limiter extends Pick<Settlement, 'counts' | 'close'> {
  admit(keyId: string): Promise<Admission>;
  /** Resolves when it is on disk, or after two seconds; then it is tried until it is. Never rejects. */
  settle(keyId: string, used: Used): Promise<void>;
}

interface LimiterParts extends LimitOptions {
  readonly counters: Counters;
  /** Undefined if no budget is set: then nothing is settled. */
  readonly ledger: Ledger | undefined;
  /** What happens to requests under a budget while the ledger cannot be read. */
  readonly onUnavailable: 'closed' | 'open';
  /** Called when the ledger or the counters begin to fail, and again only after they went well in between. */
  readonly onFailure: (trouble: SafeError) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const NANO = 1e9;
const ADMITTED: Admission = { outcome: 'admitted' };
const UNAVAILABLE: Admission = { outcome: 'unavailable', retryAfterS: 5 };

export function hasLimits({ limits, keyLimits }: LimitOptions): boolean {
  return [limits, ...Object.values(keyLimits)].some((one) => Object.values(one).some(isSet));
}

export function hasBudgets({ limits, keyLimits }: LimitOptions): boolean {
  return [limits, ...Object.values(keyLimits)].some((one) => isSet(one.usdPerDay) || isSet(one.usdPerMonth));
}

function isSet(limit: number | undefined): boolean {
  return limit !== undefined;
}

/**
 * Rates and budgets of API keys. Rates are counted before a request and fail open: a rate protects, and an outage of its counter must not
 * become one of the service. Budgets are read from the ledger, at most a second old, so they may be passed by what is at work
 * and by what other instances spent in that second.
 */
export function createLimiter(parts: LimiterParts): Limiter {
  const { limits, keyLimits, counters, ledger, onUnavailable, onFailure, now = Date.now } = parts;
  const settlement = createSettlement(ledger);
  const budgets = ledger && budgetReader(ledger, now);
  let failing = false;

  function failed(error: unknown): void {
    if (!failing) onFailure(safeError(error));
    failing = true;
  }

  async function overRate(keyId: string, limit: KeyLimits): Promise<Admission | undefined> {
    const { requestsPerMinute, tokensPerMinute } = limit;
    const checks = [
      { kind: 'requests', max: requestsPerMinute, amount: 1 },
      { kind: 'tokens', max: tokensPerMinute, amount: 0 },
    ] as const;
    for (const { kind, max, amount } of checks) {
      if (max === undefined) continue;
      const { total, resetsInMs } = await counters.add(`${kind}:${keyId}`, amount, MINUTE_MS);
      const isOver = amount === 0 ? total >= max : total > max;
      if (isOver) return { outcome: kind, retryAfterS: secondsOf(resetsInMs) };
    }
    return undefined;
  }

  async function overBudget(keyId: string, limit: KeyLimits): Promise<Admission | undefined> {
    const { usdPerDay = Number.POSITIVE_INFINITY, usdPerMonth = Number.POSITIVE_INFINITY } = limit;
    if (budgets === undefined || (usdPerDay === usdPerMonth && usdPerDay === Number.POSITIVE_INFINITY))
      return undefined;
    const { day, month } = await budgets.read(keyId);
    if (month >= usdPerMonth * NANO)
      return { outcome: 'month', retryAfterS: secondsOf(untilNextMonth(now())) };
    if (day >= usdPerDay * NANO) return { outcome: 'day', retryAfterS: secondsOf(DAY_MS - (now() % DAY_MS)) };
    return undefined;
  }

  return {
    counts: settlement.counts,
    close: settlement.close,
    async admit(keyId) {
      const limit = keyLimits[keyId] ?? limits;
      try {
        const over = await overBudget(keyId, limit);
        if (over) return over;
      } catch (error) {
        failed(error);
        if (onUnavailable === 'closed') return UNAVAILABLE;
      }
      try {
        const over = await overRate(keyId, limit);
        if (over) return over;
        failing = false;
      } catch (error) {
        failed(error);
      }
      return ADMITTED;
    },
    async settle(keyId, used) {
      const { tokensPerMinute } = keyLimits[keyId] ?? limits;
      budgets?.spent(keyId, used.nanoUsd);
      const settled = settlement.settle({ ...used, keyId, timeMs: now() });
      if (tokensPerMinute !== undefined) {
        const tokens = used.inputTokens + used.outputTokens;
        await counters.add(`tokens:${keyId}`, tokens, MINUTE_MS).catch(failed);
      }
      await settled;
    },
  };
}

function secondsOf(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1_000));
}

function untilNextMonth(nowMs: number): number {
  const at = new Date(nowMs);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1) - nowMs;
}

/** How old what was read of the ledger may be. */
const READ_EVERY_MS = 1_000;

interface Spent {
  readonly today: string;
  readonly readMs: number;
  readonly sums: Promise<{ day: number; month: number }>;
}

/** What keys have spent, in billionths of a dollar: as the ledger says, and what this process spent since. */
function budgetReader(ledger: Ledger, now: () => number) {
  const known = new Map<string, Spent>();

  async function sums(keyId: string, today: string) {
    const [day, month] = await Promise.all([
      ledger.spent(keyId, today),
      ledger.spent(keyId, `${today.slice(0, 7)}-01`),
    ]);
    return { day: day.nanoUsd, month: month.nanoUsd };
  }

  return {
    read(keyId: string) {
      const today = dayOf(now());
      const last = known.get(keyId);
      if (last !== undefined && last.today === today && Math.abs(now() - last.readMs) < READ_EVERY_MS)
        return last.sums;
      const fresh = { today, readMs: now(), sums: sums(keyId, today) };
      known.set(keyId, fresh);
      fresh.sums.catch(() => known.delete(keyId));
      return fresh.sums;
    },
    spent(keyId: string, nanoUsd: number) {
      void known.get(keyId)?.sums.then(
        (sums) => {
          sums.day += nanoUsd;
          sums.month += nanoUsd;
        },
        () => {},
      );
    },
  };
}
