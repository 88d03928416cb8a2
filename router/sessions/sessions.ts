import { setTimeout } from 'node:timers/promises';
import { resultWithin } from '../result-within.ts';
import { type ActiveSession, OpenSession } from './active-session.ts';
import { type SessionIdentity, type SessionRequest, sessionIdentity } from './identity.ts';
import { memorySessions, type SessionState, type SessionThread, type TurnPin } from './memory-sessions.ts';
import { newSecret, type SharedSessions } from './shared-sessions.ts';
import type { StickinessOptions } from './stickiness.ts';

export interface SessionOptions {
  /** After the last request of a session. */
  readonly ttlMs: number;
  /** Sessions that are held in memory. */
  readonly maxInMemory: number;
  /** Whether a request that goes on with the results of tools stays on the rung of its turn. */
  readonly pinToolTurns: boolean;
  /** Left out if each turn is decided anew, and nothing is rescued. */
  readonly sticky?: StickinessOptions | undefined;
}

export interface Sessions {
  /** Never throws, whatever the body holds. @param mayInfer whether a request without an id gets a session by its first words */
  identify(request: SessionRequest, mayInfer: boolean): SessionIdentity | undefined;
  /** Never rejects: what cannot be read in time is not known. @param mayCallTools whether another request may go on with this turn */
  open(
    identity: SessionIdentity,
    request: Pick<SessionRequest, 'body' | 'dialect'>,
    mayCallTools: boolean,
  ): ActiveSession | Promise<ActiveSession>;
}

interface SessionParts {
  readonly options: SessionOptions;
  readonly shared: SharedSessions | undefined;
  /** Called when the shared sessions begin to fail, and when they can be used again. */
  readonly onShared?: (isThere: boolean, error?: unknown) => void;
  readonly nowMs?: () => number;
}

/** How long a request waits for what others wrote of its session. */
const READ_WITHIN_MS = 250;
/** How long the shared sessions are left alone after they failed. */
const PAUSE_MS = 1_000;
/**
 * How long a start waits for what is shared: without its secret an instance neither finds nor leaves pins, and turns of agents that come to it
 * change the model. On a busy machine connecting takes longer than half a second.
 */
const START_WITHIN_MS = 3_000;
const START_RETRY_MS = 20;
/**
 * Sessions in memory, and behind it in what instances share. Without the shared ones, and while these fail, each process knows its own alone.
 */
export async function openSessions({
  options,
  shared,
  onShared,
  nowMs = Date.now,
}: SessionParts): Promise<Sessions> {
  const { ttlMs, maxInMemory, pinToolTurns, sticky } = options;
  const memory = memorySessions(maxInMemory, ttlMs, nowMs);
  let secret = newSecret();
  let hasSharedSecret = false;
  let isThere = true;
  let pausedUntilMs = 0;

  /** Undefined if it fails or takes too long. */
  async function used<T>(work: (shared: SharedSessions) => Promise<T>): Promise<T | undefined> {
    if (shared === undefined || Date.now() < pausedUntilMs) return undefined;
    try {
      const done = await resultWithin(
        work(shared).then((result) => ({ result })),
        READ_WITHIN_MS,
      );
      if (done === undefined) throw new Error('The shared sessions did not answer in time.');
      if (!isThere) onShared?.(true);
      isThere = true;
      return done.result;
    } catch (error) {
      pausedUntilMs = Date.now() + PAUSE_MS;
      if (isThere) onShared?.(false, error);
      isThere = false;
      return undefined;
    }
  }

  async function takeSharedSecret(): Promise<void> {
    const found = await used((one) => one.secret());
    if (found === undefined) return;
    secret = found;
    hasSharedSecret = true;
  }

  async function read(identity: SessionIdentity): Promise<SessionState | undefined> {
    if (!hasSharedSecret) await takeSharedSecret(); // the next request has it
    const found = hasSharedSecret ? await used((one) => one.get(identity)) : undefined;
    return isState(found) ? found : memory.get(identity.id);
  }

  function share(identity: SessionIdentity, state: SessionState): void {
    if (hasSharedSecret) void used((one) => one.put(identity, state));
  }

  if (shared !== undefined) {
    // Redis is still connecting when it is opened.
    const giveUpMs = Date.now() + START_WITHIN_MS;
    await takeSharedSecret();
    while (!hasSharedSecret && Date.now() < giveUpMs) {
      await setTimeout(START_RETRY_MS);
      pausedUntilMs = 0;
      await takeSharedSecret();
    }
    pausedUntilMs = 0; // the first request tries again
  }

  return {
    identify: (request, mayInfer) => sessionIdentity(request, secret, mayInfer),
    open(identity, request, mayCallTools) {
      const isShared =
        shared !== undefined && (identity.name !== undefined || mayCallTools || sticky !== undefined);
      const active = (found?: { readonly before: SessionState | undefined }) =>
        new OpenSession({
          identity,
          request,
          secret,
          memory,
          mayCallTools,
          pinToolTurns,
          sticky,
          nowMs,
          found,
          share: isShared ? share : undefined,
        });
      return isShared ? read(identity).then((before) => active({ before })) : active();
    },
  };
}

/** What is read back may be of another version. */
function isState(value: unknown): value is SessionState {
  const { last, turns, threads, began } = Object(value) as Partial<Record<keyof SessionState, unknown>>;
  return (
    typeof last === 'string' &&
    (began === undefined || isBeginning(began)) &&
    (threads === undefined || (Array.isArray(threads) && threads.every(isThread))) &&
    Array.isArray(turns) &&
    turns.every(
      (pin: Partial<TurnPin> | undefined) => typeof pin?.turn === 'string' && typeof pin.model === 'string',
    )
  );
}

function isBeginning(value: unknown): boolean {
  const { ms, turns } = Object(value) as Record<string, unknown>;
  return typeof ms === 'number' && typeof turns === 'number';
}

function isThread(value: unknown): boolean {
  const { thread, model, caches, forgone, failures, characters, requests, turns } = Object(
    value,
  ) as Partial<SessionThread>;
  const counts = [forgone, failures, characters, requests, turns];
  return (
    typeof thread === 'string' &&
    typeof model === 'string' &&
    Array.isArray(caches) &&
    counts.every((one) => typeof one === 'number')
  );
}
