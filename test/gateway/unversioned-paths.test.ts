import path from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { createKey } from '../../router/access/index.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { ask, gatewayForTest, postRaw } from './running-gateway.ts';

const CALLS = ['/chat/completions', '/messages', '/embeddings'];

test('the official OpenAI client works with a base URL without /v1', async () => {
  const { url, artifact } = await gatewayForTest();
  const openai = new OpenAI({ baseURL: url, apiKey: 'unused', maxRetries: 0 });
  const { data } = await openai.chat.completions.create(ask(artifact.easy[0]!)).withResponse();
  expect(data.model).toBe('small');
  await openai.chat.completions.stream(ask(artifact.easy[0]!)).finalChatCompletion();
  expect((await openai.embeddings.create({ model: 'first/embedder', input: 'one' })).data).toHaveLength(1);
  expect((await openai.models.list()).data.map(({ id }) => id)).toContain('auto');
  expect(await openai.models.retrieve('first/small')).toMatchObject({ id: 'first/small' });
  await expect(openai.chat.completions.create(ask('Hello', 'nobody'))).rejects.toMatchObject({
    status: 404,
    code: 'model_not_found',
  });
});

test('/messages answers, and refuses in the form of Anthropic', async () => {
  const { url, artifact } = await gatewayForTest();
  const whole = await postRaw(url, '/messages', ask(artifact.easy[0]!, 'auto:claude'));
  expect(await whole.json()).toMatchObject({ type: 'message', role: 'assistant' });
  for (const [body, status] of [
    [ask('Hello', 'nobody'), 404],
    [{ model: 'auto', max_tokens: 9, messages: [] }, 400],
  ] as const) {
    const refused = await postRaw(url, '/messages', body);
    expect([refused.status, await refused.json()]).toMatchObject([status, { type: 'error', error: {} }]);
  }
});

test('by Express too: with a query, a slash at the end, in capitals; another method is a 405', async () => {
  const { url, artifact } = await gatewayForTest();
  for (const written of ['/chat/completions?beta=true', '/chat/completions/', '/Chat/Completions']) {
    expect([written, (await postRaw(url, written, ask(artifact.easy[0]!))).status]).toEqual([written, 200]);
  }
  for (const call of CALLS) {
    const response = await fetch(`${url}${call}`);
    expect([call, response.status, response.headers.get('allow')]).toEqual([call, 405, 'POST']);
  }
});

test('a key is needed where one is needed with /v1, however the path is written', async () => {
  const keys = path.join(scratchFolder(), 'keys.json');
  const { key } = createKey(keys, { name: 'ci', now: new Date() });
  const { url, first, second } = await gatewayForTest({ config: { access: { keys_file: keys } } });
  const written = [
    ...CALLS,
    '/Messages',
    '/chat/completions?x=1',
    '/embeddings/',
    '/messages/',
    '/messages?beta=true',
  ];
  for (const one of written) {
    const refused = await postRaw(url, one, ask('Hello', 'first/small'));
    const error = (await refused.json()) as { type?: string };
    expect([one, refused.status]).toEqual([one, 401]);
    if (one.startsWith('/messages')) expect(error.type).toBe('error');
  }
  for (const one of ['/models', '/models/first/small', '/Models', '/models?limit=1', '//models']) {
    expect([one, (await fetch(`${url}${one}`)).status]).not.toEqual([one, 200]);
  }
  expect(first.requests.length + second.requests.length).toBe(0);
  const anthropic = new Anthropic({ baseURL: url, apiKey: key, authToken: null, maxRetries: 0 });
  expect((await anthropic.models.list()).data.length).toBeGreaterThan(0);
  expect((await postRaw(url, '/messages', ask('Hello', 'claude/small'), { 'x-api-key': key })).status).toBe(
    200,
  );
});
