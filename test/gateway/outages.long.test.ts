import { expect, test } from 'vitest';
import { type Fault, startFakeProvider } from '../../scripts/fake-provider/index.ts';
import { ask, gatewayForTest, postRaw, QUICK_UPSTREAM, type Wishes } from './running-gateway.ts';

/** cheap at one provider, strong at the other, whose equal stands at the first. */
const TWO_PROVIDERS: Wishes['config'] = {
  ladder: { cheap: 'first/small', strong: 'second/large' },
  profiles: { claude: { ladder: { cheap: 'claude/small', strong: 'claude2/large' } } },
  upstream: { ...QUICK_UPSTREAM, fallbacks: { 'second/large': ['first/large'] } },
};

/** Whatever fails before the first byte of an answer. */
const BEFORE_THE_FIRST_BYTE: readonly Fault[] = [
  '401',
  '403',
  '404',
  '408',
  '429',
  '500',
  '502',
  '503',
  '529',
  'slow-first-byte',
  'reset-first',
  'html',
  'wrong-type',
];
const WORDS = /^[\w-]+:( \S+){16}$/;

test.each(BEFORE_THE_FIRST_BYTE)('%s of the cheap model escalates, in both dialects', async (fault) => {
  const timeouts = { first_byte_ms: fault === 'slow-first-byte' ? 300 : 1_000 };
  const upstream = { ...QUICK_UPSTREAM, timeouts };
  const { first, openai, anthropic, artifact } = await gatewayForTest({
    config: { ...TWO_PROVIDERS, upstream },
  });
  first.failAlways(fault);
  const easy = artifact.easy[0]!;
  const plain = await openai.chat.completions.create(ask(easy)).withResponse();
  expect(plain.data).toMatchObject({
    model: 'large',
    choices: [{ message: { content: expect.stringMatching(WORDS) } }],
  });
  expect(plain.response.headers.get('x-plimsoll-selected')).toBe('first/small');
  expect(plain.response.headers.get('x-plimsoll-served')).toBe('second/large');
  expect(plain.response.headers.get('x-plimsoll-reason')).toBe('within-threshold');
  expect(Number(plain.response.headers.get('x-plimsoll-attempts'))).toBeGreaterThan(1);
  const streamed = await openai.chat.completions.stream(ask(easy)).finalChatCompletion();
  expect(streamed.model).toBe('large');
  expect(streamed.choices[0]!.message.content).toBe(plain.data.choices[0]!.message.content);
  const message = await anthropic.messages.stream(ask(easy, 'auto:claude')).finalMessage();
  expect(message).toMatchObject({ model: 'claude-sonnet-4-5', stop_reason: 'end_turn' });
});

test.each<Fault>(['reset', 'stall', 'half-event', 'broken-json'])(
  'a plain answer that breaks off half-way (%s) is asked of the next: the client has seen nothing of it',
  async (fault) => {
    const { first, openai, artifact } = await gatewayForTest({
      config: {
        ...TWO_PROVIDERS,
        upstream: { ...QUICK_UPSTREAM, timeouts: { idle_ms: 200, first_byte_ms: 300, total_ms: 500 } },
      },
    });
    first.failAlways(fault);
    const { model, choices } = await openai.chat.completions.create(ask(artifact.easy[0]!));
    expect(model).toBe('large');
    expect(choices[0]!.message.content).toMatch(WORDS);
  },
);

test('an outage of the strong model goes to its equal at the other provider, never to the cheap one', async () => {
  const { first, second, openai, artifact } = await gatewayForTest({ config: TWO_PROVIDERS });
  second.failAlways('503');
  const { data, response } = await openai.chat.completions.create(ask(artifact.hard[0]!)).withResponse();
  expect(data.model).toBe('large');
  expect(response.headers.get('x-plimsoll-served')).toBe('first/large');
  expect(response.headers.get('x-plimsoll-selected')).toBe('second/large');
  expect(first.requests.map(({ body }) => body['model'])).toEqual(['large']);
});

test('all down: 503 in the form of each dialect, and no word of the providers’ own', async () => {
  const { first, second, openai, anthropic, artifact } = await gatewayForTest({ config: TWO_PROVIDERS });
  for (const upstream of [first, second]) upstream.failAlways('500');
  await expect(openai.chat.completions.create(ask(artifact.easy[0]!))).rejects.toMatchObject({
    status: 503,
    type: 'server_error',
    code: 'unavailable',
    message: expect.stringContaining('No model could answer'),
  });
  await expect(
    anthropic.messages.stream(ask(artifact.easy[0]!, 'auto:claude')).finalMessage(),
  ).rejects.toMatchObject({
    status: 503,
    error: { type: 'error', error: { type: 'overloaded_error', details: { error_code: 'unavailable' } } },
  });
});

test('all servers gone: the same', async () => {
  const { first, second, openai } = await gatewayForTest({ config: TWO_PROVIDERS });
  await Promise.all([first.close(), second.close()]);
  await expect(openai.chat.completions.create(ask('Hello'))).rejects.toMatchObject({ status: 503 });
});

test.each<[Fault, number]>([
  ['401', 503],
  ['404', 503],
  ['408', 503],
  ['429', 429],
  ['500', 503],
  ['502', 503],
  ['503', 503],
  ['529', 503],
  ['html', 503],
  ['wrong-type', 503],
])('a model that is named has no fallback: %s becomes %i', async (fault, status) => {
  const { first, second, openai, anthropic } = await gatewayForTest();
  first.failAlways(fault);
  const failed = { status, headers: expect.any(Headers) };
  await expect(openai.chat.completions.create(ask('Hello', 'first/small'))).rejects.toMatchObject(failed);
  await expect(anthropic.messages.create(ask('Hello', 'claude/small'))).rejects.toMatchObject(failed);
  expect(second.requests).toHaveLength(0);
});

test('the official SDKs do not retry what only the operator can fix', async () => {
  const { first, openai, anthropic } = await gatewayForTest();
  first.failAlways('401');
  const patient = { maxRetries: 5 };
  await expect(openai.chat.completions.create(ask('Hello', 'first/small'), patient)).rejects.toThrow();
  await expect(anthropic.messages.create(ask('Hello', 'claude/small'), patient)).rejects.toThrow();
  expect(first.requests).toHaveLength(2);
});

test('Retry-After is waited for within the budget, and told to the client past it', async () => {
  const patient = await gatewayForTest();
  patient.first.faults.push('429-retry-after');
  const { response } = await patient.openai.chat.completions
    .create(ask('Hello', 'first/small'))
    .withResponse();
  expect(response.headers.get('x-plimsoll-attempts')).toBe('2');
  const retry = { max_retries: 3, budget_ms: 500 };
  const hasty = await gatewayForTest({ config: { upstream: { ...QUICK_UPSTREAM, retry } } });
  hasty.first.faults.push('429-retry-after');
  const refused = await postRaw(hasty.url, '/v1/messages', ask('Hello', 'claude/small'));
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toBe('1');
  expect(await refused.json()).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } });
  expect(hasty.first.requests).toHaveLength(1);
});

test.each<Fault>(['400', '400-context', '400-filter'])(
  'the client’s own fault (%s) comes back as the provider said it, asked once',
  async (fault) => {
    const { first, url } = await gatewayForTest();
    const direct = await fetch(`${first.url}/chat/completions`, {
      method: 'POST',
      headers: { 'x-upstream-fault': fault, authorization: 'Bearer upstream-key-that-nobody-may-see' },
      body: JSON.stringify(ask('Hello', 'small')),
    });
    first.faults.push(fault);
    const through = await postRaw(url, '/v1/chat/completions', ask('Hello', 'first/small'));
    expect(through.status).toBe(400);
    expect(through.headers.get('x-plimsoll-attempts')).toBe('1');
    const said = await direct.json();
    const told = await through.json();
    if (fault === '400') expect(told).toEqual(said);
    else expect(told).toMatchObject({ error: { code: expect.any(String), message: expect.any(String) } });
  },
);

test('a filter of one provider sends the request to the other, a window that is too small to a larger one', async () => {
  const models = {
    'first/small': { context_window: 1_000 },
    'first/large': { context_window: 2_000 },
    'second/large': { context_window: 3_000 },
  };
  const { first, openai, artifact } = await gatewayForTest({
    config: { ...TWO_PROVIDERS, models: { ...MODELS, ...models } },
  });
  for (const fault of ['400-filter', '400-context'] as const) {
    first.faults.push(fault);
    const asked = { ...ask(artifact.easy[0]!), max_tokens: 100 };
    const { response } = await openai.chat.completions.create(asked).withResponse();
    expect(response.headers.get('x-plimsoll-served')).toBe('second/large');
    expect(response.headers.get('x-plimsoll-attempts')).toBe('2');
  }
});

test('a provider that was restarted is asked on a new connection, as if nothing had been', async () => {
  const { first, openai } = await gatewayForTest();
  const request = () => openai.chat.completions.create(ask('Hello', 'first/small')).withResponse();
  await request();
  await first.close();
  const again = await startFakeProvider({ port: first.port });
  try {
    const { response } = await request();
    expect(response.headers.get('x-plimsoll-attempts')).toBe('1');
    expect(again.requests).toHaveLength(1);
  } finally {
    await again.close();
  }
});

test('a picture goes to a model that sees', async () => {
  const blind = { 'first/small': { capabilities: ['tools' as const] }, 'first/large': {} };
  const { openai, anthropic, artifact } = await gatewayForTest({
    config: { models: { ...MODELS, ...blind } },
  });
  const text = { type: 'text' as const, text: artifact.easy[0]! };
  const url = 'data:image/png;base64,iVBORw0KGgo=';
  const picture = { type: 'image_url' as const, image_url: { url } };
  const { response } = await openai.chat.completions
    .create({ model: 'auto', messages: [{ role: 'user', content: [text, picture] }] })
    .withResponse();
  expect(response.headers.get('x-plimsoll-selected')).toBe('first/large');
  expect(response.headers.get('x-plimsoll-reason')).toBe('requirements');
  const without = await openai.chat.completions.create(ask(artifact.easy[0]!)).withResponse();
  expect(without.response.headers.get('x-plimsoll-selected')).toBe('first/small');
  const source = { type: 'base64' as const, media_type: 'image/png' as const, data: 'iVBORw0KGgo=' };
  const seen = await anthropic.messages
    .create({ ...ask(''), messages: [{ role: 'user', content: [{ type: 'image', source }, text] }] })
    .withResponse();
  expect(seen.response.headers.get('x-plimsoll-reason')).toBe('requirements');
});

test('an outage opens the breaker: the model is skipped, and asked again when it is well', async () => {
  const breaker = { window: 4, min_attempts: 2, open_ms: 300 };
  const { first, openai, artifact, gateway } = await gatewayForTest({
    config: { ...TWO_PROVIDERS, upstream: { ...QUICK_UPSTREAM, breaker } },
  });
  const served = async () => {
    const { response } = await openai.chat.completions.create(ask(artifact.easy[0]!)).withResponse();
    return response.headers.get('x-plimsoll-served');
  };
  first.failAlways('500');
  for (let request = 0; request < 6; request++) expect(await served()).toBe('second/large');
  expect(first.requests.length).toBeLessThan(6);
  expect(await gateway.metrics.exposition()).toMatch(/plimsoll_breaker_state\{[^}]*first\/small[^}]*\}/);
  first.failAlways(undefined);
  await expect.poll(served, { timeout: 5_000, interval: 50 }).toBe('first/small');
});

const MODELS = {
  'first/small': {},
  'first/large': {},
  'second/large': {},
  'claude/small': { id: 'claude-haiku-4-5' },
  'claude/large': { id: 'claude-sonnet-4-5' },
  'claude2/large': { id: 'claude-sonnet-4-5' },
};
