import { expect, test } from 'vitest';
import { gatewayForTest, KEY_VARIABLE, postRaw } from './running-gateway.ts';

const MODELS = {
  'first/small': { capabilities: ['reasoning' as const, 'tools' as const], price: { input: 1, output: 2 } },
  'first/large': {},
  'claude/small': { id: 'claude-haiku-4-5' },
  'claude/opus': { id: 'claude-opus-5' },
  'claude/large': { id: 'claude-sonnet-4-5' },
};
const MESSAGES = [{ role: 'user', content: 'What is the capital of France?' }];
const CHAT = '/v1/chat/completions';
const ROUTES = {
  [CHAT]: { messages: MESSAGES },
  '/v1/messages': { messages: MESSAGES, max_tokens: 2_000 },
  '/v1/responses': { input: 'What is the capital of France?' },
};

const start = (ladder = { cheap: 'first/small@low', strong: 'first/small@high' }) =>
  gatewayForTest({ config: { models: MODELS, ladder } });

test('two efforts of one model are two rungs, and each request gets the one that was chosen', async () => {
  const { url, first } = await start();
  const response = await postRaw(url, CHAT, { ...ROUTES[CHAT], model: 'auto' });
  const selected = String(response.headers.get('x-plimsoll-selected'));
  expect(selected).toMatch(/^first\/small@(low|high)$/);
  expect(response.headers.get('x-plimsoll-served')).toBe(selected);
  expect(first.requests.at(-1)!.body).toMatchObject({
    model: 'small',
    reasoning_effort: selected.split('@')[1],
  });
  expect(Number(response.headers.get('x-plimsoll-cost-usd'))).toBeGreaterThan(0);
});

test.each(Object.entries(ROUTES))('%s: a name with an effort sets it, in any API', async (path, body) => {
  const { url, first } = await start();
  expect((await postRaw(url, path, { ...body, model: 'first/small@high' })).status).toBe(200);
  expect(first.requests.at(-1)!.body).toMatchObject({ model: 'small', reasoning_effort: 'high' });
  expect((await postRaw(url, path, { ...body, model: 'claude/opus@low' })).status).toBe(200);
  expect(first.requests.at(-1)!.body).toMatchObject({
    model: 'claude-opus-5',
    output_config: { effort: 'low' },
    thinking: { type: 'adaptive' },
  });
});

test('the effort in the name wins over the client’s, which counts as dropped; the same one is none', async () => {
  const { url, first } = await start();
  const say = (effort: string) =>
    postRaw(url, CHAT, { ...ROUTES[CHAT], model: 'first/small@low', reasoning_effort: effort });
  expect((await say('high')).headers.get('x-plimsoll-dropped')).toBe('reasoning_effort');
  expect(first.requests.at(-1)!.body).toMatchObject({ reasoning_effort: 'low' });
  expect((await say('low')).headers.get('x-plimsoll-dropped')).toBeNull();
  const claude = {
    ...ROUTES['/v1/messages'],
    model: 'claude/opus@low',
    thinking: { type: 'disabled' },
    top_k: 3,
  };
  const response = await postRaw(url, '/v1/messages', { ...claude, output_config: { effort: 'high' } });
  expect(response.headers.get('x-plimsoll-dropped')).toBe('output_config.effort, thinking, top_k');
  expect(first.requests.at(-1)!.body).toMatchObject({ output_config: { effort: 'low' } });
  expect(first.requests.at(-1)!.body).not.toHaveProperty('top_k');
});

test('with unmappable: refuse the contradiction is a 400 that names the field', async () => {
  const { url, first } = await gatewayForTest({
    config: {
      models: MODELS,
      upstream: { unmappable: 'refuse' },
    },
  });
  const response = await postRaw(url, CHAT, {
    ...ROUTES[CHAT],
    model: 'first/small@low',
    reasoning_effort: 'high',
  });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    error: { param: 'reasoning_effort', message: expect.stringContaining('first/small@low') },
  });
  expect(first.requests).toHaveLength(0);
});

test.each([
  ['first/small@xhigh', 'takes these: low, medium, high'],
  ['first/large@low', 'first/large is not known to take an effort'],
  ['claude/small@low', 'claude/small is not known to take an effort'],
  ['first/small@hihg', 'There is no model'],
])('%s is refused: %s', async (model, why) => {
  const { url } = await start();
  const response = await postRaw(url, CHAT, { ...ROUTES[CHAT], model });
  expect(response.status).toBe(404);
  expect(await response.text()).toContain(why);
});

test('a ladder with an effort that its model does not take does not start', async () => {
  await expect(start({ cheap: 'first/small@low', strong: 'first/large@high' })).rejects.toThrow(
    /ladder\.strong: there is no model "first\/large@high".*not known to take an effort/,
  );
});

test('the models of the ladder are listed with their efforts, and a wrong order is a warning', async () => {
  const { url, log } = await start({ cheap: 'first/small@high', strong: 'first/small@low' });
  const list = (await (await fetch(`${url}/v1/models`)).json()) as { data: { id: string }[] };
  const ids = list.data.map(({ id }) => id);
  expect(ids).toEqual(expect.arrayContaining(['first/small', 'first/small@low', 'first/small@high']));
  expect(log.join('\n')).toMatch(/ladder is in another order than the prices: cheap \(first\/small@high/);
});

test('models that need no entry of their own refuse one', async () => {
  const models = { ...MODELS, 'first/small@low': {} };
  await expect(gatewayForTest({ config: { models } })).rejects.toThrow(
    /models\.first\/small@low: first\/small with the effort low needs no entry/,
  );
  const named = { ...MODELS, 'first/small@low': { id: 'small@low' } };
  const { url, first } = await gatewayForTest({ config: { models: named } });
  await postRaw(url, CHAT, { ...ROUTES[CHAT], model: 'first/small@low' });
  expect(first.requests.at(-1)!.body).toMatchObject({ model: 'small@low' });
});

test('only conversations have an effort', async () => {
  const openai = { kind: 'openai' as const, base_url: 'http://127.0.0.1:9/v1', api_key_env: KEY_VARIABLE };
  const ladder = { cheap: 'openai/gpt-6-luna', strong: 'openai/gpt-6-sol' };
  const { url } = await gatewayForTest({
    config: { providers: { openai }, models: {}, profiles: {}, ladder },
  });
  const response = await postRaw(url, '/v1/moderations', { model: 'openai/gpt-6-sol@low', input: 'x' });
  expect(response.status).toBe(400);
  expect(await response.text()).toContain('only conversations have an effort');
});
