import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { GoogleGenAI } from '@google/genai';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { readinessSchema } from '../../router/openapi/decision-schemas.ts';
import { type FakeProvider, startFakeProvider } from '../../scripts/fake-provider/server.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { rawProvider } from './raw-provider.ts';
import { ask, clientsOf, gatewayForTest, KEY_VARIABLE, postRaw, UPSTREAM_KEY } from './running-gateway.ts';

const AT_GOOGLE = 'v1/projects/my-project/locations/europe-west1/publishers';

let provider: FakeProvider;
let folder: string;
let tokenFile: string;
beforeAll(async () => {
  provider = await startFakeProvider({ apiKey: UPSTREAM_KEY, strict: true });
  folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-platforms-'));
  tokenFile = path.join(folder, 'token');
  writeFileSync(tokenFile, `${UPSTREAM_KEY}\n`);
});
afterAll(async () => {
  await provider.close();
  rmSync(folder, { recursive: true });
});

interface Wished {
  readonly token?: string | undefined;
  readonly origin?: string;
  readonly azureToken?: string;
}

async function onPlatforms(wished: Wished = {}) {
  const { token, origin, azureToken } = { token: tokenFile, ...wished };
  const at = origin ?? new URL(provider.url).origin;
  const google = { project: 'my-project', location: 'europe-west1', base_url: `${at}/v1`, token_file: token };
  const running = await gatewayForTest({
    config: {
      ladder: { cheap: 'azure/my-deployment', strong: 'vertex/flash' },
      providers: {
        azure: {
          kind: 'azure',
          base_url: `${at}/openai/v1/`,
          ...(azureToken ? { token_file: azureToken } : { api_key_env: KEY_VARIABLE }),
        },
        vertex: { kind: 'vertex', ...google },
        claude: { kind: 'vertex-anthropic', ...google },
      },
      models: {
        'azure/my-deployment': {},
        'vertex/flash': { id: 'gemini-2.5-flash' },
        'claude/haiku': { id: 'claude-haiku-4-5@20251001', price: { input: 1, output: 5 } },
      },
      profiles: {},
    },
  });
  return { ...running, ...clientsOf(running.url) };
}

const last = () => provider.requests.at(-1)!;
const MODELS = ['azure/my-deployment', 'vertex/flash', 'claude/haiku'];
const PATHS: Readonly<Record<string, RegExp>> = {
  'azure/my-deployment': /^\/openai\/v1\/chat\/completions$/,
  'vertex/flash': new RegExp(
    `^/${AT_GOOGLE}/google/models/gemini-2\\.5-flash:(streamG|g)enerateContent(\\?alt=sse)?$`,
  ),
  'claude/haiku': new RegExp(
    `^/${AT_GOOGLE}/anthropic/models/claude-haiku-4-5@20251001:(streamRawP|rawP)redict$`,
  ),
};
const TOOL = { name: 'look_up', description: 'Looks up a word.' };
const SCHEMA = { type: 'object' as const, properties: { word: { type: 'string' } }, required: ['word'] };

test.each(MODELS)('%s for OpenAI’s client: text, a stream, a tool', async (model) => {
  const { openai } = await onPlatforms();
  const reply = await openai.chat.completions.create(ask('Hello', model));
  expect(reply.choices[0]?.message.content).toMatch(/\w/);
  expect(last().path).toMatch(PATHS[model]!);
  let text = '';
  for await (const { choices } of await openai.chat.completions.create({
    ...ask('Hello', model),
    stream: true,
  }))
    text += choices[0]?.delta.content ?? '';
  expect(text).toMatch(/\w/);
  expect(last().path).toMatch(PATHS[model]!);
  const called = await openai.chat.completions.create({
    ...ask('What is a plimsoll?', model),
    tools: [{ type: 'function', function: { ...TOOL, parameters: SCHEMA } }],
    tool_choice: 'required',
  });
  expect(called.choices[0]?.message.tool_calls).toMatchObject([{ function: { name: 'look_up' } }]);
});

test.each(MODELS)('%s for Anthropic’s client: text, a stream, a tool', async (model) => {
  const { anthropic } = await onPlatforms();
  const reply = await anthropic.messages.create(ask('Hello', model));
  expect(reply.content).toMatchObject([{ type: 'text' }]);
  expect(last().path).toMatch(PATHS[model]!);
  const streamed = await anthropic.messages.stream(ask('Hello', model)).finalMessage();
  expect(streamed.content).toMatchObject([{ type: 'text' }]);
  const called = await anthropic.messages.create({
    ...ask('What is a plimsoll?', model),
    tools: [{ ...TOOL, input_schema: SCHEMA }],
    tool_choice: { type: 'any' },
  });
  expect(called.content).toMatchObject([{ type: 'tool_use', name: 'look_up' }]);
});

test('Azure gets the client’s bytes with the deployment’s name and its key in api-key, in both of OpenAI’s APIs', async () => {
  const { url, openai } = await onPlatforms();
  await postRaw(url, '/v1/chat/completions', {
    ...ask('Hello', 'azure/my-deployment'),
    future_field: undefined,
    seed: 7,
  });
  expect(last().body).toEqual({
    ...ask('Hello', 'my-deployment'),
    max_tokens: undefined,
    max_completion_tokens: 1_000,
    seed: 7,
  });
  expect(last().headers).toMatchObject({ 'api-key': UPSTREAM_KEY });
  expect(last().headers['authorization']).toBeUndefined();
  const response = await openai.responses.create({ model: 'azure/my-deployment', input: 'Hello' });
  expect(response.output_text).toMatch(/\w/);
  expect([last().path, last().body['model']]).toEqual(['/openai/v1/responses', 'my-deployment']);
  const embedded = await openai.embeddings.create({ model: 'azure/my-deployment', input: 'x' });
  expect(embedded.data).toHaveLength(1);
});

test('Azure with a token of Entra: as a bearer token, read again when the file changes', async () => {
  const file = path.join(scratchFolder(), 'entra');
  writeFileSync(file, 'expired-token');
  const { url } = await onPlatforms({ azureToken: file });
  const chat = () => postRaw(url, '/v1/chat/completions', ask('Hello', 'azure/my-deployment'));
  expect((await chat()).status).toBe(503);
  expect(last().headers['api-key']).toBeUndefined();
  writeFileSync(file, UPSTREAM_KEY);
  expect((await chat()).status).toBe(200);
  expect(last().headers['authorization']).toBe(`Bearer ${UPSTREAM_KEY}`);
  writeFileSync(file, 'two words');
  const refused = await chat();
  expect(refused.status).toBe(503);
  const text = await refused.text();
  expect(text).toContain(`the file ${file} holds no token`);
  expect(text).not.toContain('two words');
});

test('the first chunk of Azure’s streams, which has no choice but results of its filter, is no failure', async () => {
  const chunk = (fields: object) =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', ...fields })}\n\n`;
  const azure = await rawProvider(() => ({
    headers: { 'content-type': 'text/event-stream' },
    body:
      chunk({ choices: [], prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }] }) +
      chunk({ choices: [{ index: 0, delta: { role: 'assistant', content: 'Hi' } }] }) +
      chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }) +
      'data: [DONE]\n\n',
  }));
  const { openai, anthropic } = await onPlatforms({ origin: new URL(azure.url).origin });
  let text = '';
  for await (const { choices } of await openai.chat.completions.create({
    ...ask('Hello', 'azure/my-deployment'),
    stream: true,
  }))
    text += choices[0]?.delta.content ?? '';
  expect(text).toBe('Hi');
  const mapped = await anthropic.messages.stream(ask('Hello', 'azure/my-deployment')).finalMessage();
  expect(mapped.content).toMatchObject([{ type: 'text', text: 'Hi' }]);
});

test('Claude on Vertex gets the client’s own body, without its model and with the version', async () => {
  const { url } = await onPlatforms();
  const body = {
    ...ask('Hello', 'claude/haiku'),
    system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
    metadata: { user_id: 'u' },
  };
  const headers = { 'anthropic-version': '2023-06-01', 'anthropic-beta': 'context-management-2025-06-27' };
  const response = await postRaw(url, '/v1/messages', body, headers);
  expect(response.status).toBe(200);
  expect(response.headers.get('x-plimsoll-cost-usd')).toMatch(/^0\.0/);
  const { model: _, ...rest } = body;
  expect(last().body).toEqual({ ...rest, anthropic_version: 'vertex-2023-10-16' });
  expect(last().headers).toMatchObject({
    authorization: `Bearer ${UPSTREAM_KEY}`,
    'anthropic-beta': headers['anthropic-beta'],
  });
  expect(last().headers['x-api-key']).toBeUndefined();
  expect(last().headers['anthropic-version']).toBeUndefined();
});

test('tokens for Claude on Vertex are counted by its own counter', async () => {
  const { anthropic } = await onPlatforms();
  const { model: _, ...body } = ask('Hello', 'claude/haiku');
  const { max_tokens: __, ...counted } = body;
  expect(
    (await anthropic.messages.countTokens({ ...counted, model: 'claude/haiku' })).input_tokens,
  ).toBeGreaterThan(0);
  expect(last().path).toBe(`/${AT_GOOGLE}/anthropic/models/count-tokens:rawPredict`);
  expect(last().body).toMatchObject({
    model: 'claude-haiku-4-5@20251001',
    anthropic_version: 'vertex-2023-10-16',
  });
});

test('Gemini on Vertex gets the bytes of Google’s client, and a bearer token', async () => {
  const { url } = await onPlatforms();
  const ai = new GoogleGenAI({ apiKey: 'unused', httpOptions: { baseUrl: url } });
  expect((await ai.models.generateContent({ model: 'vertex/flash', contents: 'Hello' })).text).toMatch(/\w/);
  expect(last().path).toBe(`/${AT_GOOGLE}/google/models/gemini-2.5-flash:generateContent`);
  expect(last().headers).toMatchObject({ authorization: `Bearer ${UPSTREAM_KEY}` });
  expect(last().headers['x-goog-api-key']).toBeUndefined();
});

test('what a platform lacks is refused or not listed: files of Anthropic, embeddings, models that nobody deployed', async () => {
  const { url, openai } = await onPlatforms();
  const refused = await fetch(`${url}/v1/files`, { headers: { 'anthropic-version': '2023-06-01' } });
  expect(refused.status).toBe(400);
  await expect(openai.embeddings.create({ model: 'vertex/flash', input: 'x' })).rejects.toMatchObject({
    status: 400,
  });
  const { data } = await openai.models.list();
  expect(data.map(({ id }) => id).filter((id) => id.includes('/'))).toEqual(expect.arrayContaining(MODELS));
  expect(data.filter(({ id }) => id.includes('/'))).toHaveLength(MODELS.length);
});

test('a token file that is not there: degraded, and the error names it', async () => {
  const { url } = await onPlatforms({ token: '/nowhere/token' });
  const refused = await postRaw(url, '/v1/chat/completions', ask('Hello', 'claude/haiku'));
  expect(refused.status).toBe(503);
  expect(await refused.text()).toContain('the token file /nowhere/token cannot be read (ENOENT)');
  const ready = readinessSchema.parse(await (await fetch(`${url}/readyz`)).json());
  expect(ready.status).toBe('degraded');
  expect(ready.troubles.join()).toContain('/nowhere/token');
});

test('without a token file: Google’s own credentials, here of a metadata server, once until they expire', async () => {
  const asked: string[] = [];
  const metadata = createServer((request, response) => {
    asked.push(String(request.url));
    const body = request.url?.includes('/token')
      ? JSON.stringify({ access_token: UPSTREAM_KEY, expires_in: 3_600, token_type: 'Bearer' })
      : 'default';
    response.writeHead(200, { 'metadata-flavor': 'Google', 'content-type': 'application/json' }).end(body);
  });
  await new Promise<void>((resolve) => metadata.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void metadata.close());
  vi.stubEnv('GCE_METADATA_HOST', `127.0.0.1:${(metadata.address() as AddressInfo).port}`);
  vi.stubEnv('METADATA_SERVER_DETECTION', 'assume-present');
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', undefined);
  vi.stubEnv('HOME', scratchFolder());
  onTestFinished(() => void vi.unstubAllEnvs());
  const { openai, anthropic, log } = await onPlatforms({ token: undefined });
  await anthropic.messages.create(ask('Hello', 'claude/haiku'));
  await openai.chat.completions.create(ask('Hello', 'vertex/flash'));
  expect(last().headers).toMatchObject({ authorization: `Bearer ${UPSTREAM_KEY}` });
  expect(asked.filter((url) => url.includes('/token'))).toHaveLength(1);
  expect(log.join('')).not.toContain(UPSTREAM_KEY);
});

test('without any credentials of Google’s: nothing is sent, and the error says what to set', async () => {
  vi.resetModules();
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '/nowhere/service-account.json');
  onTestFinished(() => void vi.unstubAllEnvs());
  const { createCredentials } = await import('../../router/exchange/credentials.ts');
  const google = {
    name: 'vertex',
    kind: 'google',
    platform: 'vertex',
    baseUrl: 'http://127.0.0.1:9',
    apiKeyEnv: undefined,
    headers: {},
    passHeaders: [],
    dialects: [],
  } as const;
  expect(await createCredentials(process.env)(google)).toEqual({
    missing: expect.stringMatching(
      /^there are no credentials of Google's cloud: set GOOGLE_APPLICATION_CREDENTIALS/,
    ),
  });
});
