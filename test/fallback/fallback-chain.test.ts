import { describe, expect, it } from 'vitest';
import type { Failure } from '../../router/exchange/index.ts';
import { createFallbackChain } from '../../router/fallback/fallback-chain.ts';
import { alwaysReady, type WholeAttempt } from './attempts.ts';
import { CHEAP, callWith, STRONG, scriptedChain, settingsWith } from './fallback-script.ts';

const PASSING: Failure[] = [
  'connect',
  'timeout',
  'rate-limited',
  'overloaded',
  'server-error',
  'request-timeout',
  'reset',
];
const BOTH = [CHEAP, STRONG];

describe('an answer', () => {
  it('of the first candidate ends it', async () => {
    const { run, names } = scriptedChain({ 'near/small': [{ what: 'answer', takesMs: 30 }] });
    const result = await run(BOTH);
    expect(result).toMatchObject({ kind: 'reply', model: CHEAP, outcome: { status: 200 } });
    expect(result.attempts).toEqual([
      { model: 'near/small', kind: 'first', outcome: 'answer', status: 200, ms: 30 },
    ]);
    expect(names()).toEqual(['near/small']);
  });
});

describe('a failure that may pass', () => {
  it.each(PASSING)('%s: the same candidate is retried, and its answer taken', async (what) => {
    const { run, names } = scriptedChain({ 'near/small': [{ what }, { what: 'answer' }] });
    const result = await run(BOTH);
    expect(result).toMatchObject({ kind: 'reply', model: CHEAP });
    expect(result.attempts.map(({ kind, outcome }) => [kind, outcome])).toEqual([
      ['first', what],
      ['retry', 'answer'],
    ]);
    expect(names()).toEqual(['near/small', 'near/small']);
  });

  it.each(PASSING)('%s: falls back when the retries are used up', async (what) => {
    const { run, names } = scriptedChain({ 'near/small': [{ what }], 'far/large': [{ what: 'answer' }] });
    const result = await run(BOTH);
    expect(result).toMatchObject({ kind: 'reply', model: STRONG });
    expect(names()).toEqual(['near/small', 'near/small', 'near/small', 'far/large']);
    expect(result.attempts.map(({ kind }) => kind)).toEqual(['first', 'retry', 'retry', 'fallback']);
  });

  it('waits between 0 and a bound that doubles up to its maximum', async () => {
    const settings = { retry: { max_retries: 4, initial_wait_ms: 100, max_wait_ms: 300 } };
    const script = { 'near/small': [{ what: 'server-error' as const }] };
    const half = scriptedChain(script, { settings, random: () => 0.5 });
    await half.run([CHEAP]);
    expect(half.clock.slept).toEqual([50, 100, 150, 150]);
    const none = scriptedChain(script, { settings, random: () => 0 });
    await none.run([CHEAP]);
    expect(none.clock.slept).toEqual([0, 0, 0, 0]);
  });

  it('records how long it waited', async () => {
    const { run } = scriptedChain({
      'near/small': [{ what: 'overloaded', status: 529 }, { what: 'answer' }],
    });
    const { attempts } = await run([CHEAP]);
    expect(attempts[0]).toEqual({
      model: 'near/small',
      kind: 'first',
      outcome: 'overloaded',
      status: 529,
      ms: 0,
    });
    expect(attempts[1]).toMatchObject({ kind: 'retry', waitedMs: 125 });
  });

  it('does not retry once the budget is spent: a stall falls back at once', async () => {
    const { run, names } = scriptedChain({
      'near/small': [{ what: 'answer', takesMs: 3_600_000 }],
      'far/large': [{ what: 'answer' }],
    });
    expect(await run(BOTH)).toMatchObject({ kind: 'reply', model: STRONG });
    expect(names()).toEqual(['near/small', 'far/large']);
  });
});

describe('Retry-After', () => {
  it('is waited in full, with the jitter on top', async () => {
    const script = [{ what: 'rate-limited' as const, retryAfterMs: 3_000 }, { what: 'answer' as const }];
    const { run, clock } = scriptedChain({ 'near/small': script });
    expect(await run(BOTH)).toMatchObject({ kind: 'reply', model: CHEAP });
    expect(clock.slept).toEqual([3_125]);
  });

  it('longer than the budget is not waited for', async () => {
    const { run, clock, names } = scriptedChain({
      'near/small': [{ what: 'rate-limited', retryAfterMs: 10_001 }],
      'far/large': [{ what: 'answer' }],
    });
    expect(await run(BOTH)).toMatchObject({ kind: 'reply', model: STRONG });
    expect(clock.slept).toEqual([]);
    expect(names()).toEqual(['near/small', 'far/large']);
  });

  it('that ends after the deadline is not waited for, and the time goes to the next candidate', async () => {
    const { run, clock } = scriptedChain({
      'near/small': [{ what: 'overloaded', retryAfterMs: 3_000 }],
      'far/large': [{ what: 'answer', takesMs: 1_500 }],
    });
    expect(await run(BOTH, 2_000)).toMatchObject({ kind: 'reply', model: STRONG });
    expect(clock.slept).toEqual([]);
  });
});

describe('a retry that the deadline would cut off', () => {
  it('is not waited for: the time goes to the next candidate', async () => {
    const { run, clock } = scriptedChain({
      'near/small': [{ what: 'overloaded', retryAfterMs: 3_000 }], // 125 ms of jitter on top
      'far/large': [{ what: 'answer', takesMs: 1_000 }],
    });
    expect(await run(BOTH, 3_134)).toMatchObject({ kind: 'reply', model: STRONG });
    expect(clock.slept).toEqual([]);
  });
});

describe('a failure that lasts', () => {
  it.each(['auth', 'model-missing'] as const)('%s falls back at once and is reported', async (what) => {
    const script = { 'near/small': [{ what, status: 401 }], 'far/large': [{ what: 'answer' as const }] };
    const { run, names, events } = scriptedChain(script);
    expect(await run(BOTH)).toMatchObject({ kind: 'reply', model: STRONG });
    expect(names()).toEqual(['near/small', 'far/large']);
    expect(events).toContainEqual({
      kind: 'operator-fault',
      model: 'near/small',
      failure: what,
      status: 401,
    });
  });

  it('a key that is not there was no attempt, and is reported', async () => {
    const { run, events } = scriptedChain({
      'near/small': [{ what: 'no-key' }],
      'far/large': [{ what: 'auth' }],
    });
    const { attempts } = await run(BOTH);
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['skipped-no-key', 'auth']);
    const fault = { kind: 'operator-fault' };
    expect(events).toContainEqual({ ...fault, model: 'near/small', failure: 'skipped-no-key' });
    expect(events).toContainEqual({ ...fault, model: 'far/large', failure: 'auth', status: 401 });
  });

  it('bad-answer falls back at once and is nobody else to report', async () => {
    const { run, names, events } = scriptedChain({
      'near/small': [{ what: 'bad-answer' }],
      'far/large': [{ what: 'answer' }],
    });
    await run(BOTH);
    expect(names()).toEqual(['near/small', 'far/large']);
    expect(events.map(({ kind }) => kind)).toEqual(['attempt', 'attempt']);
  });

  it('bad-request ends the chain and is passed on', async () => {
    const body = new TextEncoder().encode('{"error":{}}');
    const attempt: WholeAttempt = async () => ({
      kind: 'failure',
      failure: 'bad-request',
      status: 422,
      retryAfterMs: undefined,
      message: 'temperature is too high',
      body,
    });
    const chain = createFallbackChain({ prepare: alwaysReady(attempt), settings: settingsWith() });
    const result = await chain.execute(callWith(), BOTH, performance.now() + 60_000);
    expect(result).toMatchObject({
      kind: 'failure',
      failure: { status: 422, reason: 'bad-request', message: 'temperature is too high', body },
    });
    expect(result.attempts).toHaveLength(1);
  });
});
