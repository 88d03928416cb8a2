import path from 'node:path';
import { ApiError, FunctionCallingConfigMode, GoogleGenAI, Type } from '@google/genai';
import { expect, test } from 'vitest';
import { createKey } from '../../router/access/index.ts';
import { rawProvider } from '../gateway/raw-provider.ts';
import {
  gatewayForTest,
  KEY_VARIABLE,
  postRaw,
  UPSTREAM_KEY,
  type Wishes,
} from '../gateway/running-gateway.ts';
import { scratchFolder } from '../server/hot-serving.ts';

/** The official client with nothing changed but the base URL. */
function googleClient(url: string, apiKey = 'unused-on-loopback') {
  return new GoogleGenAI({ apiKey, httpOptions: { baseUrl: url, retryOptions: { attempts: 1 } } });
}

async function served(wishes: Wishes = {}) {
  const running = await gatewayForTest(wishes);
  return { ...running, ai: googleClient(running.url) };
}

const MODELS = ['auto', 'auto:claude', 'first/small', 'claude/small'];
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

test.each(MODELS)('%s: text and counts', async (model) => {
  const { ai } = await served();
  const reply = await ai.models.generateContent({
    model,
    contents: 'Hello',
    config: { maxOutputTokens: 100, systemInstruction: 'Be brief.' },
  });
  expect(reply.text).toMatch(/\w/);
  expect(reply.candidates?.[0]?.finishReason).toBe('STOP');
  expect(reply.usageMetadata?.totalTokenCount).toBeGreaterThan(0);
});

test.each(MODELS)('%s: a stream, text by text, whose end has the counts', async (model) => {
  const { ai } = await served();
  const texts: string[] = [];
  let last: { finish: unknown; tokens: unknown } | undefined;
  for await (const chunk of await ai.models.generateContentStream({ model, contents: 'Hello' })) {
    if (chunk.text) texts.push(chunk.text);
    last = { finish: chunk.candidates?.[0]?.finishReason, tokens: chunk.usageMetadata?.totalTokenCount };
  }
  expect(texts.length).toBeGreaterThan(1);
  expect(last).toEqual({ finish: 'STOP', tokens: expect.any(Number) });
});

const TOOLS = [
  {
    functionDeclarations: [
      {
        name: 'look_up',
        description: 'Looks up a word.',
        parameters: { type: Type.OBJECT, properties: { word: { type: Type.STRING } }, required: ['word'] },
      },
    ],
  },
];

test.each(MODELS)('%s: a function is called, its result answered, plain and streamed', async (model) => {
  const { ai } = await served();
  const config = {
    tools: TOOLS,
    toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } },
  };
  const asked = { role: 'user', parts: [{ text: 'What is a plimsoll?' }] };
  const reply = await ai.models.generateContent({ model, contents: [asked], config });
  const [call] = reply.functionCalls ?? [];
  expect(call).toMatchObject({ name: 'look_up', args: { word: expect.any(String) } });
  const called = reply.candidates![0]!.content!;
  const result = {
    role: 'user',
    parts: [
      {
        functionResponse: {
          ...(call!.id && { id: call!.id }),
          name: 'look_up',
          response: { output: 'a shoe' },
        },
      },
    ],
  };
  const answer = await ai.models.generateContent({
    model,
    contents: [asked, called, result],
    config: { tools: TOOLS },
  });
  expect(answer.text).toMatch(/\w/);
  const calls: unknown[] = [];
  for await (const chunk of await ai.models.generateContentStream({ model, contents: [asked], config }))
    calls.push(...(chunk.functionCalls ?? []));
  expect(calls).toMatchObject([{ name: 'look_up', args: { word: expect.any(String) } }]);
});

test('an image reaches the model', async () => {
  const { ai, first } = await served();
  const parts = [{ text: 'What is this?' }, { inlineData: { mimeType: 'image/png', data: PIXEL } }];
  await ai.models.generateContent({ model: 'first/small', contents: [{ role: 'user', parts }] });
  expect(first.requests.at(-1)?.body).toMatchObject({
    messages: [
      {
        content: [
          { type: 'text' },
          { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
        ],
      },
    ],
  });
});

test.each(MODELS)('%s: structured output, by both forms of a schema', async (model) => {
  const { ai } = await served();
  const older = { type: Type.OBJECT, properties: { word: { type: Type.STRING } }, required: ['word'] };
  const newer = {
    type: 'object',
    properties: { word: { type: 'string' } },
    required: ['word'],
    additionalProperties: false,
  };
  for (const schema of [{ responseSchema: older }, { responseJsonSchema: newer }]) {
    const config = { responseMimeType: 'application/json', ...schema };
    const { text } = await ai.models.generateContent({ model, contents: 'One word', config });
    expect(JSON.parse(text!)).toEqual({ word: expect.any(String) });
  }
});

test('tokens are counted without a call of a model, and models are listed', async () => {
  const { ai, url, first } = await served();
  expect(
    (await ai.models.countTokens({ model: 'auto', contents: 'Hello there' })).totalTokens,
  ).toBeGreaterThan(1);
  expect(first.requests).toEqual([]);
  const names: unknown[] = [];
  for await (const { name } of await ai.models.list()) names.push(name);
  expect(names).toContain('models/first/small');
  expect(await ai.models.get({ model: 'claude/small' })).toMatchObject({
    name: 'models/claude/small',
    inputTokenLimit: 200_000,
  });
  expect((await fetch(`${url}/v1beta/models/nobody`)).status).toBe(404);
});

async function withGoogle(wishes: Partial<Wishes> = {}, googleUrl?: string) {
  const running = await gatewayForTest(wishes);
  const config = {
    providers: {
      first: { kind: 'openai-compatible', base_url: running.first.url, api_key_env: KEY_VARIABLE },
      gemini: { kind: 'google', base_url: googleUrl ?? running.first.url, api_key_env: KEY_VARIABLE },
    },
    models: {
      'first/small': {},
      'first/large': {},
      'gemini/flash': { id: 'gemini-2.5-flash', price: { input: 1, output: 2 } },
    },
    profiles: {},
  } as const;
  const second = await gatewayForTest({ ...wishes, config });
  return { provider: running.first, ...second, ai: googleClient(second.url) };
}

test("a model of Google's gets the bytes of its client, with the operator's key", async () => {
  const { provider, url, ai } = await withGoogle();
  const body = {
    contents: [{ role: 'user', parts: [{ text: 'Hello', thoughtSignature: 'c2ln' }] }],
    safetySettings: [],
    futureField: 1,
  };
  const response = await postRaw(url, '/v1beta/models/gemini/flash:generateContent?key=clients-key', body);
  expect(await response.json()).toMatchObject({
    candidates: [{ finishReason: 'STOP' }],
    modelVersion: 'gemini-2.5-flash',
  });
  expect(response.headers.get('x-plimsoll-cost-usd')).toMatch(/^0\.0000/);
  const seen = provider.requests.at(-1)!;
  expect([seen.path, seen.body]).toEqual(['/v1/models/gemini-2.5-flash:generateContent', body]);
  expect(seen.headers).toMatchObject({ 'x-goog-api-key': UPSTREAM_KEY });
  expect(JSON.stringify(seen.headers)).not.toContain('clients-key');
  // This path is read as one of Google's only when it has been decoded.
  await postRaw(url, '/v1/models/gemini/flash%3AgenerateContent?key=clients-key', body);
  expect(provider.requests.at(-1)!.path).toBe('/v1/models/gemini-2.5-flash:generateContent');
  const texts: string[] = [];
  for await (const { text } of await ai.models.generateContentStream({
    model: 'gemini/flash',
    contents: 'Hello',
  }))
    texts.push(text ?? '');
  expect(texts.length).toBeGreaterThan(1);
});

test.each([
  ['You do not have permission to access the File abc or it may not exist.', 403],
  ['service-1@gcp does not have storage.objects.get access to the Google Cloud Storage object.', 403],
  ['The caller does not have permission', 503],
])("a file of another account is the client's to know: %s", async (message, status) => {
  const error = { code: 403, message, status: 'PERMISSION_DENIED' };
  const google = await rawProvider(() => ({ status: 403, body: { error } }));
  const { url, log } = await withGoogle({}, google.url);
  const files = [
    { fileData: { fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/abc' } },
    { file_data: { file_uri: 'gs://theirs/abc' } },
  ];
  for (const file of files) {
    const body = { contents: [{ role: 'user', parts: [{ text: 'What is this?' }, file] }] };
    const refused = await postRaw(url, '/v1beta/models/gemini/flash:generateContent', body);
    expect(refused.status).toBe(status);
    if (status === 403) expect(await refused.json()).toMatchObject({ error });
  }
  expect(/refuses the key/.test(log.join(''))).toBe(status === 503);
});

test('a 403 that speaks of a file is about the key if the request names none', async () => {
  const error = { code: 403, message: 'No access to the File.', status: 'PERMISSION_DENIED' };
  const google = await rawProvider(() => ({ status: 403, body: { error } }));
  const { url } = await withGoogle({}, google.url);
  const body = { contents: [{ parts: [{ text: 'A fileUri' }] }] };
  const refused = await postRaw(url, '/v1beta/models/gemini/flash:generateContent', body);
  expect(refused.status).toBe(503);
});

test.each<readonly [string, object, number, string, RegExp]>([
  ['auto:generateContent', {}, 400, 'INVALID_ARGUMENT', /contents/],
  ['nobody:generateContent', { contents: [{ parts: [{ text: 'x' }] }] }, 404, 'NOT_FOUND', /nobody/],
  ['auto:predict', {}, 404, 'NOT_FOUND', /generateContent/],
  [
    'auto:generateContent',
    { contents: [{ parts: [{ text: 'x' }] }], tools: [{ googleSearch: {} }] },
    400,
    'INVALID_ARGUMENT',
    /tools\.0\.googleSearch/,
  ],
  [
    'auto:generateContent',
    { contents: [{ parts: [{ text: 'x' }] }], cachedContent: 'c' },
    400,
    'INVALID_ARGUMENT',
    /cachedContent/,
  ],
  ['auto:streamGenerateContent', { contents: [{ parts: [{ text: 'x' }] }] }, 400, 'INVALID_ARGUMENT', /alt/],
  [
    'auto:generateContent',
    { contents: [{ parts: [{ functionResponse: { name: 'f', response: {} } }] }] },
    400,
    'INVALID_ARGUMENT',
    /answers no functionCall/,
  ],
])('%s with %j is refused in the form of Google', async (call, body, status, name, why) => {
  const { url, first } = await served();
  const refused = await postRaw(url, `/v1beta/models/${call}`, body);
  expect([refused.status, await refused.json()]).toEqual([
    status,
    { error: { code: status, message: expect.stringMatching(why), status: name } },
  ]);
  expect(first.requests).toEqual([]);
});

test('outages and refusals of a provider of another API have the form of Google', async () => {
  const { ai, first } = await served();
  for (const [fault, status] of [
    ['400', 400],
    ['500', 503],
    ['429', 429],
  ] as const) {
    first.failAlways(fault);
    const failed = await ai.models
      .generateContent({ model: 'first/small', contents: 'Hello' })
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(ApiError);
    expect((failed as ApiError).status).toBe(status);
  }
});

test('a key is taken from the header or the query, and is in no log line', async () => {
  const keys = path.join(scratchFolder(), 'keys.json');
  const { key } = createKey(keys, { name: 'ci', now: new Date() });
  const { url, log } = await gatewayForTest({ config: { access: { keys_file: keys } } });
  const body = { contents: [{ parts: [{ text: 'Hello' }] }] };
  const call = '/v1beta/models/auto:generateContent';
  const refused = await postRaw(url, call, body);
  expect([refused.status, await refused.json()]).toMatchObject([
    401,
    { error: { status: 'UNAUTHENTICATED' } },
  ]);
  expect((await postRaw(url, `${call}?key=${key}`, body)).status).toBe(200);
  expect(
    (await googleClient(url, key).models.generateContent({ model: 'auto', contents: 'Hello' })).text,
  ).toMatch(/\w/);
  expect((await postRaw(url, `/V1BETA/models/auto:generateContent?key=wrong`, body)).status).toBe(401);
  expect(log.join('')).not.toContain(key);
});
