import { afterAll, beforeAll, expect, test } from 'vitest';
import { PRICE_TABLE } from '../../router/catalog/prices.ts';
import { type RunningGateway, startGateway } from '../gateway/running-gateway.ts';

let running: RunningGateway;
beforeAll(async () => {
  running = await startGateway();
});
afterAll(() => running.close());

const ROUTED = ['auto', 'auto:claude', 'router-default', 'router-always-strong'];

test('lists auto, the profiles, the policies that serve, and every model of a configured provider, once', async () => {
  const { data } = await running.openai.models.list();
  const ids = data.map(({ id }) => id);
  const claude = Object.keys(PRICE_TABLE['anthropic']!.models);
  expect(claude.length).toBeGreaterThan(3);
  const configured = ['first/small', 'first/large', 'first/embedder', 'second/large', 'claude/small'];
  const ofTable = claude.flatMap((id) => [`claude/${id}`, `claude2/${id}`]);
  expect(ids).toEqual(expect.arrayContaining([...ROUTED, ...configured, ...ofTable]));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => /^(openai|google|mistral)\/|always-cheap/.test(id))).toEqual([]);
});

test.each(['auto', 'auto:claude', 'router-default', 'first/small'])(
  'models.retrieve(%s), OpenAI',
  async (id) => {
    const owned_by = id.startsWith('first/') ? 'first' : 'plimsoll';
    expect(await running.openai.models.retrieve(id)).toMatchObject({
      id,
      object: 'model',
      created: 0,
      owned_by,
    });
  },
);

test('models.retrieve, Anthropic: the size of the context if it is known', async () => {
  const unknown = {
    type: 'model',
    created_at: '1970-01-01T00:00:00.000Z',
    max_input_tokens: null,
    max_tokens: null,
    capabilities: null,
    line: null,
    lifecycle: 'active',
    deprecated_at: null,
    retires_at: null,
  };
  const { anthropic } = running;
  const auto = await anthropic.models.retrieve('auto:claude');
  expect(auto).toMatchObject({ ...unknown, id: 'auto:claude', display_name: 'auto:claude' });
  const { contextWindow, maxOutputTokens } = PRICE_TABLE['anthropic']!.models['claude-haiku-4-5']!;
  expect(await anthropic.models.retrieve('claude/small')).toMatchObject({
    id: 'claude/small',
    max_input_tokens: contextWindow,
    max_tokens: maxOutputTokens,
    capabilities: {
      batch: { supported: true },
      effort: { supported: true, high: { supported: true }, max: { supported: false } },
      image_input: { supported: true },
      structured_outputs: { supported: true },
      thinking: { supported: true, types: { enabled: { supported: true } } },
    },
  });
});

test.each(['first/small', 'first%2Fsmall', 'first%2fsmall'])('an id as %s in the path', async (written) => {
  const answer = await fetch(`${running.url}/v1/models/${written}`);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ id: 'first/small' });
});

test('an id that there is not: 404 in both forms, with the nearest', async () => {
  const { openai, anthropic } = running;
  const message = expect.stringContaining('There is no model "first/smal". The nearest is "first/small".');
  const error = { message, type: 'invalid_request_error', param: 'model', code: 'model_not_found' };
  await expect(openai.models.retrieve('first/smal')).rejects.toMatchObject({ status: 404, error });
  await expect(anthropic.models.retrieve('first/smal')).rejects.toMatchObject({
    status: 404,
    error: { type: 'error', error: { type: 'not_found_error', message } },
  });
  expect((await fetch(`${running.url}/v1/models/%E0%A4%A`)).status).toBe(400);
});

test('Anthropic’s pages hold each model once, forwards and backwards', async () => {
  const { anthropic, openai } = running;
  const all = (await openai.models.list()).data.map(({ id }) => id);
  const whole = await anthropic.models.list();
  expect([whole.has_more, whole.first_id, whole.last_id]).toEqual([false, all[0], all.at(-1)]);
  const forwards: string[] = [];
  for await (const { id } of anthropic.models.list({ limit: 3 })) forwards.push(id);
  expect(forwards).toEqual(all);
  const pages: string[][] = [];
  for await (const page of (await anthropic.models.list({ limit: 3, before_id: all.at(-1)! })).iterPages()) {
    pages.unshift(page.data.map(({ id }) => id));
  }
  expect(pages.length).toBeGreaterThan(2);
  expect(pages.flat()).toEqual(all.slice(0, -1));
});

test.each([
  [{ limit: 0 }, 'limit'],
  [{ limit: 1.5 }, 'limit'],
  [{ after_id: 'nobody' }, 'after_id'],
  [{ before_id: 'nobody' }, 'before_id'],
])('a page %o is refused', async (query, param) => {
  await expect(running.anthropic.models.list(query)).rejects.toMatchObject({
    status: 400,
    error: { error: { type: 'invalid_request_error', details: { param } } },
  });
});

test('405 names the path that was asked for', async () => {
  const refused = await fetch(`${running.url}/v1/models/first/small?limit=1`, { method: 'DELETE' });
  expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
  const message = '/v1/models/first/small answers GET, HEAD, POST, not DELETE.';
  expect(await refused.json()).toMatchObject({ error: { code: 'method_not_allowed', message } });
});

test('the index names both forms of the path', async () => {
  const { routes } = (await (await fetch(running.url)).json()) as { routes: { path: string }[] };
  expect(routes.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['/v1/chat/completions', '/v1/models', '/v1/models/{id}', '/metrics']),
  );
});
