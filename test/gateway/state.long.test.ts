import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { createKey } from '../../router/access/index.ts';
import { decisionRecordSchema } from '../../router/records/decision-record.ts';
import { openState } from '../../router/state/index.ts';
import { freePort, startPostgres, stopPostgres } from '../../scripts/bench/database-servers.mjs';
import { cli, expectRefusal, jsonOf, stdoutOf } from '../cli/run-cli.ts';
import { HAS_POSTGRES, HAS_REDIS, postgresUrl, redisUrl } from '../helpers/databases.ts';
import { rawProvider } from './raw-provider.ts';
import {
  ask,
  clientsOf,
  gatewayForTest,
  PRICED_MODELS,
  type RunningGateway,
  type Wishes,
} from './running-gateway.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'plimsoll-gateway-state-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let files = 0;
const newPlace = (name: string) => path.join(scratch, `${files++}-${name}`);

type Changes = NonNullable<Wishes['config']>;

/** A limit of each API key by itself. */
const eachKey = (...windows: Record<string, string>[]) => [{ for: { key: '*' }, windows }];

/** A gateway with one API key, and that key's clients. */
async function withKey(config: Changes, keysFile = newPlace('keys.json'), firstUrl?: string) {
  const { key, stored } = createKey(keysFile, { name: 'tests', now: new Date() });
  const access = { ...config.access, keys_file: keysFile };
  const running = await gatewayForTest({ config: { ...config, access }, ...(firstUrl && { firstUrl }) });
  return { ...running, ...clientsOf(running.url, key), key, keyId: stored.id, keysFile };
}

async function readyz({ url }: Pick<RunningGateway, 'url'>) {
  return (await (await fetch(`${url}/readyz`)).json()) as {
    status: string;
    troubles: string[];
    instances?: object[];
  };
}

/** The command as a user runs it. */
async function plimsoll(args: readonly string[], config: object, env: Record<string, string> = {}) {
  const file = newPlace('config.yaml');
  writeFileSync(file, JSON.stringify(config)); // YAML has JSON in it
  return cli([...args, '--config', file], { env });
}

test('the decision log in SQLite is the one of a file: status, export, erasure', async () => {
  const state = {
    kind: 'sqlite' as const,
    url: newPlace('state.db'),
    encryption_keys_env: 'GATEWAY_STATE_KEYS',
  };
  const env = { GATEWAY_STATE_KEYS: `k:${Buffer.alloc(32, 3).toString('base64')}` };
  Object.assign(process.env, env);
  const running = await gatewayForTest({
    config: { state, decision_log: { to: 'state', include_prompt: true } },
  });
  await running.openai.chat.completions.create({ ...ask('What is the capital of France?'), user: 'ann' });
  await running.anthropic.messages.create({ ...ask('And of Spain?'), metadata: { user_id: 'bob' } });
  await running.close();
  expect(readFileSync(state.url).includes('capital of France')).toBe(false);
  expect(readFileSync(state.url).includes('ann')).toBe(false);

  const status = jsonOf(await plimsoll(['state', 'status', '--json'], { state }, env));
  // Two prompts, and the secret that session ids are hashed with.
  expect(status).toMatchObject({ streams: [{ stream: 'decisions', records: 2 }], textsByKey: { k: 3 } });
  const exported = async () =>
    stdoutOf(await plimsoll(['state', 'export'], { state }, env))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => decisionRecordSchema.parse(JSON.parse(line)));
  expect((await exported()).map(({ prompt, dialect }) => [dialect, prompt])).toEqual([
    ['openai', 'What is the capital of France?'],
    ['anthropic', 'And of Spain?'],
  ]);
  expect(jsonOf(await plimsoll(['state', 'erase', '--user', 'ann', '--json'], { state }, env))).toEqual({
    records: 1,
    documents: 0,
  });
  expect((await exported()).map(({ dialect }) => dialect)).toEqual(['anthropic']);
  expect(stdoutOf(await plimsoll(['state', 'prune', '--max-bytes', '0'], { state }, env))).toBe(
    'Dropped 1 records, 0 entries of the ledger and 0 documents.\n',
  );
});

test('texts are not encrypted with a key that a server at work does not have', async () => {
  const keyOf = (id: string, byte: number) => `${id}:${Buffer.alloc(32, byte).toString('base64')}`;
  const old = keyOf('old', 4);
  process.env['ROTATED_KEYS'] = old;
  const state = { kind: 'sqlite' as const, url: newPlace('rotated.db'), encryption_keys_env: 'ROTATED_KEYS' };
  const running = await gatewayForTest({ config: { state, threads: 'on' } });
  const { id } = await running.openai.responses.create({ model: 'first/small', input: 'Hello' });
  const reencrypt = () =>
    plimsoll(['state', 'reencrypt'], { state }, { ROTATED_KEYS: `${keyOf('new', 5)},${old}` });
  expectRefusal(await reencrypt(), /does not have the key "new".*Restart it with this key/s);
  expect((await running.openai.responses.retrieve(id)).id).toBe(id);
  expect(await readyz(running)).not.toHaveProperty('instances');
  await running.close();
  expect(stdoutOf(await reencrypt())).toMatch(/^Encrypted [1-9]\d* texts anew/);
});

test('a rate: further requests get a 429 with retry-after, of this key alone', async () => {
  const { openai, url, keysFile } = await withKey({ limits: eachKey({ '1h': '2 requests' }) });
  for (let i = 0; i < 2; i++) await openai.chat.completions.create(ask('Hi'));
  const refusal = await openai.chat.completions.create(ask('Hi')).catch((error) => error);
  expect(refusal).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
  expect(Number(refusal.headers.get('retry-after'))).toBeGreaterThan(0);
  const other = createKey(keysFile, { name: 'other', now: new Date() });
  const clients = clientsOf(url, other.key);
  await expect
    .poll(() =>
      clients.openai.chat.completions.create(ask('Hi')).then(
        () => 'ok',
        () => 'not yet',
      ),
    )
    .toBe('ok');
});

test('tokens count what the reply used', async () => {
  const { openai } = await withKey({ limits: eachKey({ '1h': '1010 tokens' }) });
  await openai.chat.completions.create(ask('Hi'));
  await expect(openai.chat.completions.create(ask('Hi'))).rejects.toMatchObject({ status: 429 });
});

describe.each(['sqlite', 'postgres'] as const)('with a budget in %s', (kind) => {
  const stateOf = async () =>
    kind === 'sqlite' ? { kind, url: newPlace('budget.db') } : { kind, url: await postgresUrl() };

  test.skipIf(kind === 'postgres' && !HAS_POSTGRES)(
    'a key that has spent it is refused, on every instance, and the official clients do not try again',
    async () => {
      const state = await stateOf();
      const config: Changes = { state, models: PRICED_MODELS, limits: eachKey({ '24h': '0.0208 usd' }) };
      const first = await withKey(config);
      await first.openai.chat.completions.create(ask('Hi')); // settled before it ended
      const second = await gatewayForTest({
        config: { ...config, access: { ...config.access, keys_file: first.keysFile } },
      });
      for (const url of [first.url, second.url]) {
        const { openai, anthropic } = clientsOf(url, first.key);
        const refusal = await openai.chat.completions
          .create(ask('Hi'), { maxRetries: 2 })
          .catch((error) => error);
        expect(refusal).toMatchObject({ status: 429, code: 'insufficient_quota' });
        await expect(anthropic.messages.create(ask('Hi'), { maxRetries: 2 })).rejects.toMatchObject({
          status: 429,
        });
      }
      expect(await metricOf(first, 'plimsoll_ledger_waiting')).toBe(0);
    },
  );

  test.skipIf(kind === 'postgres' && !HAS_POSTGRES)('a stream is settled before its end', async () => {
    const { openai } = await withKey({
      state: await stateOf(),
      models: PRICED_MODELS,
      limits: eachKey({ month: '0.02093 usd' }),
    });
    const stream = await openai.chat.completions.create({ ...ask('Hi'), stream: true });
    for await (const _ of stream);
    await expect(openai.chat.completions.create({ ...ask('Hi'), stream: true })).rejects.toMatchObject({
      status: 429,
    });
  });
});

test('a stream whose provider does not say its tokens counts with its output, by an estimate', async () => {
  const event = (delta: object, reason: string | null) =>
    `data: ${JSON.stringify({ object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;
  const silent = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let i = 0; i < 16; i++) response.write(event({ content: ' heron' }, null));
    response.end(`${event({}, 'stop')}data: [DONE]\n\n`);
  }).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  onTestFinished(() => void silent.close());
  const state = { kind: 'sqlite' as const, url: newPlace('stream.db') };
  const { openai, keyId, close, gateway } = await withKey(
    { state, models: PRICED_MODELS, limits: eachKey({ '24h': '10 usd' }) },
    undefined,
    `http://127.0.0.1:${(silent.address() as AddressInfo).port}/v1`,
  );
  const stream = await openai.chat.completions.create({ ...ask('Hi', 'first/small'), stream: true });
  for await (const _ of stream);
  await expect
    .poll(() => gateway.metrics.exposition())
    .toContain('plimsoll_streams_without_usage_total{model="first/small"} 1');
  await close();
  const opened = await openState({ ...state, migrate: 'manual' });
  const { outputTokens, nanoUsd } = await opened.ledger.spent(keyId, '2000-01-01');
  await opened.close();
  // The reply has 16 words, each a token and an event.
  expect(outputTokens).toBeGreaterThanOrEqual(16);
  expect(outputTokens).toBeLessThan(32);
  expect(nanoUsd).toBeGreaterThanOrEqual(16 * 2_000);
});

test('the ledger has the tokens that the provider read from its cache and wrote to it', async () => {
  const usage = {
    prompt_tokens: 100,
    completion_tokens: 2,
    total_tokens: 102,
    prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 30 },
  };
  const message = { role: 'assistant', content: 'Yes.' };
  const reply = {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'small',
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    usage,
  };
  const { url } = await rawProvider(() => ({ body: reply }));
  const state = { kind: 'sqlite' as const, url: newPlace('cached.db') };
  const { openai, keyId, close } = await withKey(
    { state, models: PRICED_MODELS, limits: eachKey({ '24h': '10 usd' }) },
    undefined,
    url,
  );
  for (let i = 0; i < 2; i++) await openai.chat.completions.create(ask('Hi', 'first/small'));
  await close();
  const opened = await openState({ ...state, migrate: 'manual' });
  const spent = await opened.ledger.spent(keyId, '2000-01-01');
  await opened.close();
  expect(spent).toMatchObject({ inputTokens: 200, cachedInputTokens: 120, cacheWriteInputTokens: 60 });
});

async function metricOf({ url, key }: { url: string; key: string }, name: string): Promise<number> {
  const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${key}` } });
  const line = (await response.text()).split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.split(' ')[1]);
}

test('limits without API keys are refused at the start', async () => {
  await expect(gatewayForTest({ config: { limits: eachKey({ '1m': '1 requests' }) } })).rejects.toMatchObject(
    {
      code: 'invalid-config',
      place: { field: 'limits' },
    },
  );
});

describe.skipIf(!HAS_REDIS)('with Redis', () => {
  test('one that is away is said in readyz', async () => {
    const redis = { url: `redis://127.0.0.1:${await freePort()}` };
    const first = await withKey({ redis });
    await first.openai.chat.completions.create(ask('Hi'));
    expect(await readyz(first)).toMatchObject({
      status: 'degraded',
      troubles: [expect.stringContaining('Redis cannot be reached')],
    });
  });
});

describe.skipIf(!HAS_POSTGRES)('with PostgreSQL', () => {
  test('instances that serve different things say so in readyz', async () => {
    const state = { kind: 'postgres' as const, url: await postgresUrl() };
    const first = await gatewayForTest({ config: { state, instances: 2 } });
    const second = await gatewayForTest({ config: { state, instances: 2, aliases: { 'gpt-9': 'auto' } } });
    await expect.poll(async () => (await readyz(second)).instances?.length).toBe(2);
    expect((await readyz(second)).troubles).toEqual(['The 2 instances serve 2 different configurations.']);
    await first.close();
  });

  test('away at the start and later: requests go on, the log waits and is stored, budgets fail closed', async () => {
    const folder = newPlace('postgres');
    mkdirSync(folder);
    onTestFinished(() => stopPostgres(folder));
    const port = await freePort();
    const state = { kind: 'postgres' as const, url: `postgres://postgres@127.0.0.1:${port}/postgres` };
    const open = await withKey({
      state: { ...state, on_unavailable: 'open' },
      decision_log: { to: 'state' },
      models: PRICED_MODELS,
      limits: eachKey({ '24h': '1000 usd' }),
    });
    const closed = await withKey({ state, models: PRICED_MODELS, limits: eachKey({ '24h': '1000 usd' }) });
    await open.openai.chat.completions.create(ask('Hi'));
    await expect(closed.openai.chat.completions.create(ask('Hi'))).rejects.toMatchObject({
      status: 503,
      code: 'state_unavailable',
    });
    expect(await readyz(open)).toMatchObject({ status: 'degraded' });
    expect(await metricOf(open, 'plimsoll_state_away')).toBe(1);

    await startPostgres(folder, port);
    await expect.poll(() => metricOf(open, 'plimsoll_ledger_waiting')).toBe(0);
    await expect.poll(() => metricOf(open, 'plimsoll_decision_log_records_total{outcome="written"}')).toBe(1);
    await expect
      .poll(() =>
        closed.openai.chat.completions.create(ask('Hi')).then(
          () => 'ok',
          () => 'not yet',
        ),
      )
      .toBe('ok');
    expect(await metricOf(open, 'plimsoll_state_away')).toBe(0);

    stopPostgres(folder, 'immediate');
    await open.openai.chat.completions.create(ask('Hi'));
    await expect.poll(async () => (await readyz(open)).status).toBe('degraded');
    await startPostgres(folder, port);
    await expect.poll(() => metricOf(open, 'plimsoll_decision_log_records_total{outcome="written"}')).toBe(2);
  });
});

test('keys in the state: made by the command, shared by instances, and dead everywhere when revoked', async () => {
  const state = { kind: 'sqlite' as const, url: newPlace('keys.db') };
  const config: Changes = { state, access: { keys_in_state: true } };
  const made = jsonOf(await plimsoll(['keys', 'create', '--name', 'tests', '--json'], config));
  const instances = await Promise.all([gatewayForTest({ config }), gatewayForTest({ config })]);
  const ask200 = ({ url }: RunningGateway) =>
    clientsOf(url, made.key)
      .openai.chat.completions.create(ask('Hi'))
      .then(
        () => 200,
        (error) => error.status,
      );
  expect(await Promise.all(instances.map(ask200))).toEqual([200, 200]);
  expect(stdoutOf(await plimsoll(['keys', 'list'], config))).toMatch(
    new RegExp(`${made.id} +tests .* valid`),
  );
  stdoutOf(await plimsoll(['keys', 'revoke', made.id], config));
  await expect.poll(() => Promise.all(instances.map(ask200))).toEqual([403, 403]);
});

test.skipIf(!HAS_REDIS)(
  'a breaker that opens at one instance opens at the other, and closes with it',
  async () => {
    const redis = { url: await redisUrl() };
    const upstream = { breaker: { min_attempts: 1, window: 1, open_ms: 60_000 }, retry: { max_retries: 0 } };
    const config: Changes = { redis, upstream };
    const [first, second] = await Promise.all([gatewayForTest({ config }), gatewayForTest({ config })]);
    await expect.poll(async () => (await readyz(first)).status).toBe('ready');
    await expect.poll(async () => (await readyz(second)).status).toBe('ready');
    await first.first.close(); // the provider of the first instance is gone
    await first.openai.chat.completions.create(ask('Hi', 'first/small')).catch(() => {});
    const metrics = async () => (await fetch(`${second.url}/metrics`)).text();
    await expect.poll(metrics).toContain('plimsoll_breaker_state{model="first/small",state="open"} 1');
  },
);
