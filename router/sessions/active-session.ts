import type { TokenCounts } from '../catalog/index.ts';
import { keyedHash, type SessionIdentity, type SessionRequest } from './identity.ts';
import type { MemorySessions, SessionState, TurnPin } from './memory-sessions.ts';
import {
  afterReplying,
  afterSending,
  type CurrentThread,
  currentThread,
  pinnedRungIn,
} from './session-state.ts';
import type { PricedModel, Standing, StickinessOptions } from './stickiness.ts';
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
  /** Turns and minutes before this request. */
  age(): SessionAge;
  /** Called once it is known where the request goes; nobody waits for it. @param chosen left out if the client named the model */
  went(model: string, chosen?: ChosenRung): void;
  /** Called when a model has replied. @param usage as the provider reported it */
  replied(model: PricedModel, usage: TokenCounts): void;
}

/** How long a session has gone on; fractions of minutes count. */
export interface SessionAge {
  readonly turns: number;
  readonly minutes: number;
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
    return before && pinnedRungIn(before, this.#hashOf(turn), ladder);
  }

  standing(turn: TurnOptions, ladder: readonly PricedModel[]): Standing | undefined {
    const { request, secret, sticky, nowMs } = this.#parts;
    if (sticky === undefined) return undefined;
    const thread = threadHash(secret, turn, firstWords(request.body, request.dialect));
    const facts = turnFacts(request.body, request.dialect);
    this.#current = currentThread(this.#before(), { thread, facts, ladder }, sticky, nowMs());
    return this.#current.standing;
  }

  transition(model: string): SessionTransition {
    const before = this.#before();
    return before === undefined ? 'initialize' : before.last === model ? 'retain' : 'switch';
  }

  age(): SessionAge {
    const began = this.#before()?.began;
    if (began === undefined) return NO_AGE;
    return { turns: began.turns, minutes: Math.max(0, this.#parts.nowMs() - began.ms) / MINUTE_MS };
  }

  went(model: string, chosen?: ChosenRung): void {
    const { identity, request, memory, mayCallTools, sticky, nowMs } = this.#parts;
    const latest = memory.get(identity.id);
    this.#found ??= { before: latest };
    const { before } = this.#found;
    const current = this.#current;
    const sent = {
      model,
      pin: mayCallTools && chosen ? pinTo(chosen, this.#hashOf(chosen.options)) : undefined,
      went: current && chosen && { current, choice: chosen },
      isNewTurn: !isToolTurn(request.body, request.dialect),
      isSticky: sticky !== undefined,
      nowMs: nowMs(),
    };
    this.#write(afterSending(before, latest, sent));
  }

  replied(model: PricedModel, usage: TokenCounts): void {
    const { identity, memory, sticky, nowMs } = this.#parts;
    if (sticky === undefined) return;
    const held = memory.get(identity.id);
    const after = afterReplying(held, this.#current?.thread, { model, usage }, sticky, nowMs());
    if (after !== undefined) this.#write(after);
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

const MINUTE_MS = 60_000;
const NO_AGE: SessionAge = { turns: 0, minutes: 0 };

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
