import type { TokenCounts } from '../catalog/index.ts';
import { keyedHash, type SessionIdentity, type SessionRequest } from './identity.ts';
import type { MemorySessions, SessionState, SessionThread, TurnPin } from './memory-sessions.ts';
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

interface OpenParts {
  readonly identity: SessionIdentity;
  readonly request: Pick<SessionRequest, 'body' | 'dialect'>;
  /** Key of the hashes. */
  readonly secret: string;
  readonly memory: MemorySessions;
  /** Whether another request may go on with this turn. */
  readonly mayCallTools: boolean;
  readonly pinToolTurns: boolean;
  readonly sticky: StickinessOptions | undefined;
  readonly nowMs: () => number;
  /** What instances share of the session; undefined: what is in memory counts. */
  readonly found: { readonly before: SessionState | undefined } | undefined;
  /** Undefined if nothing of this session is shared. */
  readonly share: ((identity: SessionIdentity, state: SessionState) => void) | undefined;
}

/** The text of the turn, and the session in memory, are looked up when they are needed: mostly while the model is at work. */
export class OpenSession implements ActiveSession {
  readonly identity: SessionIdentity;
  readonly #parts: OpenParts;
  #found: OpenParts['found'];
  #text: { readonly text: string | undefined } | undefined;
  #current: CurrentThread | undefined;

  constructor(parts: OpenParts) {
    this.identity = parts.identity;
    this.#parts = parts;
    this.#found = parts.found;
  }

  pinnedRung(turn: TurnOptions, ladder: readonly string[]): number | undefined {
    const { request, pinToolTurns } = this.#parts;
    if (!pinToolTurns || !isToolTurn(request.body, request.dialect)) return undefined;
    const before = this.#before();
    const pin = before && pinOf(before, this.#hashOf(turn));
    return pin !== undefined && ladder[pin.rung] === pin.model ? pin.rung : undefined;
  }

  standing(turn: TurnOptions, ladder: readonly PricedModel[]): Standing | undefined {
    const { request, secret, sticky, nowMs } = this.#parts;
    if (sticky === undefined) return undefined;
    const thread = threadHash(secret, turn, firstWords(request.body, request.dialect));
    const state = this.#before()?.threads?.findLast((one) => one.thread === thread);
    const facts = turnFacts(request.body, request.dialect);
    const standing = standingOf(state, facts, ladder, sticky, nowMs());
    this.#current = { thread, state, facts, standing, ladder };
    return standing;
  }

  transition(model: string): SessionTransition {
    const before = this.#before();
    return before === undefined ? 'initialize' : before.last === model ? 'retain' : 'switch';
  }

  went(model: string, chosen?: ChosenRung): void {
    const { identity, memory, mayCallTools, sticky } = this.#parts;
    const latest = memory.get(identity.id);
    this.#found ??= { before: latest };
    const { before } = this.#found;
    const pin = mayCallTools && chosen ? [pinTo(chosen, this.#hashOf(chosen.options))] : NONE;
    const turns = newest('turn', before?.turns, latest?.turns, pin);
    const own = this.#current && chosen && [wentOn(this.#current, chosen)];
    const threads = sticky && newest('thread', before?.threads, latest?.threads, own);
    this.#write(threads === undefined ? { last: model, turns } : { last: model, turns, threads });
  }

  replied(model: PricedModel, usage: TokenCounts): void {
    const { identity, memory, sticky, nowMs } = this.#parts;
    if (sticky === undefined) return;
    const held = memory.get(identity.id);
    const thread = held?.threads?.find((one) => one.thread === this.#current?.thread);
    if (held === undefined || thread === undefined) return;
    const after = { ...afterReply(thread, model, usage, sticky, nowMs()), thread: thread.thread };
    this.#write({ ...held, threads: newest('thread', held.threads, [after]) });
  }

  #write(state: SessionState): void {
    const { identity, memory, share } = this.#parts;
    memory.set(identity.id, state);
    share?.(identity, state);
  }

  #before(): SessionState | undefined {
    const { identity, memory } = this.#parts;
    this.#found ??= { before: memory.get(identity.id) };
    return this.#found.before;
  }

  #hashOf(turn: TurnOptions): string {
    const { request, secret } = this.#parts;
    this.#text ??= { text: textOrNone(request.body, request.dialect) };
    return turnHash(secret, turn, this.#text.text);
  }
}

/** Turns, and conversations, of one session. */
const MAX_ENTRIES = 8;

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

const NONE: readonly never[] = [];

/** Of several entries of one name the last one counts. */
function newest<Name extends string, Entry extends Readonly<Record<Name, string>>>(
  name: Name,
  ...lists: readonly (readonly Entry[] | undefined)[]
): readonly Entry[] {
  if (lists.every((list) => list === undefined || list.length === 0)) return NONE; // without tools, mostly
  const byName = new Map<string, Entry>();
  for (const entry of lists.flatMap((list) => list ?? NONE)) {
    byName.delete(entry[name]);
    byName.set(entry[name], entry);
  }
  return [...byName.values()].slice(-MAX_ENTRIES);
}
