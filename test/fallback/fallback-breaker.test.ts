import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Failure } from '../../router/exchange/index.ts';
import type { FallbackEvent } from '../../router/fallback/attempt-log.ts';
import { createCircuitBreakers } from '../../router/fallback/circuit-breaker.ts';
import { createFallbackChain } from '../../router/fallback/fallback-chain.ts';
import { alwaysReady, type WholeAttempt } from './attempts.ts';
import { CHEAP, callWith, outcomeOf, STRONG, type Step, settingsWith } from './fallback-script.ts';

const OPEN_MS = 10_000;
const FEW_RETRIES = { retry: { max_retries: 0 } };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** The cheap model does what `health` says at the time; the strong one always answers. */
function outage(first: Step, settings: object = FEW_RETRIES) {
  const health = { cheap: first, asked: 0 };
  const events: FallbackEvent[] = [];
  const attempt: WholeAttempt = async ({ model: { name } }) => {
    if (name !== CHEAP.name) return outcomeOf({ what: 'answer' });
    health.asked++;
    return outcomeOf(health.cheap);
  };
  const parsed = settingsWith(settings);
  const chain = createFallbackChain({
    prepare: alwaysReady(attempt),
    settings: parsed,
    random: () => 0,
    onEvent: (event) => events.push(event),
  });
  const run = async (candidates = [CHEAP, STRONG]) => {
    const result = chain.execute(callWith(), candidates, performance.now() + 60_000);
    await vi.advanceTimersByTimeAsync(0);
    return result;
  };
  const states = () => events.flatMap((event) => (event.kind === 'breaker' ? [event.state] : []));
  return { health, chain, run, states };
}

async function opened(first: Step = { what: 'connect' }) {
  const course = outage(first);
  for (let request = 0; request < 20; request++) await course.run();
  expect(course.chain.breakerStates().get(CHEAP.name)).toBe('open');
  return course;
}

describe('the breaker of a model', () => {
  it.each<Failure>([
    'connect',
    'timeout',
    'overloaded',
    'server-error',
    'auth',
    'model-missing',
    'bad-answer',
    'reset',
  ])(
    'opens in under 20 failures of %s, while every request is answered by the next candidate',
    async (what) => {
      const { run, health } = outage({ what });
      for (let request = 0; request < 50; request++) {
        expect(await run()).toMatchObject({ kind: 'reply', model: STRONG });
      }
      expect(health.asked).toBe(10);
    },
  );

  it('opens in under 20 failures after long health too', async () => {
    const { run, health } = outage({ what: 'answer' });
    for (let request = 0; request < 100; request++) await run();
    health.asked = 0;
    health.cheap = { what: 'server-error' };
    for (let request = 0; request < 50; request++) await run();
    expect(health.asked).toBe(11);
  });

  it.each<Failure>(['bad-request', 'context-window', 'content-filter'])(
    "stays closed after %s: that is the request's",
    async (what) => {
      const { run, chain, health } = outage({ what });
      for (let request = 0; request < 50; request++) await run();
      expect(health.asked).toBe(50);
      expect(chain.breakerStates().get(CHEAP.name)).toBe('closed');
    },
  );

  it.each<Failure>(['bad-request', 'context-window', 'content-filter'])(
    'is not kept closed by %s between the failures',
    async (what) => {
      const { run, health } = outage({ what: 'server-error' });
      for (let request = 0; request < 50; request++) {
        health.cheap = { what: request % 2 ? what : 'server-error' };
        await run();
      }
      expect(health.asked).toBe(19); // ten failures with nine refusals between them
    },
  );

  it('when open skips its model at once, and says so', async () => {
    const { run, health } = await opened();
    health.asked = 0;
    const { attempts } = await run();
    expect(health.asked).toBe(0);
    expect(attempts[0]).toEqual({ model: CHEAP.name, kind: 'first', outcome: 'skipped-open', ms: 0 });
    expect(attempts[1]).toMatchObject({ model: STRONG.name, kind: 'fallback', outcome: 'answer' });
  });

  it('is one for each model', async () => {
    const { chain } = await opened();
    expect(Object.fromEntries(chain.breakerStates())).toEqual({
      [CHEAP.name]: 'open',
      [STRONG.name]: 'closed',
    });
  });

  it('probes after its time and closes by itself', async () => {
    const { run, health, states } = await opened();
    await vi.advanceTimersByTimeAsync(OPEN_MS);
    health.cheap = { what: 'answer' };
    const result = await run();
    expect(result).toMatchObject({ kind: 'reply', model: CHEAP });
    expect(result.attempts).toMatchObject([{ kind: 'probe', outcome: 'answer' }]);
    expect(states()).toEqual(['open', 'half-open', 'closed']);
    expect(await run()).toMatchObject({ model: CHEAP });
  });

  it('opens again when the probe fails, without retrying it', async () => {
    const { run, health, states } = await opened();
    await vi.advanceTimersByTimeAsync(OPEN_MS);
    health.asked = 0;
    expect(await run()).toMatchObject({ kind: 'reply', model: STRONG });
    await run();
    expect(health.asked).toBe(1);
    expect(states()).toEqual(['open', 'half-open', 'open']);
    await vi.advanceTimersByTimeAsync(OPEN_MS - 1);
    await run();
    expect(health.asked).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    await run();
    expect(health.asked).toBe(2);
  });

  it('stops the retries of the request that opened it', async () => {
    const { run, health } = outage({ what: 'server-error' }, { retry: { max_retries: 10 } });
    const result = run();
    await vi.runAllTimersAsync();
    const { attempts } = await result;
    expect(health.asked).toBe(10);
    expect(attempts).toHaveLength(11); // no wait for a retry that the open breaker would not let through
    expect(attempts.at(-1)).toMatchObject({ model: STRONG.name, kind: 'fallback' });
  });

  it('stays open for the Retry-After of what opened it, and tells 429 with the rest of it', async () => {
    const { run, health } = await opened({ what: 'rate-limited', retryAfterMs: 25_000 });
    await vi.advanceTimersByTimeAsync(OPEN_MS);
    health.asked = 0;
    expect(await run([CHEAP])).toMatchObject({
      kind: 'failure',
      failure: { status: 429, reason: 'rate-limited' },
      retryAfterMs: 15_000,
    });
    expect(health.asked).toBe(0);
    await vi.advanceTimersByTimeAsync(15_000);
    health.cheap = { what: 'answer' };
    expect(await run([CHEAP])).toMatchObject({ kind: 'reply' });
  });

  it('does not stay open for longer than its maximum', async () => {
    const { run, health } = await opened({ what: 'overloaded', retryAfterMs: 86_400_000 });
    await vi.advanceTimersByTimeAsync(300_000);
    health.cheap = { what: 'answer' };
    expect(await run([CHEAP])).toMatchObject({ kind: 'reply' });
  });

  it('outlives its chain where it is handed on', async () => {
    const settings = settingsWith(FEW_RETRIES);
    const breakers = createCircuitBreakers(settings.breaker);
    const attempt = vi.fn<WholeAttempt>(async () => outcomeOf({ what: 'connect' }));
    const ask = () =>
      createFallbackChain({ prepare: alwaysReady(attempt), settings, breakers }).execute(
        callWith(),
        [CHEAP],
        performance.now() + 60_000,
      );
    for (let request = 0; request < 15; request++) await ask();
    expect(attempt).toHaveBeenCalledTimes(10);
    expect(await ask()).toMatchObject({ failure: { status: 503 }, retryAfterMs: OPEN_MS });
  });
});
