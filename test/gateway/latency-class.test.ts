import { expect, test } from 'vitest';
import { ask, gatewayForTest, postRaw, QUICK_UPSTREAM } from './running-gateway.ts';

/** The tiny artifact learned from other models than those: `none` if a choice is lowered. */
const UNTOUCHED = 'stale';

/** By the catalog: small takes 0.1 s + 1,000 x 50 ms = 50.1 s, large 0.1 s + 1,000 x `perTokenMs`. */
function models(perTokenMs: number) {
  const latency = (per_token_ms: number) => ({ latency: { first_token_ms: 100, per_token_ms } });
  return { 'first/small': latency(50), 'first/large': latency(perTokenMs) };
}

async function inFront(latency: object, perTokenMs = 2) {
  const running = await gatewayForTest({
    config: { latency, models: models(perTokenMs), profiles: {}, upstream: QUICK_UPSTREAM },
  });
  const [easy = ''] = running.artifact.easy;
  const [hard = ''] = running.artifact.hard;
  const routed = async (prompt: string, more: object = {}) => {
    const response = await postRaw(running.url, '/v1/chat/completions', { ...ask(prompt), ...more });
    await response.text();
    const header = (name: string) => response.headers.get(`x-plimsoll-${name}`);
    return [header('served'), header('reason'), header('verdict')];
  };
  return { ...running, routed, easy, hard };
}

const INTERACTIVE = { class: 'interactive', max_expected_ms: 5_000 };

test('balanced: how slow a candidate is does not matter', async () => {
  const { routed, easy } = await inFront({});
  expect(await routed(easy)).toEqual(['first/small', 'within-threshold', UNTOUCHED]);
});

test('interactive: a slow choice goes to a quick stronger candidate, and the verdict stays', async () => {
  const { routed, easy, hard } = await inFront(INTERACTIVE);
  expect(await routed(easy)).toEqual(['first/large', 'latency', UNTOUCHED]);
  expect(await routed(hard)).toEqual(['first/large', 'over-threshold', UNTOUCHED]);
});

test('interactive: a request that allows a short answer only is quick enough', async () => {
  const { routed, easy } = await inFront(INTERACTIVE);
  expect(await routed(easy, { max_tokens: 50 })).toEqual(['first/small', 'within-threshold', UNTOUCHED]);
});

test('interactive: if nothing is quick the choice stays', async () => {
  const { routed, easy } = await inFront(INTERACTIVE, 60);
  expect(await routed(easy)).toEqual(['first/small', 'within-threshold', UNTOUCHED]);
});

test('interactive: only with when_slow: lower a slow strong choice goes down, and the decision says so', async () => {
  const slowStrong = (when_slow: string) => ({ ...INTERACTIVE, max_expected_ms: 55_000, when_slow });
  const kept = await inFront(slowStrong('keep'), 60);
  expect(await kept.routed(kept.hard)).toEqual(['first/large', 'over-threshold', UNTOUCHED]);
  const lowered = await inFront(slowStrong('lower'), 60);
  expect(await lowered.routed(lowered.hard)).toEqual(['first/small', 'latency', 'none']);
});

test('interactive: what is measured counts, not what the catalog says', async () => {
  const { routed, easy, openai, gateway } = await inFront(INTERACTIVE);
  const request = { ...ask('Hello', 'first/small'), stream_options: { include_usage: true } };
  for (let i = 0; i < 11; i++)
    for await (const _ of await openai.chat.completions.create({ ...request, stream: true }));
  await gateway.metrics.exposition();
  expect(await routed(easy)).toEqual(['first/small', 'within-threshold', UNTOUCHED]);
});

test('a profile has its own class, and the others keep that of the configuration', async () => {
  const profiles = {
    chat: { latency: INTERACTIVE },
    nightly: { extends: 'chat', latency: { class: 'batch' } },
  };
  const { url, artifact } = await gatewayForTest({
    config: { models: models(2), profiles, upstream: QUICK_UPSTREAM } as object,
  });
  const served = async (model: string) => {
    const response = await postRaw(url, '/v1/chat/completions', ask(artifact.easy[0]!, model));
    await response.text();
    return [response.headers.get('x-plimsoll-served'), response.headers.get('x-plimsoll-reason')];
  };
  expect(await served('auto')).toEqual(['first/small', 'within-threshold']);
  expect(await served('auto:chat')).toEqual(['first/large', 'latency']);
  expect(await served('auto:nightly')).toEqual(['first/small', 'within-threshold']);
});

test('batch: the chosen candidate is waited for, where others would be called', async () => {
  const retry = { max_retries: 1, initial_wait_ms: 1, max_wait_ms: 5 };
  const served = async (latency: object) => {
    const { first, openai, artifact } = await gatewayForTest({
      config: { latency, upstream: { ...QUICK_UPSTREAM, retry } },
    });
    first.faults.push('429', '429', '429');
    const { response } = await openai.chat.completions.create(ask(artifact.easy[0]!)).withResponse();
    return [response.headers.get('x-plimsoll-served'), response.headers.get('x-plimsoll-attempts')];
  };
  expect(await served({})).toEqual(['first/large', '4']);
  expect(await served({ class: 'batch' })).toEqual(['first/small', '4']);
});
