import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { ask, gatewayForTest } from '../gateway/running-gateway.ts';
import { CHEAP, STRONG, scriptedChain } from './chain-script.ts';

const BOTH = [CHEAP, STRONG];

describe('a field that the chosen provider has no place for', () => {
  it('goes to the next candidate, without a retry', async () => {
    const { run, names } = scriptedChain({
      'near/small': [{ what: 'unmappable' }],
      'far/large': [{ what: 'answer' }],
    });
    expect(await run(BOTH)).toMatchObject({ kind: 'answer', model: STRONG });
    expect(names()).toEqual(['near/small', 'far/large']);
  });

  it('is told as 400 where none can carry it, or where the other would be too dear', async () => {
    const script = { 'near/small': [{ what: 'unmappable' }], 'far/large': [{ what: 'unmappable' }] } as const;
    const told = { kind: 'failure', failure: { status: 400, reason: 'bad-request' } };
    expect(await scriptedChain(script).run(BOTH)).toMatchObject(told);
    const cheapOnly = scriptedChain(script, { settings: { max_fallback_price_factor: 2 } });
    expect(await cheapOnly.run(BOTH)).toMatchObject(told);
    expect(cheapOnly.names()).toEqual(['near/small']);
  });

  it('is told as the outage where who could carry it is down: another time it may serve', async () => {
    const { run } = scriptedChain({
      'near/small': [{ what: 'unmappable' }],
      'far/large': [{ what: 'server-error' }],
    });
    expect(await run(BOTH)).toMatchObject({ failure: { status: 503, reason: 'unavailable' } });
  });

  it("ends with the provider's own 400 where that one was asked", async () => {
    const { run, names } = scriptedChain({
      'near/small': [{ what: 'unmappable' }],
      'far/large': [{ what: 'bad-request', status: 422 }],
    });
    expect(await run([...BOTH, CHEAP])).toMatchObject({ failure: { status: 422, reason: 'bad-request' } });
    expect(names()).toEqual(['near/small', 'far/large']);
  });

  it('is said of no model: no breaker opens', async () => {
    const { run, chain, names } = scriptedChain({ 'near/small': [{ what: 'unmappable' }] });
    for (let request = 0; request < 50; request++) await run([CHEAP]);
    expect(names()).toHaveLength(50);
    expect(chain.breakerStates().get(CHEAP.name)).toBe('closed');
  });
});

describe('the same through the gateway', () => {
  it("is carried by the candidate of the client's own dialect, unchanged", async () => {
    const ladder = { cheap: 'claude/small', strong: 'second/large' };
    const { openai, first, second, artifact } = await gatewayForTest({ config: { ladder } });
    const { data, response } = await openai.chat.completions
      .create({ ...ask(artifact.easy[0]!), logit_bias: { 50256: -100 } })
      .withResponse();
    expect(data.model).toBe('large');
    expect(response.headers.get('x-plimsoll-selected')).toBe('claude/small');
    expect(response.headers.get('x-plimsoll-served')).toBe('second/large');
    expect(first.requests).toEqual([]);
    expect(second.requests[0]?.body).toMatchObject({ logit_bias: { 50256: -100 } });
  });

  it('is a 400 that names the field where no candidate speaks the dialect', async () => {
    const ladder = { cheap: 'claude/small', strong: 'claude2/large' };
    const { openai, first, second, artifact } = await gatewayForTest({ config: { ladder } });
    const asked = openai.chat.completions.create({ ...ask(artifact.easy[0]!), n: 2 });
    const error = await asked.catch((thrown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ status: 400, param: 'n', code: 'unmappable_field' });
    expect([...first.requests, ...second.requests]).toEqual([]);
  });
});
