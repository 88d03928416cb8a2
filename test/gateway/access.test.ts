import path from 'node:path';
import { expect, test } from 'vitest';
import { createKey, revokeKey } from '../../router/access/index.ts';
import { configSchema } from '../../router/config/index.ts';
import { openGateway } from '../../router/gateway/open-gateway.ts';
import { createLogger } from '../../router/telemetry/index.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { ask, clientsOf, gatewayForTest, postRaw, UPSTREAM_KEY } from './running-gateway.ts';

/** A keys file with one good key, one that has expired and one that was revoked. */
function keysOnFile() {
  const file = path.join(scratchFolder(), 'keys.json');
  const now = new Date();
  const good = createKey(file, { name: 'good', now });
  const expired = createKey(file, { name: 'old', now, expires: new Date(now.getTime() - 1) });
  const revoked = createKey(file, { name: 'gone', now });
  revokeKey(file, revoked.stored.id, now);
  return { file, good: good.key, id: good.stored.id, expired: expired.key, revoked: revoked.key };
}

test('with a key both clients are served; the upstream gets its own key, not the client’s', async () => {
  const { file, good } = keysOnFile();
  const { url, first } = await gatewayForTest({ config: { access: { keys_file: file } } });
  const { openai, anthropic } = clientsOf(url, good);
  expect((await openai.chat.completions.create(ask('Hello'))).object).toBe('chat.completion');
  expect((await anthropic.messages.create(ask('Hello', 'auto:claude'))).type).toBe('message');
  expect((await openai.models.list()).data.length).toBeGreaterThan(3);
  expect((await anthropic.models.list()).data.length).toBeGreaterThan(3);
  const [ofOpenai, ofAnthropic] = first.requests.map(({ headers }) => headers);
  expect(ofOpenai).toMatchObject({ authorization: `Bearer ${UPSTREAM_KEY}` });
  expect(ofAnthropic).toMatchObject({ 'x-api-key': UPSTREAM_KEY });
  expect(JSON.stringify(first.requests)).not.toContain(good);
});

test('an unknown key is 401, an expired or revoked one 403, in the form of each client', async () => {
  const { file, good, expired, revoked } = keysOnFile();
  const { url, first, gateway } = await gatewayForTest({ config: { access: { keys_file: file } } });
  const unknown = `${good.slice(0, -4)}0000`;
  for (const [key, status, type] of [
    ['not-even-the-form-of-a-key', 401, 'authentication_error'],
    [unknown, 401, 'authentication_error'],
    [expired, 403, 'permission_error'],
    [revoked, 403, 'permission_error'],
  ] as const) {
    const { openai, anthropic } = clientsOf(url, key);
    const ofOpenai = { status, type, code: 'invalid_api_key' };
    await expect(openai.chat.completions.create(ask('Hello'))).rejects.toMatchObject(ofOpenai);
    await expect(openai.models.list()).rejects.toMatchObject(ofOpenai);
    const ofAnthropic = { status, error: { type: 'error', error: { type } } };
    await expect(anthropic.messages.create(ask('Hello'))).rejects.toMatchObject(ofAnthropic);
    await expect(anthropic.models.list()).rejects.toMatchObject(ofAnthropic);
  }
  expect(first.requests).toHaveLength(0);
  const told = await gateway.metrics.exposition();
  expect(told).toContain('plimsoll_refused_requests_total{dialect="openai",status="401"} 4');
  expect(told).toContain('plimsoll_refused_requests_total{dialect="anthropic",status="403"} 4');
});

test('without a key: 401 on every route that calls, lists or counts; health stays open', async () => {
  const { file } = keysOnFile();
  const { url } = await gatewayForTest({ config: { access: { keys_file: file } } });
  for (const route of ['/v1/chat/completions', '/v1/messages', '/v1/embeddings']) {
    const refused = await postRaw(url, route, ask('Hello'));
    expect([route, refused.status, refused.headers.get('www-authenticate')]).toEqual([route, 401, 'Bearer']);
  }
  for (const route of ['/v1/models', '/metrics']) expect((await fetch(`${url}${route}`)).status).toBe(401);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});

test('whoever asks for /v1/messages reads the refusal in Anthropic’s form, without its version too', async () => {
  const { file } = keysOnFile();
  const { url } = await gatewayForTest({ config: { access: { keys_file: file } } });
  const ofAnthropic = { type: 'error', error: { type: 'authentication_error' } };
  for (const route of ['/v1/messages', '/v1/messages?beta=true', '/v1/messages/']) {
    const refused = await postRaw(url, route, ask('Hello'));
    expect([route, await refused.json()]).toMatchObject([route, ofAnthropic]);
  }
  const other = await postRaw(url, '/v1/messages-of-another', ask('Hello'));
  expect(await other.json()).toMatchObject({ error: { code: 'invalid_api_key' } });
});

test('the books name the key by its id', async () => {
  const { file, good, id } = keysOnFile();
  const log = path.join(scratchFolder(), 'decisions.jsonl');
  const running = await gatewayForTest({
    config: { access: { keys_file: file }, decision_log: { file: log } },
  });
  await clientsOf(running.url, good).openai.chat.completions.create(ask('Hello'));
  await running.close();
  const { readFileSync } = await import('node:fs');
  expect(JSON.parse(readFileSync(log, 'utf8'))).toMatchObject({ key_id: id, status: 200 });
});

test('no keys are needed on a loopback address alone', async () => {
  const logger = createLogger('silent');
  const opened = (server: object, access: object) =>
    openGateway(configSchema.parse({ server, access }), logger);
  const refused = { code: 'invalid-config', place: { field: 'access.keys_file' } };
  await expect(opened({ host: '0.0.0.0' }, {})).rejects.toMatchObject(refused);
  await expect(opened({ host: '::' }, {})).rejects.toMatchObject(refused);
  await expect(opened({ host: '0.0.0.0' }, { required: false })).rejects.toMatchObject({
    code: 'invalid-config',
    place: { field: 'access.required' },
  });
  const { file } = keysOnFile();
  const guarded = await opened({ host: '0.0.0.0' }, { keys_file: file });
  expect(guarded.access).toBeDefined();
  const local = await opened({ host: '127.0.0.1' }, {});
  expect(local.access).toBeUndefined();
  await Promise.all([guarded.close(), local.close()]);
});
