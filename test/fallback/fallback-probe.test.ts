import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AttemptOutcome } from '../../router/exchange/index.ts';
import { createFallbackChain } from '../../router/fallback/fallback-chain.ts';
import { alwaysReady, type WholeAttempt } from './attempts.ts';
import { CHEAP, callWith, outcomeOf, settingsWith } from './fallback-script.ts';

const OPEN_MS = 10_000;
const FEW_RETRIES = { retry: { max_retries: 0 } };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a probe', () => {
  /** An open breaker whose time is over, and attempts that end when told. */
  async function held() {
    const { asks, chain, run } = manual();
    for (let request = 0; request < 10; request++) {
      const failing = run();
      asks.pop()!.resolve(outcomeOf({ what: 'connect' }));
      await failing;
    }
    await vi.advanceTimersByTimeAsync(OPEN_MS);
    return { asks, chain, run };
  }

  function manual() {
    const asks: PromiseWithResolvers<AttemptOutcome>[] = [];
    const attempt: WholeAttempt = ({ signal }) => {
      const ask = withResolvers<AttemptOutcome>();
      asks.push(ask);
      signal.addEventListener('abort', () => ask.reject(signal.reason), { once: true });
      return ask.promise;
    };
    const chain = createFallbackChain({ prepare: alwaysReady(attempt), settings: settingsWith(FEW_RETRIES) });
    const run = (signal?: AbortSignal) =>
      chain.execute(callWith(signal), [CHEAP], performance.now() + 60_000);
    return { asks, chain, run };
  }

  it('is one at a time: others are not held up by it', async () => {
    const { asks, chain, run } = await held();
    const probe = run();
    const others = await Promise.all([run(), run(), run()]);
    expect(asks).toHaveLength(1);
    for (const other of others) expect(other.attempts).toMatchObject([{ outcome: 'skipped-open' }]);
    expect(chain.breakerStates().get(CHEAP.name)).toBe('half-open');
    asks[0]?.resolve(outcomeOf({ what: 'answer' }));
    expect(await probe).toMatchObject({ kind: 'reply', attempts: [{ kind: 'probe' }] });
    expect(chain.breakerStates().get(CHEAP.name)).toBe('closed');
  });

  it('whose client leaves proves nothing: it is given back, and the next request is the probe', async () => {
    const { asks, chain, run } = await held();
    const client = new AbortController();
    const probe = run(client.signal);
    client.abort('left');
    await expect(probe).rejects.toBe('left');
    expect(chain.breakerStates().get(CHEAP.name)).toBe('open');
    const next = run();
    asks.at(-1)!.resolve(outcomeOf({ what: 'answer' }));
    expect(await next).toMatchObject({ kind: 'reply', attempts: [{ kind: 'probe' }] });
    expect(chain.breakerStates().get(CHEAP.name)).toBe('closed');
  });

  it.each(['bad-request', 'context-window', 'content-filter'] as const)(
    "shows that the provider is up when it judges the request: %s with the provider's status",
    async (what) => {
      const { asks, chain, run } = await held();
      const probe = run();
      asks[0]?.resolve(outcomeOf({ what, status: 400 }));
      expect(await probe).toMatchObject({ failure: { status: 400, reason: what } });
      expect(chain.breakerStates().get(CHEAP.name)).toBe('closed');
    },
  );

  it('clients that leave a closed breaker do not open it', async () => {
    const { chain, run } = manual();
    for (let request = 0; request < 50; request++) {
      const client = new AbortController();
      const left = run(client.signal);
      client.abort('left');
      await expect(left).rejects.toBe('left');
    }
    expect(chain.breakerStates().get(CHEAP.name)).toBe('closed');
  });
});

describe('a timeout that the deadline cut short', () => {
  async function timedOut(leftMs: number): Promise<string | undefined> {
    const attempt: WholeAttempt = async () => outcomeOf({ what: 'timeout' });
    const chain = createFallbackChain({ prepare: alwaysReady(attempt), settings: settingsWith(FEW_RETRIES) });
    for (let request = 0; request < 50; request++)
      await chain.execute(callWith(), [CHEAP], performance.now() + leftMs);
    return chain.breakerStates().get(CHEAP.name);
  }

  it('says nothing of a model that had little time', async () => {
    expect(await timedOut(29_000)).toBe('closed');
  });

  it('counts where the model had most of its time', async () => {
    expect(await timedOut(31_000)).toBe('open');
  });
});

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

// Promise.withResolvers came with Node 22.
function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((onValue, onReason) => {
    resolve = onValue;
    reject = onReason;
  });
  return { promise, resolve, reject };
}
