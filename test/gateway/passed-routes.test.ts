import { readFileSync } from 'node:fs';
import path from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { toFile } from 'openai';
import { expect, test } from 'vitest';
import { scratchFolder } from '../server/hot-serving.ts';
import { type RawRequest, type RawResponse, rawProvider } from './raw-provider.ts';
import { gatewayForTest, KEY_VARIABLE, postRaw, UPSTREAM_KEY } from './running-gateway.ts';

interface Wished {
  readonly log?: string;
  readonly retries?: number;
  readonly maxBodyBytes?: number;
}

/** One provider of each of three kinds at one address: `open`, `claude` and `mistral`. */
async function inFront(respond: (request: RawRequest) => RawResponse, wished: Wished = {}) {
  const provider = await rawProvider(respond);
  const at = { base_url: provider.url, api_key_env: KEY_VARIABLE };
  const running = await gatewayForTest({
    config: {
      ladder: { cheap: 'open/small', strong: 'open/large' },
      providers: {
        open: { kind: 'openai', ...at },
        claude: { kind: 'anthropic', ...at },
        mistral: { kind: 'mistral', ...at },
      },
      models: {
        'open/small': { id: 'small-at-provider', price: { input: 1, output: 2 } },
        'open/large': {},
        'claude/small': { id: 'claude-at-provider' },
        'mistral/listens': { id: 'voxtral' },
      },
      profiles: {},
      ...(wished.log && { decision_log: { file: wished.log } }),
      ...(wished.maxBodyBytes && { gateway: { max_body_bytes: wished.maxBodyBytes } }),
    },
  });
  return { provider, ...running };
}

const AUDIO = Buffer.from([0x52, 0x49, 0x46, 0x46, 0x00, 0x0d, 0x0a, 0x2d, 0x2d, 0xff]);

test('completions: only the name of the model is replaced, and tokens are counted', async () => {
  const reply = {
    id: 'c',
    object: 'text_completion',
    choices: [{ text: 'Hi', index: 0, logprobs: null, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1_000, completion_tokens: 500, total_tokens: 1_500 },
  };
  const { url, provider } = await inFront(() => ({ body: reply }));
  const text = '{ "prompt":"Hello",  "model" : "open/small", "seed": 12345678901234567890 }';
  const response = await fetch(`${url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: text,
  });
  expect(await response.json()).toEqual(reply);
  expect(response.headers.get('x-plimsoll-served')).toBe('open/small');
  expect(response.headers.get('x-plimsoll-cost-usd')).toBe('0.00200000');
  expect(String(provider.requests[0]?.body)).toBe(text.replace('open/small', 'small-at-provider'));
  expect(provider.requests[0]?.headers['authorization']).toBe(`Bearer ${UPSTREAM_KEY}`);
});

test('a stream of completions passes through, with its cost at the end', async () => {
  const events = [
    'data: {"choices":[{"text":"Hi"}]}\n\n',
    'data: {"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5}}\n\n',
    'data: [DONE]\n\n',
  ];
  const { openai } = await inFront(() => ({
    headers: { 'content-type': 'text/event-stream' },
    body: events.join(''),
  }));
  const stream = await openai.completions.create({ model: 'open/small', prompt: 'Hello', stream: true });
  const texts: string[] = [];
  for await (const { choices } of stream) texts.push(...choices.map(({ text }) => text));
  expect(texts).toEqual(['Hi']);
});

test('moderations, images and speech by the official client', async () => {
  const { openai, provider } = await inFront(({ path: at }) =>
    at.endsWith('/speech')
      ? { headers: { 'content-type': 'audio/mpeg' }, body: AUDIO }
      : { body: { data: [{ b64_json: 'AA==' }], results: [{ flagged: false }] } },
  );
  expect((await openai.moderations.create({ model: 'mistral/listens', input: 'x' })).results).toHaveLength(1);
  expect((await openai.images.generate({ model: 'open/small', prompt: 'x' })).data).toHaveLength(1);
  const speech = await openai.audio.speech.create({ model: 'open/small', input: 'x', voice: 'alloy' });
  expect(Buffer.from(await speech.arrayBuffer())).toEqual(AUDIO);
  expect(provider.requests.map((request) => [request.path, JSON.parse(String(request.body)).model])).toEqual([
    ['/v1/moderations', 'voxtral'],
    ['/v1/images/generations', 'small-at-provider'],
    ['/v1/audio/speech', 'small-at-provider'],
  ]);
});

test('a transcription keeps every byte of its file, and the form its boundary', async () => {
  const { openai, provider } = await inFront(() => ({ body: { text: 'Hello' } }));
  const file = await toFile(AUDIO, 'speech.wav');
  expect(await openai.audio.transcriptions.create({ model: 'open/small', file, language: 'en' })).toEqual({
    text: 'Hello',
  });
  const [sent] = provider.requests;
  const form = await new Response(new Uint8Array(sent!.body), {
    headers: { 'content-type': sent!.headers['content-type']! },
  }).formData();
  expect([form.get('model'), form.get('language')]).toEqual(['small-at-provider', 'en']);
  expect(Buffer.from(await (form.get('file') as File).arrayBuffer())).toEqual(AUDIO);
});

test('files: stored, listed, read and deleted, in the form of the client', async () => {
  const { openai, provider, url } = await inFront(({ path: at, method }) =>
    at.endsWith('/content')
      ? { headers: { 'content-type': 'application/octet-stream' }, body: AUDIO }
      : {
          body:
            method === 'GET' && /files(\?|$)/.test(at)
              ? { data: [{ id: 'file-1' }], has_more: false }
              : { id: 'file-1', deleted: true },
        },
  );
  const headers = { 'x-plimsoll-provider': 'open' };
  const file = await toFile(AUDIO, 'data.jsonl');
  expect(await openai.files.create({ file, purpose: 'batch' }, { headers })).toMatchObject({ id: 'file-1' });
  const listed = await openai.files.list({ limit: 3 }, { headers });
  expect(listed.data).toMatchObject([{ id: 'file-1' }]);
  const content = await openai.files.content('file-1', { headers });
  expect(Buffer.from(await content.arrayBuffer())).toEqual(AUDIO);
  expect(await openai.files.delete('file-1', { headers })).toMatchObject({ deleted: true });
  const anthropic = new Anthropic({ baseURL: url, apiKey: 'unused', authToken: null, maxRetries: 0 });
  expect(await anthropic.beta.files.retrieveMetadata('file-1')).toMatchObject({ id: 'file-1' });
  expect(provider.requests.map((request) => `${request.method} ${request.path}`)).toEqual([
    'POST /v1/files',
    'GET /v1/files?limit=3',
    'GET /v1/files/file-1/content',
    'DELETE /v1/files/file-1',
    'GET /v1/files/file-1',
  ]);
  expect(provider.requests.at(-1)?.headers).toMatchObject({
    'x-api-key': UPSTREAM_KEY,
    'anthropic-version': expect.any(String),
  });
  expect(provider.requests[0]?.headers['x-plimsoll-provider']).toBeUndefined();
});

test("Anthropic's batches: models by name, results through this server", async () => {
  const batch = (id: string) => ({
    id,
    type: 'message_batch',
    processing_status: 'ended',
    results_url: `https://api.anthropic.com/v1/messages/batches/${id}/results`,
  });
  const { anthropic, provider, url } = await inFront(({ path: at, method }) =>
    at.endsWith('/results')
      ? {
          headers: { 'content-type': 'application/x-jsonl' },
          body: '{"custom_id":"a","result":{"type":"canceled"}}\n',
        }
      : {
          body:
            method === 'GET' && /batches(\?|$)/.test(at)
              ? { data: [batch('msgbatch_1')], has_more: false }
              : batch('msgbatch_1'),
        },
  );
  const params = {
    model: 'claude/small',
    max_tokens: 9,
    messages: [{ role: 'user' as const, content: 'x' }],
  };
  const created = await anthropic.messages.batches.create({
    requests: [
      { custom_id: 'a', params },
      { custom_id: 'b', params },
    ],
  });
  expect(created.results_url).toBe('/v1/messages/batches/msgbatch_1/results');
  const { requests } = JSON.parse(String(provider.requests[0]?.body));
  expect(requests.map((one: { params: { model: string } }) => one.params.model)).toEqual([
    'claude-at-provider',
    'claude-at-provider',
  ]);
  const results: unknown[] = [];
  for await (const one of await anthropic.messages.batches.results('msgbatch_1')) results.push(one);
  expect(results).toEqual([{ custom_id: 'a', result: { type: 'canceled' } }]);
  expect((await anthropic.messages.batches.list()).data[0]?.results_url).toBe(
    '/v1/messages/batches/msgbatch_1/results',
  );
  await anthropic.messages.batches.cancel('msgbatch_1');
  await anthropic.messages.batches.delete('msgbatch_1');
  expect(provider.requests.slice(-2).map((request) => `${request.method} ${request.path}`)).toEqual([
    'POST /v1/messages/batches/msgbatch_1/cancel',
    'DELETE /v1/messages/batches/msgbatch_1',
  ]);
  const mixed = { requests: [{ custom_id: 'a', params: { ...params, model: 'auto' } }] };
  const refused = await postRaw(url, '/v1/messages/batches', mixed);
  expect([refused.status, await refused.json()]).toMatchObject([
    400,
    { type: 'error', error: { details: { param: 'requests.0.params.model' } } },
  ]);
});

test.each<readonly [string, object, Record<string, string>, RegExp]>([
  ['/v1/images/generations', { model: 'auto', prompt: 'x' }, {}, /decides on conversations alone/],
  [
    '/v1/images/generations',
    { model: 'claude/small', prompt: 'x' },
    {},
    /kind anthropic and has no \/v1\/images\/generations/,
  ],
  ['/v1/completions', { prompt: 'x' }, {}, /model must name one/],
  ['/v1/files', {}, {}, /multipart\/form-data/],
])('%s with %j is refused with the reason', async (route, body, headers, why) => {
  const { url, provider } = await inFront(() => ({ body: {} }));
  const refused = await postRaw(url, route, body, headers);
  expect(refused.status).toBeLessThan(500);
  expect(((await refused.json()) as { error: { message: string } }).error.message).toMatch(why);
  expect(provider.requests).toEqual([]);
});

test('a provider must be named where several have the route', async () => {
  const { url, openai } = await inFront(() => ({ body: {} }));
  await expect(openai.files.list()).rejects.toMatchObject({
    status: 400,
    message: expect.stringContaining('open, mistral'),
  });
  const unknown = await fetch(`${url}/v1/files`, { headers: { 'x-plimsoll-provider': 'claude' } });
  expect([unknown.status, await unknown.text()]).toEqual([400, expect.stringContaining('open, mistral')]);
});

test.each(['..%2fmodels', '%2e%2e', 'a%20b', '.hidden'])(
  'an id that could lead elsewhere is refused: %s',
  async (id) => {
    const { url, provider } = await inFront(() => ({ body: {} }));
    const refused = await fetch(`${url}/v1/files/${id}/content`, {
      headers: { 'x-plimsoll-provider': 'open' },
    });
    expect([400, 404]).toContain(refused.status);
    expect(provider.requests).toEqual([]);
  },
);

test('a form that names its model twice, or whose boundary is missing, is refused', async () => {
  const { url, provider } = await inFront(() => ({ body: {} }));
  const part = (name: string, value: string) =>
    `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  for (const [type, body, why] of [
    [
      'multipart/form-data; boundary=b',
      `${part('model', 'open/small')}${part('model', 'open/large')}--b--`,
      'more than once',
    ],
    ['multipart/form-data; boundary=b', part('model', 'open/small'), 'last boundary'],
    ['multipart/form-data; boundary=c', `${part('model', 'open/small')}--b--`, 'boundary is not there'],
    ['multipart/form-data; charset=x', 'x', 'names no boundary'],
    ['multipart/form-data; boundary=b', '--b\r\n\r\n--b--', 'last boundary'],
  ] as const) {
    const refused = await fetch(`${url}/v1/audio/transcriptions`, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    });
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining(why)]);
  }
  expect(provider.requests).toEqual([]);
});

test('what the provider refuses or does not have is passed on; its outage is not', async () => {
  const error = {
    message: 'No such File object: file-9',
    type: 'invalid_request_error',
    param: 'id',
    code: null,
  };
  let status = 404;
  const { openai } = await inFront(() => ({ status, body: { error } }));
  const headers = { 'x-plimsoll-provider': 'open' };
  await expect(openai.files.retrieve('file-9', { headers })).rejects.toMatchObject({ status: 404, error });
  status = 500;
  await expect(openai.files.retrieve('file-9', { headers })).rejects.toMatchObject({ status: 503 });
});

test('a 403 about one file is passed on, and says nothing about the provider', async () => {
  const error = { message: 'You do not have access to it.', type: 'invalid_request_error', code: null };
  let status = 403;
  const { openai, log } = await inFront(({ path: at }) =>
    at.includes('file-theirs') || at === '/v1/files'
      ? { status, body: { error } }
      : { body: { id: 'file-1' } },
  );
  const headers = { 'x-plimsoll-provider': 'open' };
  for (let request = 0; request < 12; request++) {
    await expect(openai.files.content('file-theirs', { headers })).rejects.toMatchObject({ status, error });
  }
  expect(await openai.files.retrieve('file-1', { headers })).toMatchObject({ id: 'file-1' });
  expect(log.join('')).not.toMatch(/breaker|refuses the key/);
  status = 401;
  await expect(openai.files.retrieve('file-theirs', { headers })).rejects.toMatchObject({ status: 503 });
  status = 403; // of the whole list: the key may not read files
  await expect(openai.files.list({}, { headers })).rejects.toMatchObject({ status: 503 });
});

test.each(['completions', 'moderations', 'images/generations', 'audio/speech'])(
  '/v1/%s: a stream that is no boolean is refused',
  async (route) => {
    const { url, provider } = await inFront(() => ({ body: {} }));
    const body = { model: 'open/small', prompt: 'x', input: 'x' };
    for (const odd of [{ stream: 'true' }, { stream: 1 }, { Stream: true }]) {
      const refused = await postRaw(url, `/v1/${route}`, { ...body, ...odd });
      expect([refused.status, await refused.text()]).toEqual([400, expect.stringMatching(/stream/i)]);
    }
    expect(provider.requests).toEqual([]);
    expect((await postRaw(url, `/v1/${route}`, { ...body, stream: null })).status).toBe(200);
  },
);

const ERRORS_IN_200 = [
  { error: { message: 'The model is overloaded', code: 503 } },
  { error: { message: 'Voice engine failed', type: 'server_error' } },
  { error: 'no voice' },
];

test.each(['completions', 'moderations', 'images/generations', 'audio/speech'])(
  '/v1/%s: an error inside a 200 is a failure',
  async (route) => {
    const bodies = ERRORS_IN_200.values();
    let error: object | undefined;
    const { url, provider } = await inFront(() => ({ body: error ?? { data: [] } }));
    const post = () =>
      postRaw(url, `/v1/${route}`, { model: 'open/small', prompt: 'x', input: 'x', voice: 'v' });
    for (error of bodies) {
      const failed = await post();
      expect(failed.status, JSON.stringify(error)).toBe(503);
      expect(failed.headers.get('content-type')).toMatch(/json/);
    }
    expect(provider.requests.length).toBeGreaterThan(ERRORS_IN_200.length); // each is tried again
    error = undefined;
    expect((await post()).status).toBe(200);
  },
);

test("a file's own error is no failure of the call", async () => {
  const file = { id: 'file-1', object: 'file', status: 'failed', error: { message: 'unreadable' } };
  const { openai } = await inFront(() => ({ body: file }));
  expect(await openai.files.retrieve('file-1', { headers: { 'x-plimsoll-provider': 'open' } })).toEqual(file);
});

test.each(['compact', 'input_tokens'])(
  '/v1/responses/%s goes without the reasoning of another family',
  async (route) => {
    const { url, provider } = await inFront(() => ({ body: { object: 'response.input_tokens' } }));
    const own = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAAA' };
    const foreign = { ...own, id: 'rs_2', encrypted_content: 'plimsoll.anthropic.e30' };
    const said = { role: 'user', content: 'Hello' };
    const response = await postRaw(url, `/v1/responses/${route}`, {
      model: 'open/small',
      input: [said, own, foreign, said],
    });
    expect(response.headers.get('x-plimsoll-dropped')).toBe('input.2');
    expect(JSON.parse(String(provider.requests[0]?.body))).toEqual({
      model: 'small-at-provider',
      input: [said, own, said],
    });
  },
);

test.each(['compact', 'input_tokens'])(
  '/v1/responses/%s goes on from nothing that is kept',
  async (route) => {
    const { url, provider } = await inFront(() => ({ body: {} }));
    const post = (body: object) =>
      postRaw(url, `/v1/responses/${route}`, { model: 'open/small', input: 'Hello', ...body });
    for (const [kept, param] of [
      [{ previous_response_id: 'resp_A' }, 'previous_response_id'],
      [{ previous_response_id: ['resp_A'] }, 'previous_response_id'],
      [{ conversation: 'conv_A' }, 'conversation'],
      [{ conversation: { id: 'conv_A' } }, 'conversation'],
      [
        {
          input: [
            { role: 'user', content: 'x' },
            { type: 'item_reference', id: 'msg_A' },
          ],
        },
        'input.1',
      ],
      [{ input: [{ id: 'msg_A' }] }, 'input.0'],
      [{ input: { type: 'item_reference', id: 'msg_A' } }, 'input'],
      [{ Conversation: 'conv_A' }, 'Conversation'],
    ] as const) {
      const refused = await post(kept);
      expect([refused.status, await refused.json()]).toMatchObject([400, { error: { param } }]);
    }
    expect(provider.requests).toEqual([]);
    const items = [
      { role: 'user', content: 'x' },
      { type: 'compaction', encrypted_content: 'x' },
    ];
    expect((await post({ previous_response_id: null, conversation: null, input: items })).status).toBe(200);
  },
);

test.each([
  ['?key=clients-key', ''],
  ['?limit=3&%6Bey=clients-key&after=a%20b', '?limit=3&after=a%20b'],
  ['?limit=3', '?limit=3'],
])('a key in the query does not reach the provider: %s', async (query, sent) => {
  const { url, provider } = await inFront(() => ({ body: {} }));
  await fetch(`${url}/v1/files${query}`, { headers: { 'x-plimsoll-provider': 'open' } });
  expect(provider.requests.map((request) => request.path)).toEqual([`/v1/files${sent}`]);
});

test('what creates something is not sent again if it may have been carried out', async () => {
  const { openai, provider } = await inFront(() => ({ status: 500, body: { error: { message: 'x' } } }));
  const headers = { 'x-plimsoll-provider': 'open' };
  const file = await toFile(AUDIO, 'x.bin');
  await expect(openai.files.create({ file, purpose: 'batch' }, { headers })).rejects.toMatchObject({
    status: 503,
  });
  expect(provider.requests).toHaveLength(1);
  await expect(openai.files.retrieve('file-1', { headers })).rejects.toMatchObject({ status: 503 });
  expect(provider.requests).toHaveLength(3); // with its retry
});

test('a form above gateway.max_body_bytes is refused', async () => {
  const { openai, provider } = await inFront(() => ({ body: {} }), { maxBodyBytes: 1_024 });
  const file = await toFile(Buffer.alloc(4_096), 'x.bin');
  await expect(
    openai.files.create({ file, purpose: 'batch' }, { headers: { 'x-plimsoll-provider': 'open' } }),
  ).rejects.toMatchObject({ status: 413 });
  expect(provider.requests).toEqual([]);
});

test('records say which route it was, and nothing of what passed', async () => {
  const log = path.join(scratchFolder(), 'decisions.jsonl');
  const { openai, gateway } = await inFront(() => ({ body: { results: [] } }), { log });
  await openai.moderations.create({ model: 'open/small', input: 'a secret text' });
  await openai.files.retrieve('file-1', { headers: { 'x-plimsoll-provider': 'open' } });
  await gateway.close();
  const lines = readFileSync(log, 'utf8').trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { operation: 'moderations', served: 'open/small', reason: 'explicit-model', status: 200 },
    { operation: 'files', served: 'open/files', reason: 'explicit-model', status: 200 },
  ]);
  expect(lines.join('')).not.toMatch(/secret|file-1/);
});

test('GET /v1/models says which routes the provider of each model has', async () => {
  const { url } = await inFront(() => ({ body: {} }));
  const { data } = (await (await fetch(`${url}/v1/models`)).json()) as {
    data: { id: string; routes: string[] }[];
  };
  const routesOf = (id: string) => data.find((one) => one.id === id)?.routes;
  expect(routesOf('open/small')).toEqual(
    expect.arrayContaining(['/v1/embeddings', '/v1/images/generations']),
  );
  expect(routesOf('claude/small')).toContain('/v1/messages/batches');
  expect(routesOf('claude/small')).not.toContain('/v1/embeddings');
  expect(routesOf('auto')).toEqual(['/v1/chat/completions', '/v1/messages', '/v1/responses']);
});
