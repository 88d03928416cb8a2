import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { readinessSchema } from '../../router/openapi/decision-schemas.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { type RawRequest, type RawResponse, rawProvider } from './raw-provider.ts';
import { ask, gatewayForTest, postRaw, QUICK_UPSTREAM } from './running-gateway.ts';

const VARIABLES = ['PLIMSOLL_TEST_KEY_A', 'PLIMSOLL_TEST_KEY_B', 'PLIMSOLL_TEST_KEY_C'] as const;
const UNSET = 'PLIMSOLL_TEST_KEY_UNSET';
const secretOf = (variable: string) => `secret-of-${variable.toLowerCase()}`;

beforeAll(() => {
  for (const variable of VARIABLES) process.env[variable] = secretOf(variable);
});

const REPLY = {
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
};
const GEMINI_REPLY = {
  candidates: [{ content: { role: 'model', parts: [{ text: 'Hi' }] }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
};
const LIMITED = {
  status: 429,
  body: { error: { message: 'Rate limit reached', code: 'rate_limit_exceeded' } },
};

/** The last letter of the variable whose key a request came with. */
function keyOf({ headers }: RawRequest): string {
  const sent = String(headers['authorization'] ?? headers['x-api-key'] ?? headers['x-goog-api-key']);
  return sent.slice(-1).toUpperCase();
}

interface Wished {
  readonly keys?: readonly string[];
  readonly log?: string;
  readonly maxRetries?: number;
}

/** A provider of OpenAI's API and one of Google's at one address, with the same keys. */
async function inFront(
  respond: (key: string, request: RawRequest) => RawResponse | undefined,
  wished: Wished = {},
) {
  const provider = await rawProvider(
    (request) =>
      respond(keyOf(request), request) ?? { body: request.path.includes('generate') ? GEMINI_REPLY : REPLY },
  );
  const at = { base_url: provider.url, api_key_envs: [...(wished.keys ?? VARIABLES)] };
  const running = await gatewayForTest({
    config: {
      ladder: { cheap: 'open/small', strong: 'open/large' },
      providers: { open: { kind: 'openai', ...at }, gemini: { kind: 'google', ...at } },
      models: { 'open/small': {}, 'open/large': {}, 'gemini/flash': { id: 'gemini-2.5-flash' } },
      profiles: {},
      upstream: {
        ...QUICK_UPSTREAM,
        retry: { max_retries: wished.maxRetries ?? 0, initial_wait_ms: 1, max_wait_ms: 2 },
      },
      ...(wished.log && { decision_log: { file: wished.log } }),
    },
  });
  const chat = (model = 'open/small', more: object = {}) =>
    postRaw(running.url, '/v1/chat/completions', { ...ask('Hello', model), ...more });
  return { provider, chat, used: () => provider.requests.map(keyOf).join(''), ...running };
}

const MODELS = ['open/small', 'gemini/flash'];

test.each(MODELS)(
  '%s: one key is called until it fails, and then the next, also by later requests',
  async (model) => {
    const limited = new Set<string>();
    const { chat, used, log } = await inFront((key) => (limited.has(key) ? LIMITED : undefined));
    for (let request = 0; request < 3; request++) expect((await chat(model)).status).toBe(200);
    expect(used()).toBe('AAA');
    limited.add('A');
    const rotated = await chat(model);
    expect([rotated.status, rotated.headers.get('x-plimsoll-attempts')]).toEqual([200, '2']);
    expect((await chat(model)).status).toBe(200);
    expect(used()).toBe('AAAABB');
    limited.add('B');
    limited.delete('A');
    expect((await chat(model)).status).toBe(200);
    expect(used()).toBe('AAAABBBC');
    expect(log.join('')).not.toMatch(/secret-of/);
  },
);

test.each<readonly [string, RawResponse]>([
  ['401', { status: 401, body: { error: { message: 'Incorrect API key provided' } } }],
  ['403', { status: 403, body: { error: { message: 'The key may not do this' } } }],
  ['a quota that is used up', { status: 429, body: { error: { message: 'x', code: 'insufficient_quota' } } }],
])('%s of one key: the next one replies, and the log names the variable', async (_, refusal) => {
  for (const model of MODELS) {
    const { chat, used, log } = await inFront((key) => (key === 'A' ? refusal : undefined));
    for (let request = 0; request < 3; request++) expect((await chat(model)).status).toBe(200);
    expect(used()).toBe('ABBB');
    const errors = log.map((line) => JSON.parse(line)).filter(({ level }) => level === 'error');
    expect(errors).toMatchObject([{ model, key: VARIABLES[0], msg: expect.stringContaining(VARIABLES[0]) }]);
    expect(log.join('')).not.toMatch(/secret-of/);
  }
});

test('Retry-After of one key does not stop the others, and all of them rest as long as they were told to', async () => {
  const waits: Record<string, string> = { A: '120', B: '60', C: '90' };
  const limited = new Set(['A']);
  const { chat, used } = await inFront((key) =>
    limited.has(key) ? { ...LIMITED, headers: { 'retry-after': waits[key]! } } : undefined,
  );
  for (let request = 0; request < 4; request++) expect((await chat()).status).toBe(200);
  expect(used()).toBe('ABBBB');
  limited.add('B').add('C');
  const refused = await chat();
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
  expect(used()).toBe('ABBBBBC'); // A is not asked again
  await chat();
  expect(used()).toBe('ABBBBBCB'); // all rest: the one whose rest ends first
});

test('each key has its own breaker: one that keeps failing is left alone, and the model stays up', async () => {
  const bad = new Set(['A', 'B', 'C']);
  const { chat, used, url } = await inFront((key) => (bad.has(key) ? LIMITED : undefined));
  for (let request = 0; request < 12; request++) await chat();
  const before = used().length;
  expect((await chat()).status).toBe(429);
  expect(used().length).toBe(before); // all breakers are open
  const metrics = await (await fetch(`${url}/metrics`)).text();
  for (const variable of VARIABLES) {
    expect(metrics).toContain(`plimsoll_breaker_state{model="open/small ${variable}",state="open"} 1`);
  }
  expect(metrics).toContain('plimsoll_breaker_state{model="open/small",state="closed"} 1');
});

test('what says nothing of a key does not turn to the next one', async () => {
  const { chat, used } = await inFront(() => ({ status: 500, body: { error: { message: 'x' } } }));
  expect((await chat()).status).toBe(503);
  expect(used()).toBe('A');
  const refusing = await inFront(() => ({ status: 400, body: { error: { message: 'bad' } } }));
  expect((await refusing.chat()).status).toBe(400);
  expect(refusing.used()).toBe('A');
});

test('the last key is tried again as a single one is', async () => {
  const { chat, used } = await inFront(() => LIMITED, { maxRetries: 1 });
  expect((await chat()).status).toBe(429);
  expect(used()).toBe('ABCC');
});

test('the decision log names the variable of each attempt, and no key', async () => {
  const file = path.join(scratchFolder(), 'decisions.jsonl');
  const { chat, gateway } = await inFront((key) => (key === 'A' ? LIMITED : undefined), { log: file });
  await chat();
  await gateway.close();
  const text = readFileSync(file, 'utf8');
  expect(JSON.parse(text).attempts).toMatchObject([
    { kind: 'first', outcome: 'rate-limited', key: VARIABLES[0] },
    { kind: 'retry', outcome: 'answer', key: VARIABLES[1] },
  ]);
  expect(text).not.toMatch(/secret-of/);
});

test('a key that is missing is a warning; all of them, degraded', async () => {
  const some = await inFront(() => undefined, { keys: [UNSET, VARIABLES[1]] });
  expect((await some.chat()).status).toBe(200);
  expect(some.used()).toBe('B');
  expect(some.log.join('')).toContain(
    `${UNSET} is not set: the provider open is called with its other keys.`,
  );
  const ready = readinessSchema.parse(await (await fetch(`${some.url}/readyz`)).json());
  expect([ready.status, ready.troubles]).toEqual(['ready', []]);

  const none = await inFront(() => undefined, { keys: [UNSET, `${UNSET}_2`] });
  const refused = await none.chat();
  expect([refused.status, refused.headers.get('x-plimsoll-attempts')]).toEqual([503, '0']);
  expect(await refused.text()).toContain(`${UNSET} or ${UNSET}_2 is not set`);
  const dark = await (await fetch(`${none.url}/readyz`)).json();
  expect(dark).toMatchObject({
    status: 'no-provider-key',
    troubles: [expect.stringContaining(UNSET), expect.anything()],
  });
});

test('variables that hold the same key are one key, with a warning that names them and not the key', async () => {
  const [a, b] = VARIABLES;
  const again = `${a}_AGAIN`;
  process.env[again] = ` ${secretOf(a)}\n`;
  const limited = new Set(['A']);
  const answer = (key: string) => (limited.has(key) ? LIMITED : undefined);
  const { chat, used, log, url } = await inFront(answer, { keys: [a, again, UNSET, b] });
  expect((await chat()).status).toBe(200);
  expect(used()).toBe('AB'); // not AAB
  const told = log.map((line) => JSON.parse(line).msg).filter((text) => text?.includes(again));
  expect(told.sort()).toEqual(
    ['gemini', 'open'].map(
      (provider) =>
        `providers.${provider}.api_key_envs: ${again} holds the same key as ${a} and is left out. Set it to another key, or take it out.`,
    ),
  );
  expect(log.join('')).not.toMatch(/secret-of/);
  expect(await (await fetch(`${url}/metrics`)).text()).not.toContain(again);

  const alone = await inFront(answer, { keys: [a, again] });
  expect((await alone.chat()).status).toBe(429);
  expect(alone.used()).toBe('A');
});

test('a file belongs to the account of the first key: routes and conversations that name one stay with it', async () => {
  const { chat, used, openai, url } = await inFront((key, { path: at }) => {
    if (key === 'A' && at.endsWith('/chat/completions')) return LIMITED;
    return at.includes('/files') ? { body: { id: 'file-1', object: 'file' } } : undefined;
  });
  await chat();
  expect(used()).toBe('AB'); // B is the one for conversations now
  await openai.files.retrieve('file-1', { headers: { 'x-plimsoll-provider': 'open' } });
  expect(used()).toBe('ABA');
  const named = { messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'file-1' } }] }] };
  expect((await chat('open/small', named)).status).toBe(429); // another account would not find it
  expect(used()).toBe('ABAA');
  expect((await postRaw(url, '/v1/moderations', { model: 'open/small', input: 'x' })).status).toBe(200);
});

test('a stream begins with the key that has room', async () => {
  const sse = `data: ${JSON.stringify({ ...REPLY, object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content: 'Hi' }, finish_reason: 'stop' }] })}\n\ndata: [DONE]\n\n`;
  const { openai, used } = await inFront((key) =>
    key === 'A' ? LIMITED : { headers: { 'content-type': 'text/event-stream' }, body: sse },
  );
  const texts: string[] = [];
  for await (const { choices } of await openai.chat.completions.create({
    ...ask('Hello', 'open/small'),
    stream: true,
  }))
    texts.push(choices[0]?.delta.content ?? '');
  expect([texts.join(''), used()]).toEqual(['Hi', 'AB']);
});
