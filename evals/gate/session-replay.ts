import type { Rung } from '../../router/artifact/index.ts';
import type { Price, TokenCounts } from '../../router/catalog/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { choose } from '../../router/policy/index.ts';
import {
  afterReplying,
  afterSending,
  currentThread,
  heldTokens,
  type PricedModel,
  pinnedRungIn,
  type SessionState,
  type StickinessOptions,
} from '../../router/sessions/index.ts';
import type { Case, SessionTurn } from '../cases/index.ts';
import type { Replay } from './replay.ts';

/** How sessions are served: the settings that a server has to have for the verdict to hold. */
export interface SessionSettings {
  /** Undefined: each request is decided anew, but for turns with tools. */
  readonly sticky: StickinessOptions | undefined;
  readonly pinToolTurns: boolean;
  readonly ttlMs: number;
}

/** One request of a session, in its order. */
export interface SessionRequest {
  /** Row in the replay. */
  readonly row: number;
  readonly at: SessionTurn;
  /** Tokens of the request and its reply on each rung, cheapest first; undefined if they are not known. */
  readonly tokens: readonly (Pick<TokenCounts, 'inputTokens' | 'outputTokens'> | undefined)[];
}

/** Sessions that are replayed whole at each threshold. */
export interface SessionReplay {
  /** The rung of each case: those of sessions as live routing decides them one after the other, the others by themselves. Shape [n] */
  rungsAt(threshold: number): Int32Array;
  /** Sessions of more than one request. */
  readonly sessions: number;
  /** Their requests. */
  readonly requests: number;
}

interface ReplayParts {
  readonly replay: Pick<Replay, 'n' | 'traits' | 'probabilities'>;
  /** In the order of each session. */
  readonly sessions: readonly (readonly SessionRequest[])[];
  /** Cheapest first. */
  readonly ladder: readonly PricedModel[];
  readonly settings: SessionSettings;
}

/** Decides every session by the code that routes live: `choose`, and what a session remembers from one request to the next. */
export function replaySessions({ replay, sessions, ladder, settings }: ReplayParts): SessionReplay {
  let last: { readonly threshold: number; readonly rungs: Int32Array } | undefined;
  return {
    sessions: sessions.filter(({ length }) => length > 1).length,
    requests: sessions.reduce((sum, { length }) => sum + (length > 1 ? length : 0), 0),
    rungsAt(threshold) {
      if (last?.threshold === threshold) return last.rungs;
      const rungs = new Int32Array(replay.n);
      for (const session of sessions) {
        let state: Held | undefined;
        for (const request of session) {
          const chosen = nextRung(request, state, { replay, ladder, settings, threshold });
          rungs[request.row] = chosen.rung;
          ({ state } = chosen);
        }
      }
      last = { threshold, rungs };
      return rungs;
    },
  };
}

/** A session as it is remembered, and until when. */
interface Held {
  readonly session: SessionState;
  readonly expiresMs: number;
}

interface Serving extends Omit<ReplayParts, 'sessions'> {
  readonly threshold: number;
}

function nextRung(
  { row, at, tokens }: SessionRequest,
  held: Held | undefined,
  { replay, ladder, settings, threshold }: Serving,
): { readonly rung: number; readonly state: Held } {
  const { sticky, pinToolTurns, ttlMs } = settings;
  const { facts, thread, asked, offersTools, timeMs: nowMs = 0 } = at;
  const before = held !== undefined && held.expiresMs > nowMs ? held.session : undefined;
  const names = ladder.map(({ name }) => name);
  const pinned = pinToolTurns && facts.isToolTurn ? pinnedRungIn(before, asked, names) : undefined;
  const current = sticky && currentThread(before, { thread, facts, ladder }, sticky, nowMs);
  const policy = { kind: 'threshold', name: 'gated', version: 1, threshold } as const;
  const scores = replay.traits[row]!.unscored ?? replay.probabilities.map((column) => column[row]!);
  const { rung, policyRung } = choose(policy, scores, {
    rungs: ladder.length,
    allowed: undefined,
    requestedThreshold: undefined,
    pinned,
    session: current?.standing.stay,
  });
  const model = ladder[rung]!;
  const sent = afterSending(before, before, {
    model: model.name,
    pin: offersTools ? { turn: asked, rung, model: model.name } : undefined,
    went: current && { current, choice: { rung, policyRung } },
    isNewTurn: !facts.isToolTurn,
    isSticky: sticky !== undefined,
    nowMs,
  });
  const usage = sticky && usageOf(tokens[rung], { sent, thread, model, sticky, nowMs });
  const session = (usage && afterReplying(sent, thread, { model, usage }, sticky, nowMs)) ?? sent;
  return { rung, state: { session, expiresMs: nowMs + ttlMs } };
}

interface Sent {
  readonly sent: SessionState;
  readonly thread: string;
  readonly model: PricedModel;
  readonly sticky: StickinessOptions;
  readonly nowMs: number;
}

/** What a provider reports whose cache keeps what it was sent: the prompt that it holds is read, and the rest written if that has a price. */
function usageOf(
  tokens: SessionRequest['tokens'][number],
  { sent, thread, model, sticky, nowMs }: Sent,
): TokenCounts | undefined {
  if (tokens === undefined) return undefined;
  const { inputTokens } = tokens;
  const state = sent.threads?.find((one) => one.thread === thread);
  const cachedInputTokens = Math.min(inputTokens, heldTokens(state, model.name, sticky, nowMs));
  const writes = model.price?.cacheWriteUsd !== undefined;
  return {
    ...tokens,
    cachedInputTokens,
    ...(writes && { cacheWriteInputTokens: inputTokens - cachedInputTokens }),
  };
}

/**
 * The sessions of cases, each in its order; a case without one is a session of its own.
 * @throws PlimsollError `insufficient-data` if the price of a prompt cache decides, and cases do not say their tokens
 */
export function sessionsOf(
  cases: readonly Case[],
  ladder: readonly Rung[],
  { sticky }: Pick<SessionSettings, 'sticky'>,
): readonly (readonly SessionRequest[])[] {
  const sessions = new Map<string, SessionRequest[]>();
  const alone: SessionRequest[][] = [];
  for (const [row, one] of cases.entries()) {
    const at = one.sessionTurn ?? { ...ALONE, facts: { ...ALONE.facts, characters: one.text.length } };
    const tokens = ladder.map(({ model }) => tokensOf(one, model));
    const request = { row, at, tokens };
    const known = sessions.get(at.session);
    if (one.sessionTurn === undefined) alone.push([request]);
    else if (known === undefined) sessions.set(at.session, [request]);
    else known.push(request);
  }
  const all = [...sessions.values()].map((requests) => requests.sort((a, b) => a.at.turn - b.at.turn));
  if (sticky?.stickiness === 'priced') requireTokens(all);
  return [...all, ...alone];
}

const ALONE: SessionTurn = {
  session: '',
  turn: 0,
  timeMs: undefined,
  thread: '',
  asked: '',
  facts: { characters: 0, failures: 0, isToolTurn: false },
  offersTools: false,
};

function tokensOf({ outcomes }: Case, model: string): SessionRequest['tokens'][number] {
  const { inputTokens, outputTokens } = outcomes.get(model) ?? {};
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  return { inputTokens: Math.round(inputTokens), outputTokens: Math.round(outputTokens) };
}

function requireTokens(sessions: readonly (readonly SessionRequest[])[]): void {
  const several = sessions.filter(({ length }) => length > 1).flat();
  const without = several.filter(({ tokens }) => tokens.includes(undefined)).length;
  if (without === 0) return;
  throw new PlimsollError(
    'insufficient-data',
    `${without} of ${several.length} requests of sessions do not say the tokens of every model (outcomes.<model>.input_tokens and output_tokens), and by stickiness: priced these decide when a session changes its model. Give them, or gate with stickiness: pinned.`,
    { place: { field: 'sessions' } },
  );
}

/** Prices of the ladder's models as the suite names them. @throws PlimsollError `invalid-config` if one is missing and decides */
export function pricedLadder(
  ladder: readonly Rung[],
  prices: Readonly<Record<string, Price>>,
  { sticky }: Pick<SessionSettings, 'sticky'>,
  file: string,
): readonly PricedModel[] {
  const priced = ladder.map(({ candidate, model }) => ({
    candidate,
    name: model,
    price: Object.hasOwn(prices, candidate) ? prices[candidate] : undefined,
  }));
  const unpriced = priced.find(({ price }) => price === undefined);
  if (sticky?.stickiness !== 'priced' || unpriced === undefined) return priced;
  throw new PlimsollError(
    'invalid-config',
    `The suite ${file}: sessions by stickiness: priced need the price of each candidate, and that of ${unpriced.candidate} is missing. Give sessions.prices.${unpriced.candidate}, as the server's configuration has it.`,
    { place: { file, field: `sessions.prices.${unpriced.candidate}` } },
  );
}
