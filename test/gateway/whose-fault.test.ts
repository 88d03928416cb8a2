import { expect, test } from 'vitest';
import { type Scripted, type SeenCall, scriptedProvider } from '../mapped-calls/scripted-provider.ts';
import { ask, gatewayForTest, postRaw, QUICK_UPSTREAM } from './running-gateway.ts';

const REPLY: Scripted = {
  body: JSON.stringify({
    id: 'x',
    object: 'chat.completion',
    created: 0,
    model: 'x',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Yes.' }, finish_reason: 'stop' }],
  }),
};

const refusal = (status: number, error: object): Scripted => ({ status, body: JSON.stringify({ error }) });

/** A gateway whose strong model is at a second, healthy provider. Breakers open after two failures. */
async function inFrontOf(script: Scripted | ((asked: SeenCall) => Scripted)) {
  const provider = await scriptedProvider(script);
  const running = await gatewayForTest({
    firstUrl: `${provider.url}/v1`,
    config: {
      ladder: { cheap: 'first/small', strong: 'second/large' },
      upstream: { ...QUICK_UPSTREAM, breaker: { window: 2, min_attempts: 2, failure_share: 0.4 } },
    },
  });
  const chat = (body: object, headers?: Record<string, string>) =>
    postRaw(running.url, '/v1/chat/completions', { ...ask('Hello', 'first/small'), ...body }, headers);
  return { ...running, provider, chat };
}

test('an empty account: the next candidate replies, nothing is retried, and the log says what to do', async () => {
  const exhausted = refusal(429, { message: 'You exceeded your current quota.', code: 'insufficient_quota' });
  const { url, provider, log, artifact } = await inFrontOf(exhausted);
  const response = await postRaw(url, '/v1/chat/completions', ask(artifact.easy[0]!));
  expect(response.status).toBe(200);
  expect(response.headers.get('x-plimsoll-served')).toBe('second/large');
  expect(provider.seen).toHaveLength(1);
  for (let request = 0; request < 3; request++)
    await postRaw(url, '/v1/chat/completions', ask(artifact.easy[0]!));
  const faults = log.map((line) => JSON.parse(line)).filter(({ failure }) => failure);
  expect(faults).toMatchObject([
    {
      level: 'error',
      model: 'first/small',
      failure: 'quota-exhausted',
      msg: expect.stringContaining('add credit'),
    },
  ]);
});

test("Anthropic's usage limit is no 400 of the client", async () => {
  const limit = refusal(400, {
    type: 'invalid_request_error',
    message:
      'You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.',
  });
  const { chat } = await inFrontOf(limit);
  const response = await chat({});
  expect(response.status).toBe(503);
  expect(((await response.json()) as { error: { message: string } }).error.message).toMatch(
    /first\/small quota-exhausted.*the server's log says why/,
  );
});

/** What one client can provoke, as often as it likes. */
test.each([
  [
    'a file that does not exist',
    {},
    refusal(404, { message: 'No such File object: file-a', code: null }),
    404,
  ],
  ['a tier without room', { service_tier: 'flex' }, refusal(429, { code: 'resource_unavailable' }), 429],
  ['a tier without permission', { service_tier: 'priority' }, refusal(403, { message: 'Not allowed.' }), 503],
  [
    'a wrong parameter',
    { seed: 'x' },
    refusal(422, { message: "Invalid value: 'insufficient_quota'." }),
    422,
  ],
  [
    'too many output tokens',
    { max_tokens: 99_999 },
    refusal(402, { message: 'This request requires more credits. You can only afford 3.' }),
    503,
  ],
])('%s opens no breaker for the others', async (_, body, refused, status) => {
  const { chat, log } = await inFrontOf((asked) =>
    Object.entries(body).every(([name, value]) => asked.body[name] === value) && asked.body['user'] === 'bad'
      ? refused
      : REPLY,
  );
  for (let request = 0; request < 5; request++) {
    expect((await chat({ ...body, user: 'bad' })).status).toBe(status);
  }
  expect((await chat({})).status).toBe(200);
  expect(log.join('')).not.toMatch(/breaker|refuses the key/);
});

test("the client's account is not passed on, unless the provider's settings say so", async () => {
  const theirs = {
    'openai-organization': 'org-theirs',
    'openai-project': 'proj-theirs',
    'openai-beta': 'b=1',
    'x-mine': '1',
  };
  const { chat, provider } = await inFrontOf(REPLY);
  await chat({}, theirs);
  const sent = provider.seen[0]!.headers;
  expect(sent).toMatchObject({ 'openai-beta': 'b=1' });
  expect(JSON.stringify(sent)).not.toMatch(/theirs|x-mine/);

  const second = await scriptedProvider(REPLY);
  const pass_headers = ['OpenAI-Organization', 'x-mine'];
  const { url } = await gatewayForTest({
    config: {
      providers: { first: { kind: 'openai-compatible', base_url: `${second.url}/v1`, pass_headers } },
      models: { 'first/small': {}, 'first/large': {} },
      profiles: {},
    },
  });
  await postRaw(url, '/v1/chat/completions', ask('Hello', 'first/small'), theirs);
  expect(second.seen[0]!.headers).toMatchObject({ 'openai-organization': 'org-theirs', 'x-mine': '1' });
  expect(JSON.stringify(second.seen[0]!.headers)).not.toContain('proj-theirs');
});

test("what the provider's site tells a browser does not reach the client", async () => {
  const site = {
    'access-control-allow-origin': '*',
    'access-control-allow-credentials': 'true',
    'cross-origin-resource-policy': 'cross-origin',
    'content-security-policy': "default-src 'none'",
    'set-cookie': 'a=1',
    server: 'cloudflare',
    'x-powered-by': 'x',
    location: 'https://elsewhere.test',
    'x-ratelimit-remaining-requests': '7',
    'x-request-id': 'r1',
  };
  const { chat } = await inFrontOf({ ...REPLY, headers: site });
  const { headers, status } = await chat({});
  expect(status).toBe(200);
  expect(headers.get('x-ratelimit-remaining-requests')).toBe('7');
  const { 'x-ratelimit-remaining-requests': _, 'x-request-id': __, ...withheld } = site;
  expect(Object.keys(withheld).filter((name) => headers.has(name))).toEqual([]);
});
