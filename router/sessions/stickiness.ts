import { costUsd, NANO, type Price, type TokenCounts } from '../catalog/index.ts';
import type { SessionStay } from '../policy/index.ts';

export const STICKINESS = ['off', 'priced', 'pinned'] as const;

/** When a conversation changes its model. */
export interface StickinessOptions {
  /**
   * off: each request is decided anew. pinned: a conversation goes up when the policy asks for it, and never down. priced: it goes down once
   * what it saves is worth the prompt cache that it gives up.
   */
  readonly stickiness: (typeof STICKINESS)[number];
  /** US dollars, 0 or more: what a consistent voice is worth. A smaller gain changes no model. */
  readonly marginUsd: number;
  /** 0 or more: how often the cost of a switch must be earned back. */
  readonly weight: number;
  /** How long a provider keeps a prompt in its cache after it was last read. */
  readonly cacheTtlMs: number;
  /** So many failed tool calls in a row move a conversation one rung up; 0: none do. */
  readonly rescueAfter: number;
}

/** A rung of the ladder. */
export interface PricedModel {
  readonly name: string;
  readonly price: Price | undefined;
}

/** What is remembered of one conversation. Numbers and names of models: no word of anybody. */
export interface ThreadState {
  /** The model that it is on. */
  readonly model: string;
  /** What providers hold of its prompt. */
  readonly caches: readonly PromptCache[];
  /** Tokens of the last prompt and of its reply; undefined before the first reply. */
  readonly last?: { readonly input: number; readonly output: number } | undefined;
  readonly requests: number;
  /** Those that began a turn: the others went on with results of tools. */
  readonly turns: number;
  /** Nano-USD that staying has cost more than the policy's choices since it last asked for this model. */
  readonly forgone: number;
  /** Failed tool calls in a row at the end of the last request. */
  readonly failures: number;
  /** Characters of the last request's messages. */
  readonly characters: number;
}

interface PromptCache {
  readonly model: string;
  readonly tokens: number;
  /** When it was last read or written. */
  readonly usedMs: number;
}

/** What is looked at of a request. */
export interface TurnFacts {
  /** Characters of all its messages. */
  readonly characters: number;
  /** Failed tool calls in a row at its end. */
  readonly failures: number;
  /** It goes on with results of tools. */
  readonly isToolTurn: boolean;
}

/** A conversation as it is when a request of it comes. */
export interface Standing {
  /** What the router is told; undefined if the policy decides alone. */
  readonly stay: SessionStay | undefined;
  /** The history was replaced by a shorter one, and with it what caches held. */
  readonly isCompacted: boolean;
  /** For each rung, cheapest first, in nano-USD: how much cheaper a request is there, and what moving there costs. */
  readonly gains: readonly number[];
  readonly costs: readonly number[];
}

/** A history with less than this share of the last one's characters is not its continuation. */
const COMPACTED_BELOW = 0.5;

/**
 * What a conversation says to the choice of its next rung. Going down to a rung is worth it if
 *
 *     forgone + requests per turn * gain >= margin + weight * cost
 *
 * with `gain` what a request like the last one costs less there, both prompts read from a cache; `forgone` the sum of the gains of the requests
 * before it that stayed though the policy chose a cheaper rung, 0 again as soon as it does not; `cost` that of the prompt cache that is lost: reading
 * there, and writing, what is cached here and not there. So one request that could be cheaper changes nothing, and a run of them does, after at most
 * about twice the least that it could have cost (the rule of the ski rental: Karlin, Manasse, Rudolph and Sleator, "Competitive snoopy caching",
 * Algorithmica 3, 1988). The requests of a turn count together since its results of tools stay on one rung.
 * @param state undefined for the first request
 * @param ladder cheapest first
 */
export function standingOf(
  state: ThreadState | undefined,
  turn: TurnFacts,
  ladder: readonly PricedModel[],
  options: StickinessOptions,
  nowMs: number,
): Standing {
  const none = ladder.map(() => 0);
  const rung = state === undefined ? -1 : ladder.findIndex(({ name }) => name === state.model);
  if (state === undefined || rung === -1)
    return { stay: undefined, isCompacted: false, gains: none, costs: none };
  if (turn.characters < COMPACTED_BELOW * state.characters)
    return { stay: undefined, isCompacted: true, gains: none, costs: none };
  const { stickiness, marginUsd, weight, rescueAfter } = options;
  const heldBy = (model: string) => heldTokens(state, model, options, nowMs);
  const present = ladder[rung]!;
  const held = heldBy(present.name);
  const gains = ladder.map(
    ({ price }) => requestCost(present.price, state, held) - requestCost(price, state, held),
  );
  const costs = ladder.map(({ name, price }, one) =>
    one === rung ? 0 : cacheCost(price, held - heldBy(name)),
  );
  const perTurn = state.requests / state.turns;
  const isWorth = (one: number) =>
    stickiness === 'off' ||
    (stickiness === 'priced' &&
      state.forgone + perTurn * gains[one]! >= marginUsd * NANO + weight * costs[one]!);
  const failed = (count: number) => (rescueAfter === 0 ? 0 : Math.floor(count / rescueAfter));
  return {
    stay: {
      rung,
      worth: Array.from({ length: rung }, (_, one) => isWorth(one)),
      rescue: failed(turn.failures) > failed(state.failures),
    },
    isCompacted: false,
    gains,
    costs,
  };
}

/** Where a request of a conversation goes. */
export interface ThreadChoice {
  readonly rung: number;
  /** The rung that the policy chose, if turn or session kept another. */
  readonly policyRung?: number | undefined;
}

/** Nano-USD that the way of a request costs in prompt caches, or would have cost if it had gone where the policy chose; undefined if it had no choice. */
export function switchCost(
  { stay, costs }: Standing,
  { rung, policyRung = rung }: ThreadChoice,
): number | undefined {
  if (stay === undefined) return undefined;
  const other = rung === stay.rung ? policyRung : rung;
  return other === stay.rung ? undefined : costs[other];
}

/** The conversation after a request of it was sent on its way. */
export function afterChoice(
  state: ThreadState | undefined,
  { isCompacted, gains, stay }: Standing,
  { rung, policyRung = rung }: ThreadChoice,
  { characters, failures, isToolTurn }: TurnFacts,
  ladder: readonly PricedModel[],
): ThreadState {
  const stayed = stay !== undefined && rung === stay.rung && policyRung < rung;
  return {
    model: ladder[rung]!.name,
    caches: isCompacted ? [] : (state?.caches ?? []),
    last: isCompacted ? undefined : state?.last,
    requests: (state?.requests ?? 0) + 1,
    turns: (state?.turns ?? 0) + (isToolTurn && state !== undefined ? 0 : 1),
    forgone: stayed ? state!.forgone + Math.max(0, gains[policyRung]!) : 0,
    failures,
    characters,
  };
}

/**
 * The conversation after a model has replied to a request of it. What the provider now holds of the prompt follows from what it reports: with
 * a price for writes, what was read and written; without, the whole prompt, unless a second one in a row found nothing of the first.
 */
export function afterReply(
  state: ThreadState,
  { name, price }: PricedModel,
  usage: TokenCounts,
  options: StickinessOptions,
  nowMs: number,
): ThreadState {
  const { inputTokens: input, outputTokens: output } = usage;
  if (!isCount(input) || !isCount(output)) return state;
  const reported = count(usage.cachedInputTokens) + count(usage.cacheWriteInputTokens);
  const before = freshCache(state, name, options, nowMs);
  const missed = reported === 0 && before !== undefined;
  const whole = missed || price?.cachedInputUsd === undefined ? 0 : input;
  const tokens = price?.cacheWriteUsd === undefined ? whole : Math.min(reported, input);
  const others = state.caches.filter(({ model }) => model !== name).slice(-MAX_CACHES);
  return { ...state, last: { input, output }, caches: [...others, { model: name, tokens, usedMs: nowMs }] };
}

const MAX_CACHES = 7;

/** How many tokens of a conversation's prompt the provider of a model holds, as far as it is known. */
export function heldTokens(
  state: ThreadState | undefined,
  model: string,
  options: StickinessOptions,
  nowMs: number,
): number {
  return state === undefined ? 0 : (freshCache(state, model, options, nowMs)?.tokens ?? 0);
}

function freshCache(
  { caches }: ThreadState,
  name: string,
  { cacheTtlMs }: StickinessOptions,
  nowMs: number,
): PromptCache | undefined {
  return caches.find(({ model, usedMs }) => model === name && nowMs < usedMs + cacheTtlMs);
}

/** Nano-USD of a request like the last one, if this many tokens of it are read from the cache. */
function requestCost(price: Price | undefined, { last }: ThreadState, cachedInputTokens: number): number {
  if (last === undefined) return 0;
  return nanoUsd(price, { inputTokens: last.input, outputTokens: last.output, cachedInputTokens });
}

/** Nano-USD that writing this many tokens to a cache costs more than reading them from it. */
function cacheCost(price: Price | undefined, tokens: number): number {
  if (tokens <= 0) return 0;
  const prompt = { inputTokens: tokens, outputTokens: 0 };
  const written = nanoUsd(price, { ...prompt, cacheWriteInputTokens: tokens });
  return Math.max(0, written - nanoUsd(price, { ...prompt, cachedInputTokens: tokens }));
}

/** Rounded up, so that it is the same number wherever it is added up. */
function nanoUsd(price: Price | undefined, usage: TokenCounts): number {
  return Math.ceil((costUsd(price, usage) ?? 0) * NANO);
}

function isCount(tokens: number): boolean {
  return Number.isSafeInteger(tokens) && tokens >= 0;
}

function count(tokens: number | undefined): number {
  return tokens !== undefined && isCount(tokens) ? tokens : 0;
}
