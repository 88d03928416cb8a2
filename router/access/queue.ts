import type { AbortSignalLike } from '../abort-signal.ts';

export interface QueueLimits {
  /** Requests at work at once, at least 1. */
  readonly maxConcurrency: number;
  /** Requests that wait at once, of all together; with 0 a request that finds no place is refused at once. */
  readonly maxQueue: number;
  /** The longest wait, in ms. */
  readonly maxWaitMs: number;
}

/** What happened to a request for a place. Refused requests may come again after `retryAfterS` seconds, a whole number. */
export type Entry =
  | {
      readonly outcome: 'entered';
      /** Must be called when the work has ended; further calls do nothing. */
      leave(): void;
    }
  | { readonly outcome: 'full' | 'waited-too-long' | 'closed'; readonly retryAfterS: number }
  | { readonly outcome: 'aborted' };

export interface Queue {
  /**
   * Never rejects. A `signal` that aborts takes a waiting request out of the queue.
   * @param who whose request it is, such as the id of an API key: each has a line of its own
   */
  enter(signal?: AbortSignalLike, who?: string): Promise<Entry>;
  /** As `enter`, for work that nobody waits for: it enters when no request waits, and waits as long as it takes. */
  enterInBackground(signal: AbortSignalLike): Promise<Entry>;
  atWork(): number;
  waiting(): number;
  /** Refuses those who wait and all who come; those at work go on. */
  close(): void;
}

/** Calls with what happened to a request that waits. A Set keeps the order of arrival, and whoever gives up is taken out without a search. */
type Line = Set<(entry: Entry) => void>;

/**
 * Bounds how many requests are at work at once, and lets a bounded number wait a bounded time for a place. Calls of models wait: they take
 * seconds, and a wait is better than a retry. Decisions take microseconds and are refused at once: their queue has the length 0.
 *
 * Fair by `who`: a place goes to whoever was given the fewest lately, in turn among equals, and a full queue makes room for a newcomer by
 * refusing the last of the longest line. So one who sends ten times as many requests waits by himself, and is not shut out: what others were
 * given counts as well. As a request at work is not interrupted, one who fills all places would make a newcomer wait for the next to end:
 * while others come, a fifth of the places is kept from whoever was given much more than the others or holds much more than an equal share, and a
 * tenth from work in the background.
 * @param now a clock in ms that never goes back
 */
export function createQueue(
  { maxConcurrency, maxQueue, maxWaitMs }: QueueLimits,
  now: () => number = () => performance.now(),
): Queue {
  const retryAfterS = Math.max(1, Math.ceil(maxWaitMs / 1_000));
  /** Least recent turn first. */
  const lines = new Map<string, Line>();
  const background: Line = new Set();
  const usage = decayedUsage(now);
  /** Places that each holds now. */
  const holding = new Map<string, number>();
  const keptFree = Math.floor(maxConcurrency * KEPT_FREE);
  const keptFromBackground = Math.floor(maxConcurrency * KEPT_FROM_BACKGROUND);
  let atWork = 0;
  let waiting = 0;
  let closed = false;

  /** @param who undefined for work in the background, which is nobody's share */
  function enterNow(who: string | undefined): Entry {
    atWork++;
    if (who !== undefined) {
      usage.add(who);
      holding.set(who, (holding.get(who) ?? 0) + 1);
    }
    let left = false;
    return {
      outcome: 'entered',
      leave() {
        if (left) return;
        left = true;
        atWork--;
        if (who !== undefined) giveUp(who);
        letNextIn();
      },
    };
  }

  function giveUp(who: string): void {
    const left = holding.get(who)! - 1;
    if (left > 0) holding.set(who, left);
    else holding.delete(who);
  }

  function mayEnter(who: string): boolean {
    const free = maxConcurrency - atWork;
    return free > keptFree || (free > 0 && !usage.isMuch(who) && !holdsMuch(who));
  }

  /** Known at once: whoever was given nothing until now may fill all places before that is much of what all were given lately. */
  function holdsMuch(who: string): boolean {
    return (holding.get(who) ?? 0) > 1 + MUCH * usage.equalShare(maxConcurrency);
  }

  /** Whoever was given the fewest lately of those that may enter. */
  function nextInLine(): string | undefined {
    let next: string | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const who of lines.keys()) {
      const used = usage.of(who);
      if (used < least && mayEnter(who)) [next, least] = [who, used];
    }
    return next;
  }

  function letNextIn(): void {
    for (let next = nextInLine(); next !== undefined; next = nextInLine()) {
      const line = lines.get(next)!;
      lines.delete(next);
      if (line.size > 1) lines.set(next, line); // behind all others
      const [settle] = line;
      settle!(enterNow(next));
    }
    for (const settle of background) {
      if (!mayEnterInBackground()) break;
      settle(enterNow(undefined));
    }
  }

  function mayEnterInBackground(): boolean {
    return waiting === 0 && maxConcurrency - atWork > keptFromBackground;
  }

  /** Whether there is room for one more of a line of this length: of the longest one, if it is longer than that, the last is refused. */
  function makeRoom(length: number): boolean {
    if (waiting < maxQueue) return true;
    let longest: Line | undefined;
    for (const line of lines.values()) if (line.size > (longest?.size ?? length + 1)) longest = line;
    const last = longest && [...longest].at(-1);
    last?.({ outcome: 'full', retryAfterS });
    return last !== undefined;
  }

  function wait(signal: AbortSignalLike | undefined, who: string): Promise<Entry> {
    return new Promise((resolve) => {
      const line = lines.get(who) ?? new Set();
      const settle = (entry: Entry) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        line.delete(settle);
        waiting--;
        if (line.size === 0 && lines.get(who) === line) lines.delete(who);
        resolve(entry);
      };
      const onAbort = () => settle({ outcome: 'aborted' });
      const timer = setTimeout(() => settle({ outcome: 'waited-too-long', retryAfterS }), maxWaitMs);
      signal?.addEventListener('abort', onAbort);
      line.add(settle);
      lines.set(who, line);
      waiting++;
    });
  }

  return {
    async enter(signal, who = '') {
      if (signal?.aborted) return { outcome: 'aborted' };
      if (closed) return { outcome: 'closed', retryAfterS };
      if (keptFree > 0) usage.came(who);
      if (mayEnter(who)) return enterNow(who);
      if (!makeRoom(lines.get(who)?.size ?? 0)) return { outcome: 'full', retryAfterS };
      return wait(signal, who);
    },
    async enterInBackground(signal) {
      if (signal.aborted) return { outcome: 'aborted' };
      if (closed) return { outcome: 'closed', retryAfterS };
      if (background.size === 0 && mayEnterInBackground()) return enterNow(undefined);
      return new Promise((resolve) => {
        const settle = (entry: Entry) => {
          signal.removeEventListener('abort', onAbort);
          background.delete(settle);
          resolve(entry);
        };
        const onAbort = () => settle({ outcome: 'aborted' });
        signal.addEventListener('abort', onAbort);
        background.add(settle);
      });
    },
    atWork: () => atWork,
    waiting: () => waiting,
    close() {
      closed = true;
      for (const settle of [...background]) settle({ outcome: 'closed', retryAfterS });
      for (const line of [...lines.values()])
        for (const settle of [...line]) settle({ outcome: 'closed', retryAfterS });
    },
  };
}

const HALF_LIFE_MS = 10_000;
/** Of so many the ones that used little are forgotten. */
const MOST_REMEMBERED = 10_000;
/** Share of the places that is kept from those that were given much; what it brings and costs: docs/EXPERIMENTS.md. */
const KEPT_FREE = 0.2;
/** Share of the places that is kept from work in the background. */
const KEPT_FROM_BACKGROUND = 0.1;
/** Much is more than this many times the mean of those that came within the last half-life, or an equal share of the places. */
const MUCH = 1.5;
/** How long that mean is believed: with many keys it takes as long as a decision. */
const MEAN_FOR_MS = 100;

interface Used {
  readonly used: number;
  readonly atMs: number;
  readonly cameMs: number;
}

/** How many places each was given, of which a half counts after ten seconds. */
function decayedUsage(now: () => number) {
  const held = new Map<string, Used>();
  let mean: { readonly usage: number; readonly keys: number; readonly atMs: number } | undefined;
  const decayed = ({ used, atMs }: Used, nowMs: number) => used * 2 ** ((atMs - nowMs) / HALF_LIFE_MS);
  const of = (who: string): number => {
    const known = held.get(who);
    return known === undefined ? 0 : decayed(known, now());
  };
  const note = (who: string, given: number): void => {
    const nowMs = now();
    if (held.size >= MOST_REMEMBERED) for (const other of held.keys()) if (of(other) < 1) held.delete(other);
    held.set(who, { used: of(who) + given, atMs: nowMs, cameMs: nowMs });
  };
  const meanOf = (nowMs: number) => {
    if (mean !== undefined && nowMs - mean.atMs < MEAN_FOR_MS) return mean;
    const lately = [...held.values()].filter(({ cameMs }) => nowMs - cameMs < HALF_LIFE_MS);
    const sum = lately.reduce((total, one) => total + decayed(one, nowMs), 0);
    const keys = lately.length;
    const usage = keys < 2 ? Number.POSITIVE_INFINITY : sum / keys; // alone nobody takes much
    mean = { usage, keys, atMs: nowMs };
    return mean;
  };
  return {
    of,
    came: (who: string) => note(who, 0),
    add: (who: string) => note(who, 1),
    isMuch: (who: string) => of(who) > MUCH * meanOf(now()).usage,
    /** Of so many, for each of those that came lately. */
    equalShare: (places: number) => places / Math.max(1, meanOf(now()).keys),
  };
}
