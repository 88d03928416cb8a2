import { setTimeout } from 'node:timers/promises';
import type { TokenCounts } from '../catalog/index.ts';
import { resultWithin } from '../result-within.ts';
import { keyedHash, type SessionIdentity, type SessionRequest, sessionIdentity } from './identity.ts';
import { memorySessions, type SessionState, type SessionThread, type TurnPin } from './memory-sessions.ts';
import { newSecret, type SharedSessions } from './shared-sessions.ts';
import {
  afterChoice,
  afterReply,
  type PricedModel,
  type Standing,
  type StickinessOptions,
  standingOf,
  type TurnFacts,
} from './stickiness.ts';
import { firstWords, isToolTurn, turnFacts, turnText } from './turn.ts';

/** What a decision means for its session: its first one, the model that it had, or another. */
export const SESSION_TRANSITIONS = ['initialize', 'retain', 'switch'] as const;
export type SessionTransition = (typeof SESSION_TRANSITIONS)[number];

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

/** What a rung was chosen by: pins of other options say nothing. */
export interface TurnOptions {
  readonly profile?: string | undefined;
  readonly policy?: string | undefined;
  readonly threshold?: number | undefined;
}

/** The rung that a turn went to. */
export interface ChosenRung {
  readonly options: TurnOptions;
  /** 0 the cheapest. */
  readonly rung: number;
  /** The ladder's model on it. */
  readonly model: string;
  /** The rung that the policy chose, if turn or session kept another. */
  readonly policyRung?: number | undefined;
}

/** A session as it was when a request came. */
export interface ActiveSession {
  readonly identity: SessionIdentity;
  /** The rung of the turn that the request goes on with, if the same model still serves on it. @param ladder names of its models, cheapest first */
  pinnedRung(options: TurnOptions, ladder: readonly string[]): number | undefined;
  /**
   * What the conversation says to the choice of its rung; undefined unless conversations keep their model. To be called before `went`.
   * @param ladder cheapest first
   */
  standing(options: TurnOptions, ladder: readonly PricedModel[]): Standing | undefined;
  transition(model: string): SessionTransition;
  /** Called once it is known where the request goes; nobody waits for it. @param chosen left out if the client named the model */
  went(model: string, chosen?: ChosenRung): void;
  /** Called when a model has replied. @param usage as the provider reported it */
  replied(model: PricedModel, usage: TokenCounts): void;
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
/** Turns, and conversations, of one session. */
const MAX_ENTRIES = 8;

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
  const memory = memorySessions(maxInMemory, ttlMs);
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
    open(identity, { body, dialect }, mayCallTools) {
      const isContinued = isToolTurn(body, dialect);
      const isShared =
        shared !== undefined && (identity.name !== undefined || mayCallTools || sticky !== undefined);
      const write = (state: SessionState) => {
        memory.set(identity.id, state);
        if (isShared && hasSharedSecret) void used((one) => one.put(identity, state));
      };
      let current: CurrentThread | undefined;
      let text: string | undefined;
      let isTextKnown = false;
      const hashOf = (turn: TurnOptions) => {
        // Only now, which is mostly while the model is at work: finding the text takes time.
        if (!isTextKnown) text = textOrNone(body, dialect);
        isTextKnown = true;
        return turnHash(secret, turn, text);
      };
      const active = (before: SessionState | undefined): ActiveSession => ({
        identity,
        pinnedRung(turn, ladder) {
          if (!isContinued || !pinToolTurns || before === undefined) return undefined;
          const pin = pinOf(before, hashOf(turn));
          return pin !== undefined && ladder[pin.rung] === pin.model ? pin.rung : undefined;
        },
        standing(turn, ladder) {
          if (sticky === undefined) return undefined;
          const thread = threadHash(secret, turn, firstWords(body, dialect));
          const state = before?.threads?.findLast((one) => one.thread === thread);
          const facts = turnFacts(body, dialect);
          const standing = standingOf(state, facts, ladder, sticky, nowMs());
          current = { thread, state, facts, standing, ladder };
          return standing;
        },
        transition: (model) =>
          before === undefined ? 'initialize' : before.last === model ? 'retain' : 'switch',
        went(model, chosen) {
          const pin = mayCallTools ? chosen && pinTo(chosen, hashOf(chosen.options)) : undefined;
          const held = memory.get(identity.id);
          const turns = newest(
            [...(before?.turns ?? []), ...(held?.turns ?? []), ...(pin ? [pin] : [])],
            'turn',
          );
          if (sticky === undefined) return write({ last: model, turns });
          const threads = [...(before?.threads ?? []), ...(held?.threads ?? [])];
          if (current !== undefined && chosen !== undefined) threads.push(wentOn(current, chosen));
          write({ last: model, turns, threads: newest(threads, 'thread') });
        },
        replied(model, usage) {
          const held = memory.get(identity.id);
          const thread = held?.threads?.find((one) => one.thread === current?.thread);
          if (sticky === undefined || held === undefined || thread === undefined) return;
          const after = { ...afterReply(thread, model, usage, sticky, nowMs()), thread: thread.thread };
          write({ ...held, threads: newest([...held.threads!, after], 'thread') });
        },
      });
      return isShared ? read(identity).then(active) : active(memory.get(identity.id));
    },
  };
}

function textOrNone(body: SessionRequest['body'], dialect: SessionRequest['dialect']): string | undefined {
  try {
    return turnText(body, dialect);
  } catch {
    return undefined;
  }
}

/** Without text it names the options alone: the newest turn by them. */
function turnHash(secret: string, { profile, policy, threshold }: TurnOptions, text: string | undefined) {
  const options = keyedHash(secret, 'options', profile, policy, String(threshold)).slice(0, 8);
  return text === undefined ? options : options + keyedHash(secret, 'turn', text).slice(0, 16);
}

/** Results of tools may come without what was asked, as after an id of the conversation: they go on with the newest turn. */
function pinOf({ turns }: SessionState, hash: string): TurnPin | undefined {
  return turns.findLast(({ turn }) => turn.startsWith(hash));
}

/** A conversation of a session, while a request of it is at work. */
interface CurrentThread {
  readonly thread: string;
  readonly state: SessionThread | undefined;
  readonly facts: TurnFacts;
  readonly standing: Standing;
  readonly ladder: readonly PricedModel[];
}

function wentOn(
  { thread, state, facts, standing, ladder }: CurrentThread,
  chosen: ChosenRung,
): SessionThread {
  return { ...afterChoice(state, standing, chosen, facts, ladder), thread };
}

function threadHash(
  secret: string,
  { profile, policy, threshold }: TurnOptions,
  words: readonly string[] = [],
) {
  const parts = [profile, policy, String(threshold), ...words];
  return keyedHash(secret, 'thread', String(parts.length), ...parts).slice(0, 22);
}

function pinTo({ rung, model }: ChosenRung, turn: string): TurnPin {
  return { turn, rung, model };
}

/** Of several entries of one name the last one counts. */
function newest<Name extends string, Entry extends Readonly<Record<Name, string>>>(
  entries: readonly Entry[],
  name: Name,
): readonly Entry[] {
  const byName = new Map<string, Entry>();
  for (const entry of entries) {
    byName.delete(entry[name]);
    byName.set(entry[name], entry);
  }
  return [...byName.values()].slice(-MAX_ENTRIES);
}

/** What is read back may be of another version. */
function isState(value: unknown): value is SessionState {
  const { last, turns, threads } = Object(value) as { last?: unknown; turns?: unknown; threads?: unknown };
  return (
    typeof last === 'string' &&
    (threads === undefined || (Array.isArray(threads) && threads.every(isThread))) &&
    Array.isArray(turns) &&
    turns.every((pin) => typeof pin?.turn === 'string' && typeof pin.model === 'string')
  );
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
