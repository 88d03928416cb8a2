import type { CatalogModel } from '../../router/catalog/index.ts';
import { upstreamSchema } from '../../router/config/upstream-schema.ts';
import type {
  AttemptOutcome,
  AttemptTimeouts,
  FailedAttempt,
  Failure,
  PrepareAttempt,
  UnroutedCall,
  UpstreamSettings,
} from '../../router/exchange/index.ts';
import type { FallbackEvent } from '../../router/fallback/attempt-log.ts';
import type { Clock } from '../../router/fallback/failure-rules.ts';
import { createFallbackChain } from '../../router/fallback/fallback-chain.ts';
import { alwaysReady, type WholeAttempt } from './attempts.ts';

export type ModelFacts = Partial<Omit<CatalogModel, 'name' | 'provider' | 'id'>> & { outputUsd?: number };

/** A catalog entry from its name `<provider>/<model>`. */
export function model(name: string, { outputUsd, ...facts }: ModelFacts = {}): CatalogModel {
  const [provider = '', id = ''] = name.split('/');
  return {
    name,
    id,
    provider: {
      name: provider,
      kind: 'openai-compatible',
      baseUrl: `http://${provider}.test/v1`,
      apiKeyEnv: undefined,
      headers: {},
      passHeaders: [],
      dialects: ['openai'],
    },
    price: outputUsd === undefined ? undefined : { inputUsd: outputUsd / 4, outputUsd },
    contextWindow: undefined,
    maxOutputTokens: undefined,
    capabilities: new Set(),
    latencyClass: undefined,
    local: false,
    ...facts,
  };
}

export const CHEAP = model('near/small', { outputUsd: 1, contextWindow: 8_000 });
export const STRONG = model('far/large', { outputUsd: 10, contextWindow: 100_000 });

/** One thing that a scripted attempt does; `takesMs` of the virtual clock. */
export interface Step {
  /** `unmappable`, `no-key`: refused when it was prepared; nothing was sent. */
  readonly what: 'answer' | 'unmappable' | 'no-key' | Failure;
  readonly takesMs?: number;
  readonly retryAfterMs?: number;
  readonly status?: number;
}

const USUAL_STATUS: Partial<Record<Failure, number>> = { 'bad-request': 400, auth: 401 };

export function outcomeOf({ what, retryAfterMs, status }: Step): AttemptOutcome {
  if (what === 'answer') {
    return {
      kind: 'reply',
      status: 200,
      headers: {},
      body: (async function* () {})(),
      usage: () => undefined,
    };
  }
  const message = `the provider says ${what}`;
  if (what === 'unmappable') {
    return { kind: 'failure', failure: 'bad-request', status: undefined, retryAfterMs, message };
  }
  if (what === 'no-key') {
    return { kind: 'failure', failure: 'auth', status: undefined, retryAfterMs, message };
  }
  const known = status ?? USUAL_STATUS[what];
  return { kind: 'failure', failure: what, status: known, retryAfterMs, message };
}

/** Time that passes only when somebody sleeps or works. */
export function virtualClock(): Clock & { pass(ms: number): void; readonly slept: number[] } {
  let now = 1_000;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    pass(ms) {
      now += ms;
    },
    async sleep(ms, signal) {
      signal.throwIfAborted();
      slept.push(ms);
      now += ms;
    },
  };
}

export function settingsWith(changes: object = {}): UpstreamSettings {
  return upstreamSchema.parse(changes);
}

export function callWith(signal: AbortSignal = new AbortController().signal): UnroutedCall {
  return { dialect: 'openai', operation: 'chat', body: {}, stream: false, headers: {}, signal };
}

export interface Asked {
  readonly model: string;
  readonly at: number;
  readonly timeouts: AttemptTimeouts;
}

/**
 * A chain over attempts that follow a script for each model; the last step repeats. An attempt that would take longer than its
 * first-byte or total timeout is a `timeout` then, as a real one.
 */
export function scriptedChain(
  script: Readonly<Record<string, readonly Step[]>>,
  options: { settings?: object; random?: () => number } = {},
) {
  const clock = virtualClock();
  const asked: Asked[] = [];
  const events: FallbackEvent[] = [];
  const played = new Map<string, number>();

  const stepOf = (name: string) => {
    const steps = script[name] ?? [];
    const step = steps[Math.min(played.get(name) ?? 0, steps.length - 1)];
    if (!step) throw new Error(`The script has no step for ${name}.`);
    return step;
  };
  const play = (name: string) => {
    const step = stepOf(name);
    played.set(name, (played.get(name) ?? 0) + 1);
    return step;
  };

  const attempt: WholeAttempt = async ({ model: { name } }, timeouts) => {
    asked.push({ model: name, at: clock.now(), timeouts });
    const step = play(name);
    const limit = Math.min(timeouts.firstByteMs, timeouts.totalMs);
    const cut = (step.takesMs ?? 0) > limit;
    clock.pass(cut ? limit : (step.takesMs ?? 0));
    return outcomeOf(cut ? { what: 'timeout' } : step);
  };

  const prepare: PrepareAttempt = (call) => {
    const { name } = call.model;
    const { what } = stepOf(name);
    if (what !== 'unmappable' && what !== 'no-key') return alwaysReady(attempt)(call);
    return outcomeOf(play(name)) as FailedAttempt;
  };

  const chain = createFallbackChain({
    prepare,
    settings: settingsWith(options.settings),
    clock,
    random: options.random ?? (() => 0.5),
    onEvent: (event) => events.push(event),
  });
  const run = (candidates: readonly CatalogModel[], leftMs = 600_000, signal?: AbortSignal) =>
    chain.execute(callWith(signal), candidates, clock.now() + leftMs);
  return { chain, run, clock, asked, events, names: () => asked.map(({ model: name }) => name) };
}
