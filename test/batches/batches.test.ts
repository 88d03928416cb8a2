import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createKey, revokeKey } from '../../router/access/index.ts';
import { ask, clientsOf, postRaw } from '../gateway/running-gateway.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import {
  batchGateway,
  CHAT,
  chatLine,
  chatLines,
  created,
  ended,
  fakeTime,
  resultLines,
  uploaded,
} from './batch-gateway.ts';

afterEach(() => {
  vi.useRealTimers();
});

function keysFile() {
  const file = path.join(scratchFolder(), 'keys.json');
  return { file, make: (name: string) => createKey(file, { name, now: new Date() }) };
}

describe('a batch, by the official client', () => {
  test('each line is answered, and the report is the sum of the ledger', async () => {
    const { openai, gateway } = await batchGateway();
    const batch = await created(openai, chatLines(40));
    expect(batch).toMatchObject({ object: 'batch', status: 'validating', completion_window: '24h' });
    const done = await ended(openai, batch.id);
    expect(done).toMatchObject({
      status: 'completed',
      request_counts: { total: 40, completed: 40, failed: 0 },
      error_file_id: null,
      errors: null,
    });
    for (const at of ['in_progress_at', 'finalizing_at', 'completed_at'] as const)
      expect(done[at]).toBeGreaterThanOrEqual(done.created_at);
    expect(done.expires_at! - done.created_at).toBe(86_400);
    const lines = await resultLines(openai, done.output_file_id);
    expect(lines.map((line) => line.custom_id).sort()).toEqual(
      Array.from({ length: 40 }, (_, at) => `line-${at}`).sort(),
    );
    expect(lines[0]).toMatchObject({
      id: expect.stringMatching(/^batch_req_/),
      response: {
        status_code: 200,
        request_id: expect.stringMatching(/^dec_/),
        body: { object: 'chat.completion' },
      },
      error: null,
    });
    const spent = await gateway.state!.ledger.spent('', '2000-01-01');
    const report = done.plimsoll!;
    expect([report.requests, spent.requests]).toEqual([40, 40]);
    expect(Math.round(Number(report.cost_usd) * 1e9)).toBe(spent.nanoUsd);
    expect(spent.nanoUsd).toBeGreaterThan(0);
    const byModel = Object.entries(report.by_model);
    expect(byModel.reduce((sum, [, one]) => sum + one.requests, 0)).toBe(40);
    const strong = report.by_model['first/large']?.requests ?? 0;
    expect(report.escalation_rate).toBe(strong / 40);
    expect(Object.values(report.verdicts).reduce((a, b) => a + b)).toBe(40);
  });

  test.each([
    [
      '/v1/messages',
      { model: 'auto:claude', max_tokens: 20, messages: [{ role: 'user', content: 'Hi?' }] },
      'message',
    ],
    ['/v1/responses', { model: 'auto', input: 'Hi?' }, 'response'],
    ['/v1/embeddings', { model: 'first/embedder', input: 'Hi' }, 'list'],
  ] as const)('%s has replies in its own form', async (endpoint, body, kind) => {
    const { openai } = await batchGateway();
    const line = JSON.stringify({ custom_id: 'a', method: 'POST', url: endpoint, body });
    const { id } = await uploaded(openai, [line]);
    const batch = await openai.batches.create({
      input_file_id: id,
      endpoint: endpoint as typeof CHAT,
      completion_window: '24h',
    });
    const done = await ended(openai, batch.id);
    const [result] = await resultLines(openai, done.output_file_id);
    const { object, type } = result!.response!.body;
    expect([result!.response!.status_code, type ?? object]).toEqual([200, kind]);
  });

  test('a line that is refused is in the error file, one that fails for a while is not', async () => {
    const { openai, first, gateway } = await batchGateway({ max_concurrency: 1 });
    first.faults.push('500', '500', '500', '500'); // twice by the gateway, and once more by the batch
    const lines = [chatLine('fails first'), chatLine('no messages', '', { messages: 5 }), chatLine('c')];
    const done = await ended(openai, (await created(openai, lines)).id);
    expect(done.request_counts).toEqual({ total: 3, completed: 2, failed: 1 });
    const [refused, ...others] = await resultLines(openai, done.error_file_id);
    expect(others).toEqual([]);
    expect(refused).toMatchObject({
      custom_id: 'no messages',
      response: { status_code: 400, body: { error: { param: 'messages' } } },
    });
    expect((await resultLines(openai, done.output_file_id)).map((line) => line.custom_id)).toEqual([
      'fails first',
      'c',
    ]);
    const spent = await gateway.state!.ledger.spent('', '2000-01-01');
    expect(Math.round(Number(done.plimsoll!.cost_usd) * 1e9)).toBe(spent.nanoUsd);
  });

  test('cancelled midway, it keeps what was answered', async () => {
    const { openai, first } = await batchGateway({ max_concurrency: 2 }, { upstream: { delayMs: 50 } });
    const batch = await created(openai, chatLines(200));
    await vi.waitFor(() => expect(first.requests.length).toBeGreaterThan(4), { timeout: 20_000 });
    expect(await openai.batches.cancel(batch.id)).toMatchObject({ status: 'cancelling' });
    const done = await ended(openai, batch.id);
    expect(done.status).toBe('cancelled');
    expect(done.request_counts!.completed).toBeGreaterThan(0);
    expect(done.request_counts!.completed).toBeLessThan(200);
    expect(await resultLines(openai, done.output_file_id)).toHaveLength(done.request_counts!.completed);
    expect(first.requests).toHaveLength(done.request_counts!.completed);
    await expect(openai.batches.cancel(batch.id)).rejects.toMatchObject({ status: 409, code: 'conflict' });
  });

  test('at a quota it waits until time has moved on, and nothing fails', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: fakeTime('10:00:30') });
    const limits = [{ windows: [{ '1h': '3 requests' as const }] }];
    const { openai, first } = await batchGateway({}, { config: { limits } });
    const batch = await created(openai, chatLines(5));
    await vi.waitFor(() => expect(first.requests.length).toBe(3), { timeout: 20_000 });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const waiting = await openai.batches.retrieve(batch.id);
    expect(waiting).toMatchObject({ status: 'in_progress', request_counts: { completed: 3, failed: 0 } });
    expect(first.requests).toHaveLength(3);
    vi.setSystemTime(fakeTime('11:00:01'));
    const done = await ended(openai, batch.id);
    expect(done).toMatchObject({ status: 'completed', request_counts: { completed: 5, failed: 0 } });
    expect(first.requests).toHaveLength(5);
  });

  test('at a quota it goes on soon after the quota was raised', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: fakeTime('10:00:30') });
    const limits = (requests: number) => [{ windows: [{ '1h': `${requests} requests` as const }] }];
    const { openai, first, reconfigure } = await batchGateway({}, { config: { limits: limits(3) } });
    const batch = await created(openai, chatLines(8));
    await vi.waitFor(() => expect(first.requests.length).toBe(3), { timeout: 20_000 });
    await new Promise((resolve) => setTimeout(resolve, 500)); // the others are refused
    reconfigure({ limits: limits(100) });
    vi.setSystemTime(fakeTime('10:01:05')); // the hour is not over
    const done = await ended(openai, batch.id);
    expect(done).toMatchObject({ status: 'completed', request_counts: { completed: 8, failed: 0 } });
    expect(first.requests).toHaveLength(8);
  });

  test('lines are sent in off-peak hours alone', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: fakeTime('19:59:00') });
    const { openai, first } = await batchGateway({
      hours: { from: '22:00', to: '06:00' },
      time_zone: 'Europe/Berlin',
    });
    const batch = await created(openai, chatLines(3));
    await vi.waitFor(
      async () => expect((await openai.batches.retrieve(batch.id)).status).toBe('in_progress'),
      { timeout: 20_000 },
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(first.requests).toHaveLength(0);
    vi.setSystemTime(fakeTime('21:00:00')); // 22:00 in Berlin
    expect((await ended(openai, batch.id)).request_counts!.completed).toBe(3);
  });

  test('files and batches are those of their API key', async () => {
    const keys = keysFile();
    const [own, other] = [keys.make('own'), keys.make('other')];
    const { url, gateway } = await batchGateway({}, { config: { access: { keys_file: keys.file } } });
    const { openai } = clientsOf(url, own.key);
    const { openai: stranger } = clientsOf(url, other.key);
    const batch = await created(openai, chatLines(2));
    const done = await ended(openai, batch.id);
    const notFound = { status: 404, code: 'not_found' };
    await expect(stranger.batches.retrieve(batch.id)).rejects.toMatchObject(notFound);
    await expect(stranger.batches.cancel(batch.id)).rejects.toMatchObject(notFound);
    for (const file of [batch.input_file_id, done.output_file_id!]) {
      await expect(stranger.files.retrieve(file)).rejects.toMatchObject(notFound);
      await expect(stranger.files.content(file)).rejects.toMatchObject(notFound);
      await expect(stranger.files.delete(file)).rejects.toMatchObject(notFound);
    }
    const wanted = { input_file_id: batch.input_file_id, endpoint: CHAT, completion_window: '24h' } as const;
    await expect(stranger.batches.create(wanted)).rejects.toMatchObject(notFound);
    expect((await stranger.batches.list()).data).toEqual([]);
    expect((await stranger.files.list()).data).toEqual([]);
    expect((await gateway.state!.ledger.spent(own.stored.id, '2000-01-01')).requests).toBe(2);
    expect((await gateway.state!.ledger.spent(other.stored.id, '2000-01-01')).requests).toBe(0);
  });

  test('a key that is revoked ends its batches', async () => {
    const keys = keysFile();
    const own = keys.make('own');
    const { url, first, gateway } = await batchGateway(
      { max_concurrency: 1 },
      { config: { access: { keys_file: keys.file } }, upstream: { delayMs: 30 } },
    );
    const { openai } = clientsOf(url, own.key);
    const batch = await created(openai, chatLines(500));
    await vi.waitFor(() => expect(first.requests.length).toBeGreaterThan(2), { timeout: 20_000 });
    revokeKey(keys.file, own.stored.id, new Date());
    const spare = keys.make('spare');
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    const sent = first.requests.length;
    expect(sent).toBeLessThan(500);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(first.requests).toHaveLength(sent);
    await expect(clientsOf(url, spare.key).openai.batches.retrieve(batch.id)).rejects.toMatchObject({
      status: 404,
    });
    const kept = await gateway.state!.documents.get({ scope: own.stored.id, kind: 'batch', id: batch.id });
    expect(kept!.value).toMatchObject({ status: 'failed', failure: { code: 'invalid_api_key' } });
  });

  test('batches are listed in pages, the newest first', async () => {
    const { openai } = await batchGateway();
    const file = await uploaded(openai, chatLines(1));
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      const wanted = { input_file_id: file.id, endpoint: CHAT, completion_window: '24h' } as const;
      ids.unshift((await openai.batches.create({ ...wanted, metadata: { name } })).id);
    }
    const page = await openai.batches.list({ limit: 2 });
    expect(page.data.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect(page.data[0]!.metadata).toEqual({ name: 'c' });
    const all: string[] = [];
    for await (const { id } of openai.batches.list({ limit: 2 })) all.push(id);
    expect(all).toEqual(ids);
    await expect(openai.batches.list({ after: 'batch_no' })).rejects.toMatchObject({ param: 'after' });
  });

  test.each([
    [{ input_file_id: 5 }, 400, 'input_file_id'],
    [{ endpoint: '/v1/completions' }, 400, 'endpoint'],
    [{ endpoint: '/v1/embeddings' }, 400, 'endpoint'],
    [{ completion_window: '1h' }, 400, 'completion_window'],
    [{ metadata: { a: 1 } }, 400, 'metadata.a'],
    [{ input_file_id: 'file-plimsoll-0' }, 404, null],
  ])('a batch with %j is refused', async (changes, status, param) => {
    const { openai, url } = await batchGateway();
    const { id } = await uploaded(openai, chatLines(1));
    const wanted = { input_file_id: id, endpoint: CHAT, completion_window: '24h', ...changes };
    const refused = await postRaw(url, '/v1/batches', wanted);
    const { error } = (await refused.json()) as { error: { param: string | null } };
    expect([refused.status, error.param]).toEqual([status, param]);
  });
});

describe('a profile', () => {
  test('is that of the batch, of the line, or of the configuration', async () => {
    const profiles = {
      nightly: { ladder: { cheap: 'second/large' } },
      other: { ladder: { cheap: 'first/large' } },
    };
    const gateway = await batchGateway({ profile: 'nightly' }, { config: { profiles } });
    const { openai, second } = gateway;
    const lines = [chatLine('a'), chatLine('b', 'Hi?', { model: 'auto:other' })];
    const done = await ended(openai, (await created(openai, lines)).id);
    expect(done.request_counts!.completed).toBe(2);
    expect(second.requests.length).toBe(1);
    const { id } = await uploaded(openai, [chatLine('a')]);
    const wanted = { input_file_id: id, endpoint: CHAT, completion_window: '24h' } as const;
    const unknown = openai.batches.create(wanted, { headers: { 'x-plimsoll-profile': 'none' } });
    await expect(unknown).rejects.toMatchObject({ status: 404 });
    const own = await openai.batches.create(wanted, { headers: { 'x-plimsoll-profile': 'other' } });
    expect((await ended(openai, own.id)).plimsoll!.by_model).toHaveProperty('first/large');
  });
});

test('a request that comes meanwhile does not wait for the batch', async () => {
  const { openai, url } = await batchGateway(
    { max_concurrency: 50 },
    { upstream: { delayMs: 300 }, config: { gateway: { max_concurrency: 10, max_queue: 100 } } },
  );
  const batch = await created(openai, chatLines(100));
  await vi.waitFor(async () => expect((await openai.batches.retrieve(batch.id)).status).toBe('in_progress'), {
    timeout: 20_000,
  });
  const startedMs = performance.now();
  const replies = await Promise.all(
    Array.from({ length: 9 }, (_, at) => postRaw(url, CHAT, ask(`Live ${at}?`))),
  );
  expect(replies.map(({ status }) => status)).toEqual(Array(9).fill(200));
  const done = await openai.batches.retrieve(batch.id);
  expect(done.request_counts!.completed).toBeLessThan(100); // 100 lines take ten turns of 300 ms
  expect(performance.now() - startedMs).toBeLessThan(2_500);
  expect((await ended(openai, batch.id)).request_counts!.completed).toBe(100);
});

test('without batches there are none, and files are those of providers', async () => {
  const { openai, first, url } = await batchGateway(undefined, { config: { batches: undefined } });
  await expect(openai.batches.list()).rejects.toMatchObject({ status: 404, code: 'not_found' });
  await fetch(`${url}/v1/files/file-abc`, { headers: { 'x-plimsoll-provider': 'first' } });
  expect(first.requests).toHaveLength(1);
});
