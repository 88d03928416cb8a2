import { describe, expect, it } from 'vitest';
import { CHEAP, STRONG, scriptedChain } from './fallback-script.ts';

const BOTH = [CHEAP, STRONG];

describe('what the client is told', () => {
  it('429 with the soonest Retry-After where any candidate was rate-limited', async () => {
    const { run } = scriptedChain({
      'near/small': [{ what: 'rate-limited', retryAfterMs: 40_000, takesMs: 100 }],
      'far/large': [{ what: 'overloaded', retryAfterMs: 20_000, takesMs: 100 }],
    });
    expect(await run(BOTH)).toMatchObject({
      kind: 'failure',
      failure: { status: 429, reason: 'rate-limited' },
      retryAfterMs: 20_000,
    });
  });

  it('no Retry-After where nobody said', async () => {
    const { run } = scriptedChain({ 'near/small': [{ what: 'rate-limited' }] });
    const result = await run([CHEAP]);
    expect(result).toMatchObject({ failure: { status: 429 } });
    expect(result).not.toHaveProperty('retryAfterMs');
  });

  it('503 and who failed how', async () => {
    const { run } = scriptedChain({ 'near/small': [{ what: 'connect' }], 'far/large': [{ what: 'auth' }] });
    const result = await run(BOTH);
    expect(result).toMatchObject({ failure: { status: 503, reason: 'unavailable' } });
    const { message } = (result as { failure: { message: string } }).failure;
    expect(message).toContain('near/small connect; far/large auth');
    expect(message).not.toContain('the provider says');
  });

  it('where only the operator can help, no wish to come back', async () => {
    const told = async (script: Parameters<typeof scriptedChain>[0]) => {
      const result = await scriptedChain(script).run(BOTH);
      expect(result).toMatchObject({ failure: { status: 503, reason: 'unavailable' } });
      return (result as { failure: { message: string } }).failure.message;
    };
    const noKey = { what: 'no-key' as const };
    const message = await told({
      'near/small': [noKey],
      'far/large': [{ what: 'model-missing', status: 404 }],
    });
    expect(message).toContain('near/small skipped-no-key; far/large model-missing');
    expect(message).toMatch(/the server's log says why/);
    expect(message).not.toMatch(/later/);
    expect(await told({ 'near/small': [{ what: 'unmappable' }], 'far/large': [noKey] })).not.toMatch(/later/);
    expect(await told({ 'near/small': [noKey], 'far/large': [{ what: 'overloaded' }] })).toMatch(
      /Try again later/,
    );
  });

  it('stays so when breakers are open because of it, with no time at which to come back', async () => {
    const { run } = scriptedChain({ 'near/small': [{ what: 'auth', status: 401 }] });
    for (let i = 0; i < 30; i++) await run([CHEAP]);
    const result = await run([CHEAP]);
    expect(result).toMatchObject({ attempts: [{ outcome: 'skipped-open' }] });
    expect(result).toMatchObject({
      failure: { message: expect.stringMatching(/the server's log says why/) },
    });
    expect(result).not.toHaveProperty('retryAfterMs');
  });

  it('503 where there is no candidate', async () => {
    expect(await scriptedChain({}).run([])).toMatchObject({ failure: { status: 503 }, attempts: [] });
  });

  it('504 at the deadline, and no attempt after it', async () => {
    const slow = [{ what: 'answer' as const, takesMs: 4_000 }];
    const { run, asked, clock } = scriptedChain({ 'near/small': slow, 'far/large': slow });
    const start = clock.now();
    expect(await run(BOTH, 3_000)).toMatchObject({ failure: { status: 504, reason: 'deadline' } });
    expect(asked.map(({ model: name }) => name)).toEqual(['near/small']);
    expect(clock.now() - start).toBe(3_000);
  });

  it('504 at once where the deadline has passed', async () => {
    const { run, asked } = scriptedChain({ 'near/small': [{ what: 'answer' }] });
    expect(await run([CHEAP], -1)).toMatchObject({ failure: { status: 504 } });
    expect(asked).toEqual([]);
  });
});

describe('timeouts', () => {
  it('are the configured ones, and none is past the deadline', async () => {
    const { run, asked } = scriptedChain(
      {
        'near/small': [{ what: 'auth', takesMs: 580_000 }],
        'far/large': [{ what: 'answer' }],
      },
      { settings: { timeouts: { first_byte_ms: 590_000 } } },
    );
    await run(BOTH);
    expect(asked[0]?.timeouts).toEqual({
      connectMs: 5_000,
      firstByteMs: 590_000,
      idleMs: 60_000,
      totalMs: 600_000,
    });
    expect(asked[1]?.timeouts).toEqual({
      connectMs: 5_000,
      firstByteMs: 20_000,
      idleMs: 20_000,
      totalMs: 20_000,
    });
  });
});
