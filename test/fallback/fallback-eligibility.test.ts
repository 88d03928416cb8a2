import { describe, expect, it } from 'vitest';
import { CHEAP, model, STRONG, scriptedChain } from './fallback-script.ts';

const BOTH = [CHEAP, STRONG];

describe('what another candidate can do', () => {
  const wide = model('other/wide', { contextWindow: 200_000 });
  const narrow = model('other/narrow', { contextWindow: 8_000 });
  const unknown = model('other/unknown');

  it('context-window goes to a larger window only', async () => {
    const { run, names } = scriptedChain({
      'near/small': [{ what: 'context-window', status: 400 }],
      'other/wide': [{ what: 'answer' }],
    });
    const result = await run([CHEAP, narrow, wide]);
    expect(result).toMatchObject({ kind: 'reply', model: wide });
    expect(names()).toEqual(['near/small', 'other/wide']);
    expect(result.attempts[1]).toEqual({
      model: 'other/narrow',
      kind: 'fallback',
      outcome: 'skipped-requirements',
      ms: 0,
    });
  });

  it('a window that is not known is tried', async () => {
    const { run } = scriptedChain({
      'near/small': [{ what: 'context-window' }],
      'other/unknown': [{ what: 'answer' }],
    });
    expect(await run([CHEAP, unknown])).toMatchObject({ kind: 'reply', model: unknown });
  });

  it('without a larger window the client is told the refusal', async () => {
    const { run } = scriptedChain({ 'near/small': [{ what: 'context-window', status: 400 }] });
    expect(await run([CHEAP, narrow])).toMatchObject({
      kind: 'failure',
      failure: { status: 400, reason: 'context-window', message: 'the provider says context-window' },
    });
  });

  it('a refusal after a 429 is told as the refusal: another time brings the same', async () => {
    const { run } = scriptedChain({ 'near/small': [{ what: 'rate-limited' }, { what: 'context-window' }] });
    expect(await run([CHEAP])).toMatchObject({ failure: { status: 400, reason: 'context-window' } });
  });

  it('content-filter goes to another provider only', async () => {
    const sibling = model('near/large');
    const { run, names } = scriptedChain({
      'near/small': [{ what: 'content-filter', status: 200 }],
      'far/large': [{ what: 'content-filter', status: 400 }],
    });
    const result = await run([CHEAP, sibling, STRONG]);
    expect(names()).toEqual(['near/small', 'far/large']);
    expect(result).toMatchObject({ kind: 'failure', failure: { status: 400, reason: 'content-filter' } });
  });

  it('a refusal beside an outage is told as the outage: another time the other may serve it', async () => {
    const { run } = scriptedChain({
      'near/small': [{ what: 'context-window' }],
      'far/large': [{ what: 'server-error' }],
    });
    expect(await run(BOTH)).toMatchObject({ failure: { status: 503, reason: 'unavailable' } });
  });
});

describe('price ceiling', () => {
  const settings = { max_fallback_price_factor: 9.9 };
  const script = { 'near/small': [{ what: 'auth' as const }], 'far/large': [{ what: 'answer' as const }] };

  it('skips a dearer candidate and records it', async () => {
    const { run, names } = scriptedChain(script, { settings });
    const result = await run(BOTH);
    expect(names()).toEqual(['near/small']);
    expect(result).toMatchObject({ kind: 'failure', failure: { status: 503 } });
    expect(result.attempts[1]).toEqual({
      model: 'far/large',
      kind: 'fallback',
      outcome: 'skipped-price',
      ms: 0,
    });
  });

  it('lets through what costs just as much', async () => {
    const { run } = scriptedChain(script, { settings: { max_fallback_price_factor: 10 } });
    expect(await run(BOTH)).toMatchObject({ kind: 'reply', model: STRONG });
  });

  it('below 1 does not skip the routed model itself', async () => {
    const { run, names } = scriptedChain(script, { settings: { max_fallback_price_factor: 0.5 } });
    await run(BOTH);
    expect(names()).toEqual(['near/small']);
  });

  it('skips a candidate whose price is not known', async () => {
    const { run } = scriptedChain(script, { settings });
    expect(await run([CHEAP, model('far/large')])).toMatchObject({ kind: 'failure' });
  });

  it.each([model('near/small'), model('near/small', { outputUsd: 0 })])(
    'has no measure without a price',
    async (first) => {
      const { run } = scriptedChain(script, { settings });
      expect(await run([first, STRONG])).toMatchObject({ kind: 'reply', model: STRONG });
    },
  );
});
