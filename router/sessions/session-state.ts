import type { TokenCounts } from '../catalog/index.ts';
import type { SessionState, SessionThread, TurnPin } from './memory-sessions.ts';
import {
  afterChoice,
  afterReply,
  type PricedModel,
  type Standing,
  type StickinessOptions,
  standingOf,
  type ThreadChoice,
  type TurnFacts,
} from './stickiness.ts';

/** Turns, and conversations, of one session. */
const MAX_ENTRIES = 8;

/**
 * The rung of the turn that a request goes on with, if the same model still serves on it. Results of tools may come without what was asked, as after an id of
 * the conversation: they go on with the newest turn.
 * @param turn keyed hash of options and text, or of the options alone
 * @param ladder names of its models, cheapest first
 */
export function pinnedRungIn(
  state: SessionState | undefined,
  turn: string,
  ladder: readonly string[],
): number | undefined {
  const pin = state?.turns.findLast((one) => one.turn.startsWith(turn));
  return pin !== undefined && ladder[pin.rung] === pin.model ? pin.rung : undefined;
}

/** A conversation of a session, while a request of it is at work. */
export interface CurrentThread {
  readonly thread: string;
  readonly state: SessionThread | undefined;
  readonly facts: TurnFacts;
  readonly standing: Standing;
  readonly ladder: readonly PricedModel[];
}

/** The conversation of a session that a request belongs to, and what it says to the choice of its rung. */
export function currentThread(
  session: SessionState | undefined,
  { thread, facts, ladder }: Pick<CurrentThread, 'thread' | 'facts' | 'ladder'>,
  sticky: StickinessOptions,
  nowMs: number,
): CurrentThread {
  const state = session?.threads?.findLast((one) => one.thread === thread);
  return { thread, state, facts, standing: standingOf(state, facts, ladder, sticky, nowMs), ladder };
}

/** What is known when a request is sent on its way. */
export interface SentRequest {
  readonly model: string;
  /** If another request may go on with its turn. */
  readonly pin: TurnPin | undefined;
  /** Left out if the client named the model. */
  readonly went?: { readonly current: CurrentThread; readonly choice: ThreadChoice } | undefined;
  readonly isNewTurn: boolean;
  /** Conversations keep their model. */
  readonly isSticky: boolean;
  readonly nowMs: number;
}

/**
 * The session after a request was sent on its way.
 * @param before as it was when the request came
 * @param latest as it is now: other requests of it may have been sent meanwhile
 */
export function afterSending(
  before: SessionState | undefined,
  latest: SessionState | undefined,
  { model, pin, went, isNewTurn, isSticky, nowMs }: SentRequest,
): SessionState {
  const turns = newest('turn', before?.turns, latest?.turns, pin && [pin]);
  const own = went && [wentOn(went.current, went.choice)];
  const threads = isSticky ? newest('thread', before?.threads, latest?.threads, own) : undefined;
  const { ms, turns: count } = latest?.began ?? before?.began ?? { ms: nowMs, turns: 0 };
  const began = { ms, turns: count + Number(isNewTurn) };
  return { last: model, turns, ...(threads && { threads }), began };
}

/** The session after a model has replied to a request of one of its conversations; undefined if nothing is known about that. */
export function afterReplying(
  held: SessionState | undefined,
  name: string | undefined,
  reply: { readonly model: PricedModel; readonly usage: TokenCounts },
  sticky: StickinessOptions,
  nowMs: number,
): SessionState | undefined {
  const thread = held?.threads?.find((one) => one.thread === name);
  if (held === undefined || thread === undefined) return undefined;
  const after = { ...afterReply(thread, reply.model, reply.usage, sticky, nowMs), thread: thread.thread };
  return { ...held, threads: newest('thread', held.threads, [after]) };
}

function wentOn(
  { thread, state, facts, standing, ladder }: CurrentThread,
  choice: ThreadChoice,
): SessionThread {
  return { ...afterChoice(state, standing, choice, facts, ladder), thread };
}

const NONE: readonly never[] = [];

/** If several entries have one name, the last one counts. */
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
