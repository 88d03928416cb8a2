import { afterEach, describe, expect, it, vi } from 'vitest';
import { createFallbackChain } from '../../router/fallback/fallback-chain.ts';
import { alwaysReady, type WholeAttempt } from './attempts.ts';
import { CHEAP, callWith, outcomeOf, STRONG, scriptedChain, settingsWith } from './fallback-script.ts';

const BOTH = [CHEAP, STRONG];

describe('an aborted signal', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('stops before the first attempt', async () => {
    const { run, asked } = scriptedChain({ 'near/small': [{ what: 'answer' }] });
    await expect(run([CHEAP], 1_000, AbortSignal.abort('left'))).rejects.toBe('left');
    expect(asked).toEqual([]);
  });

  it('stops a wait at once and leaves no timer', async () => {
    vi.useFakeTimers();
    const attempt = vi.fn<WholeAttempt>(async () => outcomeOf({ what: 'overloaded', retryAfterMs: 5_000 }));
    const chain = createFallbackChain({ prepare: alwaysReady(attempt), settings: settingsWith() });
    const client = new AbortController();
    const run = chain.execute(callWith(client.signal), BOTH, performance.now() + 60_000);
    const stopped = expect(run).rejects.toBe('left');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(vi.getTimerCount()).toBe(1);
    client.abort('left');
    await stopped;
    expect(vi.getTimerCount()).toBe(0);
    expect(attempt).toHaveBeenCalledOnce();
  });

  it('rejects with its reason, whatever the attempt threw, and tries nobody else', async () => {
    const client = new AbortController();
    const attempt = vi.fn<WholeAttempt>(async () => {
      client.abort('left');
      throw new DOMException('aborted', 'AbortError');
    });
    const chain = createFallbackChain({ prepare: alwaysReady(attempt), settings: settingsWith() });
    await expect(chain.execute(callWith(client.signal), BOTH, performance.now() + 60_000)).rejects.toBe(
      'left',
    );
    expect(attempt).toHaveBeenCalledOnce();
  });

  it('leaves no timer and no listener after an answer that followed a wait', async () => {
    vi.useFakeTimers();
    const outcomes = [outcomeOf({ what: 'reset' }), outcomeOf({ what: 'answer' })];
    const chain = createFallbackChain({
      prepare: alwaysReady(async () => outcomes.shift()!),
      settings: settingsWith(),
    });
    const client = new AbortController();
    const removed = vi.spyOn(client.signal, 'removeEventListener');
    const run = chain.execute(callWith(client.signal), BOTH, performance.now() + 60_000);
    await vi.advanceTimersByTimeAsync(250);
    expect(await run).toMatchObject({ kind: 'reply' });
    expect(vi.getTimerCount()).toBe(0);
    expect(removed).toHaveBeenCalledOnce();
  });
});
