import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createKey } from '../../router/access/index.ts';
import { openState } from '../../router/state/index.ts';
import { ask, clientsOf, gatewayForTest, PRICED_MODELS, postRaw, type Wishes } from './running-gateway.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'plimsoll-limits-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let files = 0;
const newPlace = (name: string) => path.join(scratch, `${files++}-${name}`);

type Limits = NonNullable<NonNullable<Wishes['config']>['limits']>;

/** A gateway with such limits, and what its ledger holds in the end. */
async function limited(limits: Limits, config: Wishes['config'] = {}) {
  const state = { kind: 'sqlite' as const, url: newPlace('state.db') };
  const running = await gatewayForTest({ config: { models: PRICED_MODELS, ...config, limits, state } });
  /** @param isOver until then it waits */
  const windows = async (isOver: (held: { readonly reserved: number }[]) => boolean = () => true) => {
    const watching = await openState({ ...state, migrate: 'manual' });
    await expect.poll(async () => isOver([...(await watching.ledger.windows(Date.now()))])).toBe(true);
    await watching.close();
    await running.close();
    const opened = await openState({ ...state, migrate: 'manual' });
    const held = await opened.ledger.windows(Date.now());
    await opened.close();
    return held.map(({ scope, window, reserved, settled }) => ({ scope, window, reserved, settled }));
  };
  return { ...running, windows };
}

test('a request that says nothing of its length is sent with the default, of which the most expensive model may take all', async () => {
  const limits = [{ windows: [{ '24h': '1 usd' }] }];
  const { first, openai, url, windows } = await limited(limits, { budgets: { default_max_tokens: 100 } });
  const { max_tokens: _, ...open } = ask('Hi', 'first/small');
  await openai.chat.completions.create(open);
  expect(first.requests.at(-1)?.body).toMatchObject({ max_tokens: 100, model: 'small' });
  await postRaw(url, '/v1/responses', { model: 'first/small', input: 'Hi' });
  expect(first.requests.at(-1)?.body).toMatchObject({ max_tokens: 100 });
  await openai.chat.completions.create(ask('Hi', 'first/small'));
  expect(first.requests.at(-1)?.body).toMatchObject({ max_tokens: 1_000 });
  const [window] = await windows();
  expect(window).toMatchObject({ scope: 'all', window: '24h usd', reserved: 0 });
});

test('the ledger has what the provider counted, to the billionth of a dollar, of whole replies and of streams', async () => {
  const { openai, anthropic, windows } = await limited([{ windows: [{ '24h': '1 usd' }] }]);
  let expected = 0;
  for (const model of ['first/small', 'first/large']) {
    const [input, output] = model === 'first/small' ? [1_000, 2_000] : [10_000, 20_000];
    const { usage } = await openai.chat.completions.create(ask('How many are there?', model));
    expected += usage!.prompt_tokens * input + usage!.completion_tokens * output;
    const options = { stream: true, stream_options: { include_usage: true } } as const;
    const stream = await openai.chat.completions.create({ ...ask('And now?', model), ...options });
    for await (const { usage } of stream)
      if (usage) expected += usage.prompt_tokens * input + usage.completion_tokens * output;
  }
  const { usage } = await anthropic.messages.create(ask('And you?', 'claude/large'));
  expected += usage.input_tokens * 3_000 + usage.output_tokens * 15_000;
  expect(await windows()).toEqual([{ scope: 'all', window: '24h usd', reserved: 0, settled: expected }]);
});

test('a stream that breaks off, a client that leaves and a refusal of the provider leave nothing reserved', async () => {
  const { first, openai, windows } = await limited([
    { windows: [{ '24h': '1 usd' }, { '24h': '9 requests' }] },
  ]);
  first.faults.push('reset');
  const broken = await openai.chat.completions.create({ ...ask('Hi', 'first/small'), stream: true });
  await expect(
    (async () => {
      for await (const _ of broken);
    })(),
  ).rejects.toThrow();
  first.faults.push('500', '500');
  await expect(openai.chat.completions.create(ask('Hi', 'first/small'))).rejects.toMatchObject({
    status: 503,
  });
  first.faults.push('slow-first-byte');
  const leaving = new AbortController();
  const left = openai.chat.completions.create(ask('Hi', 'first/small'), { signal: leaving.signal });
  await expect.poll(() => first.requests.length).toBe(4);
  leaving.abort();
  await expect(left).rejects.toThrow();
  const [requests, usd] = await windows((held) => held.every(({ reserved }) => reserved === 0));
  expect(requests).toMatchObject({ window: '24h requests', reserved: 0, settled: 3 });
  expect(usd).toMatchObject({ window: '24h usd', reserved: 0 });
  expect(usd!.settled).toBeGreaterThan(0);
});

test('both dialects say what is left, and a refusal says when to come back', async () => {
  const { url } = await limited([{ windows: [{ '1h': '2 requests' }, { '1h': '9_000 tokens' }] }]);
  const openai = await postRaw(url, '/v1/chat/completions', ask('Hi', 'first/small'));
  expect(openai.headers.get('x-ratelimit-limit-requests')).toBe('2');
  expect(openai.headers.get('x-ratelimit-remaining-requests')).toBe('1');
  expect(openai.headers.get('x-ratelimit-reset-requests')).toMatch(/^(?:\d+m)?\d+s$|^\d+ms$/);
  expect(Number(openai.headers.get('x-ratelimit-remaining-tokens'))).toBeLessThan(8_000);
  const claude = await postRaw(url, '/v1/messages', ask('Hi', 'claude/small'));
  expect(claude.headers.get('anthropic-ratelimit-requests-limit')).toBe('2');
  expect(claude.headers.get('anthropic-ratelimit-requests-remaining')).toBe('0');
  expect(Date.parse(claude.headers.get('anthropic-ratelimit-tokens-reset')!)).toBeGreaterThan(Date.now());
  const refused = await postRaw(url, '/v1/messages', ask('Hi', 'claude/small'));
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(2);
  expect(await refused.json()).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } });
  const counting = await postRaw(url, '/v1/messages/count_tokens', ask('Hi', 'claude/small'));
  expect(counting.status).toBe(429);
});

test('a request that alone may pass the limit is told so, and is not tried again', async () => {
  const { openai, first } = await limited([{ windows: [{ '1h': '0.001 usd' }] }]);
  const refusal = await openai.chat.completions
    .create(ask('Hi', 'first/large'), { maxRetries: 2 })
    .catch((error) => error);
  expect(refusal).toMatchObject({ status: 429, code: 'insufficient_quota' });
  expect(refusal.message).toMatch(/may take more usd than the limit of 0\.001 USD in 1h for all requests/);
  expect(first.requests).toHaveLength(0);
});

test.each([
  ['0.001 usd', '/v1/chat/completions', 'first/large'],
  ['10 tokens', '/v1/chat/completions', 'first/large'],
  ['10 tokens', '/v1/messages', 'claude/large'],
])('a request that never fits into %s is told no time to come back (%s)', async (window, route, model) => {
  const { url, first } = await limited([{ windows: [{ '1h': window }] }]);
  const { status, headers } = await postRaw(url, route, ask('Hi', model));
  expect([status, headers.get('retry-after'), headers.get('x-should-retry')]).toEqual([429, null, 'false']);
  expect(first.requests).toHaveLength(0);
});

test('where only one model has no room the next candidate is called, and a client that names it is refused', async () => {
  const limits = [{ for: { model: 'first/small' }, windows: [{ '1h': '1 request' }] }];
  const { openai, url } = await limited(limits);
  await openai.chat.completions.create(ask('Hi', 'first/small'));
  const routed = await postRaw(url, '/v1/chat/completions', ask('Hi'));
  expect([routed.status, routed.headers.get('x-plimsoll-served')]).toEqual([200, 'first/large']);
  await expect(openai.chat.completions.create(ask('Hi', 'first/small'))).rejects.toMatchObject({
    status: 429,
  });
});

test('teams and tags have limits of their own', async () => {
  const keysFile = newPlace('keys.json');
  const { key } = createKey(keysFile, { name: 'one', team: 'search', now: new Date() });
  const other = createKey(keysFile, { name: 'other', now: new Date() });
  const limits = [
    { for: { team: 'search' }, windows: [{ '1h': '1 request' }] },
    { for: { tag: 'nightly' }, windows: [{ '1h': '1 request' }] },
  ];
  const { url } = await limited(limits, { access: { keys_file: keysFile } });
  const status = (apiKey: string, headers = {}) =>
    clientsOf(url, apiKey)
      .openai.chat.completions.create(ask('Hi', 'first/small'), { headers })
      .then(
        () => 200,
        (error) => error.status,
      );
  expect([await status(key), await status(key)]).toEqual([200, 429]);
  const tagged = { 'x-plimsoll-tags': 'nightly' };
  expect([await status(other.key), await status(other.key, tagged), await status(other.key, tagged)]).toEqual(
    [200, 200, 429],
  );
});

test.each([
  [{ for: { model: 'first/smal' }, windows: [{ '1h': '1 usd' }] }, /no model "first\/smal"\. Did you mean/],
  [{ for: { provider: 'thrid' }, windows: [{ '1h': '1 usd' }] }, /no provider "thrid"/],
  [{ for: { profile: 'clause' }, windows: [{ '1h': '1 usd' }] }, /Did you mean "claude"/],
  [{ windows: [{ '1h': '1 usd' }] }, /claude\/large has no price: set models\.claude\/large\.price/],
  [{ for: { key: '*' }, windows: [{ '1h': '1 usd' }] }, /requests need no keys here/],
])('a limit that cannot hold is refused at the start: %j', async (limit, message) => {
  const starting = gatewayForTest({ config: { limits: [limit], state: { kind: 'memory' } } });
  await expect(starting).rejects.toMatchObject({
    code: 'invalid-config',
    message: expect.stringMatching(message),
  });
});
