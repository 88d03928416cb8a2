import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { scratchFolder } from '../server/hot-serving.ts';
import { ask, gatewayForTest } from './running-gateway.ts';

const TAGS = { 'x-plimsoll-tags': 'Team-A, batch' };

test('tags are recorded in lower case, and neither they nor the task go to a provider', async () => {
  const file = path.join(scratchFolder(), 'decisions.jsonl');
  const running = await gatewayForTest({ config: { decision_log: { file } } });
  const headers = { ...TAGS, 'x-plimsoll-task': 'sql' };
  await running.openai.chat.completions.create(ask('Hello'), { headers });
  await running.anthropic.messages.create(ask('Hello', 'claude/small'), { headers });
  await running.openai.chat.completions.create(ask('Hello'));
  await running.close();
  const records = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  const [tagged, ofAnthropic, untagged] = records.map((line) => JSON.parse(line));
  expect([tagged.tags, ofAnthropic.tags]).toEqual([
    ['team-a', 'batch'],
    ['team-a', 'batch'],
  ]);
  expect(untagged).not.toHaveProperty('tags');
  const sent = [...running.first.requests, ...running.second.requests].flatMap(({ headers }) =>
    Object.keys(headers),
  );
  expect(sent).toContain('content-type');
  expect(sent.filter((name) => name.startsWith('x-plimsoll-'))).toEqual([]);
});

test.each([
  ['/v1/chat/completions', {}],
  ['/v1/messages', { max_tokens: 5 }],
  ['/v1beta/models/auto:generateContent', {}],
])('%s: a wrong tag is refused before a model is called, and named', async (route, more) => {
  const running = await gatewayForTest();
  const google = { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] };
  const body = route.includes('v1beta') ? google : { ...ask('Hello'), ...more };
  const response = await fetch(`${running.url}${route}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-plimsoll-tags': 'fine, not fine' },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(400);
  const { error } = (await response.json()) as { readonly error: { readonly message: string } };
  expect(error.message).toBe(
    'x-plimsoll-tags: tag 2, "not fine", is none: a tag has 1 to 64 letters, digits, dots, dashes and underscores.',
  );
  expect(running.first.requests).toEqual([]);
});

test('/v1/route takes tags from its header and its body, and says which is wrong', async () => {
  const running = await gatewayForTest();
  const route = async (path: string, body: object, headers: Record<string, string> = {}) => {
    const response = await fetch(`${running.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const fine = await route('/v1/route', { prompt: 'Hello', tags: ['Night'], task: 'SQL' }, TAGS);
  expect(fine.status).toBe(200);
  const logged = running.log.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'decided');
  expect(logged).toMatchObject({ tags: ['team-a', 'batch', 'night'], task: 'sql' });

  const wrong = await route('/v1/route', { prompt: 'Hello', tags: ['fine', 'not fine'] });
  expect(wrong).toMatchObject({ status: 400, body: { error: { param: 'tags.1' } } });
  const batch = { requests: [{ prompt: 'Hello' }, { prompt: 'Hello', tags: ['not fine'] }] };
  const inBatch = await route('/v1/route/batch', batch);
  expect(inBatch.body['decisions']).toMatchObject([{ candidate: 'cheap' }, { error: { param: 'tags.0' } }]);
  const badHeader = await route('/v1/route/batch', batch, { 'x-plimsoll-tags': ',' });
  expect(badHeader).toMatchObject({ status: 400, body: { error: { param: 'x-plimsoll-tags' } } });
});
