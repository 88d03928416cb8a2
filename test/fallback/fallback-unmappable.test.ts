import { setTimeout as pause } from 'node:timers/promises';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { ask, gatewayForTest, postRaw, QUICK_UPSTREAM } from '../gateway/running-gateway.ts';
import { CHEAP, STRONG, scriptedChain } from './fallback-script.ts';

const BOTH = [CHEAP, STRONG];

describe('a field that the chosen provider has no place for', () => {
  it('goes to the next candidate, without a retry', async () => {
    const { run, names } = scriptedChain({
      'near/small': [{ what: 'unmappable' }],
      'far/large': [{ what: 'answer' }],
    });
    expect(await run(BOTH)).toMatchObject({
      kind: 'reply',
      model: STRONG,
      attempts: [
        { model: 'near/small', outcome: 'skipped-unmappable' },
        { model: 'far/large', outcome: 'answer' },
      ],
    });
    expect(names()).toEqual(['far/large']);
  });

  it('is told as 400 where none can carry it, or where the other would be too dear', async () => {
    const script = { 'near/small': [{ what: 'unmappable' }], 'far/large': [{ what: 'unmappable' }] } as const;
    const told = { kind: 'failure', failure: { status: 400, reason: 'bad-request' } };
    expect(await scriptedChain(script).run(BOTH)).toMatchObject(told);
    const cheapOnly = scriptedChain(script, { settings: { max_fallback_price_factor: 2 } });
    expect(await cheapOnly.run(BOTH)).toMatchObject(told);
    expect(cheapOnly.names()).toEqual([]);
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
    expect(names()).toEqual(['far/large']);
  });

  it('is said of no model: no breaker opens', async () => {
    const { run, chain, names } = scriptedChain({ 'near/small': [{ what: 'unmappable' }] });
    for (let request = 0; request < 50; request++) await run([CHEAP]);
    expect(names()).toEqual([]);
    expect(chain.breakerStates().get(CHEAP.name)).toBeUndefined();
  });
});

describe('an outage, with clients whose requests cannot be mapped', () => {
  /** A container has no counterpart in OpenAI's API. */
  const UNMAPPABLE = { ...ask('Hi there', 'first/large'), container: 'c' };
  const BREAKER = { window: 2, min_attempts: 2, failure_share: 0.4, open_ms: 400 };

  async function afterAnOutage() {
    const upstream = { ...QUICK_UPSTREAM, breaker: BREAKER };
    const running = await gatewayForTest({ config: { upstream } });
    running.first.failAlways('503');
    const chat = () => postRaw(running.url, '/v1/chat/completions', ask('Hi there', 'first/large'));
    const opened = [await chat(), await chat(), await chat()];
    expect(opened.map(({ status }) => status)).toEqual([503, 503, 503]);
    running.first.failAlways(undefined);
    const unmappable = () => postRaw(running.url, '/v1/messages', UNMAPPABLE);
    return { ...running, chat, unmappable };
  }

  it('gets them their 400 while the breaker is open, and sends nothing', async () => {
    const { unmappable, first } = await afterAnOutage();
    const sent = first.requests.length;
    const refused = await unmappable();
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { details: { param: 'container' } } });
    expect(refused.headers.get('x-plimsoll-attempts')).toBe('0');
    expect(first.requests).toHaveLength(sent);
  });

  it('is over for everybody at the first probe, however many of them come', async () => {
    const { unmappable, chat } = await afterAnOutage();
    await pause(BREAKER.open_ms + 50);
    for (let request = 0; request < 5; request++) expect((await unmappable()).status).toBe(400);
    expect((await chat()).status).toBe(200);
    expect((await chat()).status).toBe(200);
  });

  it('is over too when the first request is one that the provider itself refuses', async () => {
    const { chat, url, first } = await afterAnOutage();
    await pause(BREAKER.open_ms + 50);
    first.faults.push('400');
    const refused = await postRaw(url, '/v1/chat/completions', ask('Hi there', 'first/large'));
    expect(refused.status).toBe(400);
    expect((await chat()).status).toBe(200);
  });
});

describe('the same through the gateway', () => {
  it("is carried by the candidate of the client's own dialect, unchanged", async () => {
    const ladder = { cheap: 'claude/small', strong: 'second/large' };
    const { openai, first, second, artifact } = await gatewayForTest({ config: { ladder } });
    const { data, response } = await openai.chat.completions
      .create({ ...ask(artifact.easy[0]!), logprobs: true })
      .withResponse();
    expect(data.model).toBe('large');
    expect(response.headers.get('x-plimsoll-selected')).toBe('second/large');
    expect(response.headers.get('x-plimsoll-reason')).toBe('requirements');
    expect(response.headers.get('x-plimsoll-served')).toBe('second/large');
    expect(first.requests).toEqual([]);
    expect(second.requests[0]?.body).toMatchObject({ logprobs: true });
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
