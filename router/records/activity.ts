import { randomUUID } from 'node:crypto';
import { isHuman, nanoUsd } from '../catalog/index.ts';
import { type SafeError, safeError } from '../errors.ts';
import type { EndedTask } from '../people/index.ts';
import { type HourCount, type HourCounts, memoryHourCounts } from '../state/index.ts';
import { isRetried } from './record-writer.ts';
import type { RequestFacts } from './request-facts.ts';
import { totalCostUsd } from './savings.ts';
import { HANDED_OFF } from './work-use.ts';

const HOUR_MS = 3_600_000;
/** What happened waits at most so long before it is added to the state. */
const FLUSH_MS = 1_000;
/** Different counts that may wait while the state is away: some hours of many models. Past it, new ones are dropped. */
const MAX_WAITING = 20_000;
/** More than any one request: ten thousand dollars, or more tokens than a model takes. */
const MAX_AMOUNT = 1e13;
/** Requests that are kept whole, for whoever opens the page. */
const MAX_RECENT = 300;

/** What is counted. Labels come from closed lists, the catalog and the configuration, never from a client. */
export const MEASURES = {
  /** By `RequestOutcome`. */
  requests: 'requests',
  /** Routed requests by profile: those that went to the cheapest rung, and those that went higher. */
  keptCheap: 'kept-cheap',
  escalated: 'escalated',
  /** Replies by model. */
  served: 'served',
  /** Routed requests by verdict, and by reason. */
  verdict: 'verdict',
  reason: 'reason',
  /** Billionths of a dollar of all replies of known cost, by model. */
  spent: 'spent',
  /** By profile, over the very same requests: routed, with all three costs known. */
  compared: 'compared',
  comparedCost: 'compared-cost',
  strongCost: 'strong-cost',
  randomCost: 'random-cost',
  /** Tokens of prompts by model, and those of them that the provider read from its cache. Only replies that report both. */
  promptTokens: 'prompt-tokens',
  cachedTokens: 'cached-tokens',
  /** Requests by bucket of time: see `timeBucket`. */
  addedTime: 'added-time',
  totalTime: 'total-time',
  /** Replies from the response cache. */
  replayed: 'replayed',
  /** Requests that were handed to people of whom nobody replied in time, by model. */
  unanswered: 'unanswered',
} as const;

export type RequestOutcome = 'replied' | 'handed-off' | 'refused' | 'limited' | 'failed' | 'left';

/** What a task of people came to after its request was recorded. */
export interface EndedWork extends Omit<EndedTask, 'minutes'> {
  /** That they answer for. */
  readonly model: string;
  /** What others would have cost, for a reply that is compared; else undefined. */
  readonly compared: { readonly strongUsd: number; readonly randomUsd: number } | undefined;
}

/** Buckets a doubling: a time is known within 4.5 %. */
const PER_DOUBLING = 8;

/** The bucket of a time, as a label: the whole part of 8 * log2(microseconds), at least 0. */
export function timeBucket(ms: number): string {
  return String(Math.max(0, Math.floor(PER_DOUBLING * Math.log2(Math.max(1, ms * 1_000)))));
}

/** The middle of a bucket, in ms. */
export function bucketMs(bucket: string): number {
  return 2 ** ((Number(bucket) + 0.5) / PER_DOUBLING) / 1_000;
}

/** What requests came to by hour, and the last ones. */
export interface Activity {
  /** Called once for each request. Never throws and never waits. */
  record(facts: RequestFacts): void;
  /** Counts what people came to after their request was recorded. Never throws and never waits. */
  peopleEnded(work: EndedWork): void;
  /** What was recorded up to now is in them. */
  counts(): Promise<Pick<HourCounts, 'totals' | 'series'>>;
  /** The counts are in a state that outlives this process. */
  readonly isStored: boolean;
  /** Since when the requests were counted that `recent` is of, in ms since 1970. */
  readonly sinceMs: number;
  /** The last requests of this process, oldest first, at most 300. */
  recent(): readonly RequestFacts[];
  /** @returns what ends it */
  subscribe(listener: (facts: RequestFacts) => void): () => void;
  close(): Promise<void>;
}

export interface ActivityOptions {
  /** Counts in the state; without it they are those of this process. */
  readonly hourCounts?: HourCounts | undefined;
  /** Called when the state begins to refuse counts, and again only after it went well in between. */
  readonly onFailure: (trouble: SafeError) => void;
}

export function openActivity({ hourCounts, onFailure }: ActivityOptions): Activity {
  const stored = hourCounts ?? memoryHourCounts();
  const recent: RequestFacts[] = [];
  const listeners = new Set<(facts: RequestFacts) => void>();
  let waiting = new Map<string, HourCount>();
  /** A batch that could not be added; it is tried again as it was, so that it counts once. */
  let late: { readonly id: string; readonly counts: readonly HourCount[] } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;
  let failing = false;

  function add(startMs: number, measure: string, label: string, amount = 1): void {
    if (amount === 0 || !Number.isSafeInteger(amount) || amount > MAX_AMOUNT) return; // providers report anything
    const name = `${startMs} ${measure} ${label}`;
    const held = waiting.get(name);
    if (held === undefined && waiting.size >= MAX_WAITING) return;
    waiting.set(name, { startMs, measure, label, amount: amount + (held?.amount ?? 0) });
  }

  async function write(): Promise<void> {
    while (late !== undefined || waiting.size > 0) {
      if (late === undefined) {
        late = { id: randomUUID(), counts: [...waiting.values()] };
        waiting = new Map();
      }
      await stored.add(late.id, late.counts);
      late = undefined;
      failing = false;
    }
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    writing ??= write()
      .catch((error) => {
        if (!failing) onFailure(safeError(error));
        failing = true;
        if (!isRetried(error)) late = undefined;
        timer ??= setTimeout(flush, FLUSH_MS).unref();
      })
      .finally(() => {
        writing = undefined;
      });
    return writing;
  }

  return {
    isStored: hourCounts !== undefined,
    sinceMs: Date.now(),
    record(facts) {
      const startMs = Math.floor(facts.startedAt.getTime() / HOUR_MS) * HOUR_MS;
      countRequest(facts, (measure, label, amount) => add(startMs, measure, label, amount));
      recent.push(facts.prompt === undefined ? facts : { ...facts, prompt: undefined }); // long, and of no use here
      if (recent.length > 2 * MAX_RECENT) recent.splice(0, MAX_RECENT); // rarely, so that it costs nothing
      for (const listener of listeners) listener(facts);
      timer ??= setTimeout(flush, FLUSH_MS).unref();
    },
    peopleEnded(work) {
      const startMs = Math.floor(work.atMs / HOUR_MS) * HOUR_MS;
      countPeople(work, (measure, label, amount) => add(startMs, measure, label, amount));
      timer ??= setTimeout(flush, FLUSH_MS).unref();
    },
    async counts() {
      await flush();
      return stored;
    },
    recent: () => recent.slice(-MAX_RECENT),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      await flush();
      clearTimeout(timer);
    },
  };
}

type Add = (measure: string, label: string, amount?: number) => void;

function countRequest(facts: RequestFacts, add: Add): void {
  const { decision, served, reason, usage, overheadMs, durationMs, cache } = facts;
  const profile = facts.profile ?? '';
  add(MEASURES.requests, outcomeOf(facts));
  if (decision !== undefined) {
    add(decision.escalated ? MEASURES.escalated : MEASURES.keptCheap, profile);
    add(MEASURES.verdict, decision.verdict);
    add(MEASURES.reason, reason);
  }
  const hasReply = served !== undefined && !isHandedOff(facts);
  if (hasReply) add(MEASURES.served, served.name);
  if (cache?.outcome === 'hit') add(MEASURES.replayed, '');
  add(MEASURES.addedTime, timeBucket(overheadMs));
  if (hasReply) add(MEASURES.totalTime, timeBucket(durationMs));
  const { inputTokens = 0, cachedInputTokens } = usage ?? {};
  if (served !== undefined && cachedInputTokens !== undefined && cachedInputTokens <= inputTokens) {
    add(MEASURES.promptTokens, served.name, inputTokens);
    add(MEASURES.cachedTokens, served.name, cachedInputTokens);
  }
  countCosts(facts, profile, add);
}

function countCosts(facts: RequestFacts, profile: string, add: Add): void {
  const { served, decision, baselineCostUsd: strong, randomCostUsd: random } = facts;
  const cost = totalCostUsd(facts.costUsd, facts.check, facts.abandoned);
  if (cost === undefined) return;
  if (served !== undefined) add(MEASURES.spent, served.name, nanoUsd(cost));
  if (decision === undefined || strong === undefined || random === undefined) return;
  add(MEASURES.compared, profile);
  add(MEASURES.comparedCost, profile, nanoUsd(cost));
  add(MEASURES.strongCost, profile, nanoUsd(strong));
  add(MEASURES.randomCost, profile, nanoUsd(random));
}

/**
 * The reply that a client polled for is counted as one that went out. Work that is no reply to be compared, since a model replied too or nobody
 * did, is paid all the same; nothing is put against it.
 */
function countPeople({ model, task, outcome, costUsd, atMs, compared }: EndedWork, add: Add): void {
  const { profile = '', mode, createdMs, isRouted } = task;
  const cost = nanoUsd(costUsd);
  add(MEASURES.spent, model, cost);
  if (outcome === 'answered') add(MEASURES.served, model);
  if (outcome === 'answered' && mode === 'poll') add(MEASURES.totalTime, timeBucket(atMs - createdMs));
  if (outcome !== 'answered' && mode === 'poll') add(MEASURES.unanswered, model);
  const isReply = outcome === 'answered' && mode === 'poll';
  if (isRouted !== true || (isReply && compared === undefined)) return;
  add(MEASURES.comparedCost, profile, cost);
  if (compared === undefined) return;
  add(MEASURES.compared, profile);
  add(MEASURES.strongCost, profile, nanoUsd(compared.strongUsd));
  add(MEASURES.randomCost, profile, nanoUsd(compared.randomUsd));
}

type Outcome = Pick<RequestFacts, 'status' | 'ended'> & Partial<Pick<RequestFacts, 'served'>>;

/** A person's reply is to come: HTTP calls it accepted. */
function isHandedOff({ status, served }: Outcome): boolean {
  return status === HANDED_OFF && served !== undefined && isHuman(served.name);
}

const CLIENT_LEFT = 499;
const TOO_MANY = 429;

/** `handed-off`: people are to reply, and the client polls for it. `left`: the client did not wait for the end. `limited`: a limit or a full queue refused it, or all providers did. */
export function outcomeOf(facts: Outcome): RequestOutcome {
  const { status, ended } = facts;
  if (status === CLIENT_LEFT || ended === 'client-left' || ended === 'client-stalled') return 'left';
  if (status === TOO_MANY) return 'limited';
  if (status >= 500 || ended === 'broken') return 'failed';
  if (isHandedOff(facts)) return 'handed-off';
  return status >= 400 ? 'refused' : 'replied';
}
