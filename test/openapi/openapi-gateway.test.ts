import path from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { z } from 'zod';
import { createKey } from '../../router/access/index.ts';
import { GATEWAY_SCHEMAS, LISTING_SCHEMAS } from '../../router/openapi/gateway-schemas.ts';
import { ask, gatewayForTest, type RunningGateway, startGateway } from '../gateway/running-gateway.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { type Answer, get, post, serving } from '../server/serving.ts';

const SCHEMAS = { ...GATEWAY_SCHEMAS, ...LISTING_SCHEMAS };

const CALLS = ['/v1/chat/completions', '/v1/messages', '/v1/embeddings'];
const REFUSALS = ['400', '404', '408', '413', '415', '429', '431', '500', '502', '503', '504'];

let running: RunningGateway;
let document: Answer['body'];

beforeAll(async () => {
  running = await startGateway({ config: { gateway: { max_body_bytes: 2_048 } } });
  document = (await get(`${running.url}/openapi.json`)).body;
});
afterAll(() => running.close());

/** A gateway with a key, and its document. */
async function guardedGateway() {
  const file = path.join(scratchFolder(), 'keys.json');
  const { key } = createKey(file, { name: 'test', now: new Date() });
  const { url } = await gatewayForTest({ config: { access: { keys_file: file } } });
  return { url, key, document: (await get(`${url}/openapi.json`)).body };
}

async function isValid(body: Answer['body']): Promise<boolean> {
  const { valid, errors } = await new Validator().validate(body);
  expect(errors).toBeUndefined();
  const named = [...JSON.stringify(body).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
    ([, name]) => name!,
  );
  for (const name of named) expect(body.components.schemas).toHaveProperty(name);
  return valid && named.length > 0;
}

/** Every operation of a document, as `[path, operation]`. */
const FEEDBACK = '/v1/feedback';
const SIGNED = '/v1/people/{people}/messages';

function operations({ paths }: Answer['body']): [string, Answer['body']][] {
  return Object.entries<object>(paths).flatMap(([path, item]) =>
    Object.values(item).map((operation): [string, Answer['body']] => [path, operation]),
  );
}

test('is valid, and has every route of the index, once each by its operationId', async () => {
  expect(await isValid(document)).toBe(true);
  const { routes } = (await get(running.url)).body;
  expect(routes.length).toBeGreaterThan(10);
  for (const { method, path } of routes) {
    expect(document.paths[path]).toHaveProperty(method.toLowerCase());
  }
  const ids = operations(document).map(([, { operationId }]) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
});

test('every call says what it reads, lets other fields through, and how it may be refused', () => {
  for (const path of CALLS) {
    const { requestBody, responses } = document.paths[path].post;
    const name = requestBody.content['application/json'].schema.$ref.split('/').at(-1);
    const schema = document.components.schemas[name];
    expect([path, schema.additionalProperties]).toEqual([path, {}]);
    expect(schema.required).toContain('model');
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(['200', ...REFUSALS]));
    const streams = 'text/event-stream' in responses[200].content;
    expect([path, streams]).toEqual([path, path !== '/v1/embeddings']);
  }
  const { ChatRequest, MessagesRequest } = document.components.schemas;
  for (const field of ['model', 'messages', 'stream', 'tools']) {
    expect(ChatRequest.properties).toHaveProperty(field);
    expect(MessagesRequest.properties).toHaveProperty(field);
  }
});

test('without keys it asks for none; without providers it has no gateway', async () => {
  expect(document.components).not.toHaveProperty('securitySchemes');
  for (const [route, operation] of operations(document)) {
    expect(operation).not.toHaveProperty('security');
    // A wrong token for feedback is refused as a wrong key would be.
    if (route !== FEEDBACK) expect(operation.responses).not.toHaveProperty('401');
  }
  const deciding = await serving();
  const { body } = await get(`${deciding.url}/openapi.json`);
  for (const path of CALLS) expect([path, body.paths[path]]).toEqual([path, undefined]);
  expect(body.components.schemas).not.toHaveProperty('ChatRequest');
  expect(await isValid(body)).toBe(true);
  await deciding.close();
});

test('every operation says which pages and hosts are refused, as the server does', async () => {
  const { url, document: guarded } = await guardedGateway();
  const foreign = { origin: 'https://elsewhere.example' };
  const cases: [string, Answer['body'], string[]][] = [
    [running.url, document, ['403', '421']],
    [url, guarded, []],
  ];
  for (const [base, described, refusals] of cases) {
    for (const [route, { responses, security }] of operations(described)) {
      const documented = Object.keys(responses).filter((status) => status === '403' || status === '421');
      expect([route, documented]).toEqual([route, security === undefined ? refusals : ['403']]);
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(['408', '431']));
      const method = 'post' in described.paths[route] ? 'POST' : 'GET';
      const { status } = await fetch(base + route.replace('{id}', 'auto'), { method, headers: foreign });
      expect([route, status === 403]).toEqual([route, documented.includes('403') && security === undefined]);
    }
  }
});

test('with keys: what they guard is documented and guarded; the rest stays open', async () => {
  const { url, document: guarded } = await guardedGateway();
  expect(await isValid(guarded)).toBe(true);
  expect(guarded.components.securitySchemes).toMatchObject({
    bearer: { type: 'http', scheme: 'bearer' },
    apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
  });
  const feedback = guarded.paths[FEEDBACK].post;
  expect(feedback.security).toEqual([{ bearer: [] }, { apiKey: [] }, {}]); // or a token in its body
  for (const [route, { security, responses }] of operations(guarded)) {
    if (route === FEEDBACK || route === SIGNED) continue;
    const method = 'post' in guarded.paths[route] ? 'POST' : 'GET';
    const { status } = await fetch(`${url}${route.replace('{id}', 'auto')}`, { method });
    const open = status !== 401;
    expect([route, security]).toEqual([route, open ? undefined : [{ bearer: [] }, { apiKey: [] }]]);
    expect([route, '401' in responses, '403' in responses]).toEqual([route, !open, !open]);
  }
});

test.each(['bearer', 'apiKey'])('a key is taken as the scheme %s says', async (scheme) => {
  const { url, key } = await guardedGateway();
  const headers: Record<string, string> =
    scheme === 'bearer' ? { authorization: `Bearer ${key}` } : { 'x-api-key': key };
  expect((await fetch(`${url}/v1/models`, { headers })).status).toBe(200);
});

const CLAUDE = { 'anthropic-version': '2023-06-01' };

test.each<[number, string, string, unknown]>([
  [200, 'ChatAnswer', '/v1/chat/completions', ask('Hello')],
  [200, 'MessagesAnswer', '/v1/messages', ask('Hello', 'auto:claude')],
  [200, 'EmbeddingsAnswer', '/v1/embeddings', { model: 'first/embedder', input: 'one' }],
  [400, 'OpenAIError', '/v1/chat/completions', ask('Hello', 'router-default-0.2')],
  [404, 'OpenAIError', '/v1/chat/completions', ask('Hello', 'gpt-4o')],
  [400, 'AnthropicError', '/v1/messages', ask('Hello', 'router-default-0.2')],
  [404, 'AnthropicError', '/v1/messages', ask('Hello', 'gpt-4o')],
  [404, 'OpenAIError', '/v1/embeddings', { model: 'first/nobody', input: 'one' }],
  [404, 'AnthropicError', '/v1/messages', ask('Hello', 'first/nobody')],
  [413, 'OpenAIError', '/v1/chat/completions', ask('long '.repeat(2_000))],
  [413, 'AnthropicError', '/v1/messages', ask('long '.repeat(2_000))],
])('%i %s as the document says: POST %s', async (status, schema, route, body) => {
  const answer = await post(`${running.url}${route}`, body, CLAUDE);
  const { $ref, ...inline } = document.paths[route].post.responses[String(status)];
  const described = $ref === undefined ? inline : document.components.responses[$ref.split('/').at(-1)];
  expect(answer.status).toBe(status);
  expect(described.content['application/json'].schema.$ref).toBe(`#/components/schemas/${schema}`);
  (SCHEMAS as Record<string, z.ZodType>)[schema]!.parse(answer.body);
  const story = [...answer.headers.keys()].filter((name) => name.startsWith('x-plimsoll-'));
  expect(story.length > 0).toBe(status === 200);
  for (const name of story) expect(described.headers).toHaveProperty(name);
});

test.each<[string, Record<string, string>, string]>([
  ['/v1/models', {}, 'OpenAIModelList'],
  ['/v1/models', CLAUDE, 'AnthropicModelList'],
  ['/v1/models/claude/small', {}, 'OpenAIModel'],
  ['/v1/models/claude/small', CLAUDE, 'AnthropicModel'],
])('GET %s with %o is as the document says', async (route, headers, schema) => {
  const { body } = await get(`${running.url}${route}`, { headers });
  const { responses } = document.paths[route.replace(/models\/.*/, 'models/{id}')].get;
  expect(responses[200].content['application/json'].schema.anyOf).toContainEqual({
    $ref: `#/components/schemas/${schema}`,
  });
  (SCHEMAS as Record<string, z.ZodType>)[schema]!.parse(body);
});
