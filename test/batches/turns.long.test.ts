import path from 'node:path';
import type OpenAI from 'openai';
import { expect, test, vi } from 'vitest';
import { createKey } from '../../router/access/index.ts';
import { clientsOf, type Wishes } from '../gateway/running-gateway.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { batchGateway, CHAT, chatLines, created, ended, uploaded } from './batch-gateway.ts';

/** Of one process at once: MAX_RUNNING in router/batches/worker.ts. */
const PLACES = 100;

/** A gateway with two clients, each with a key of its own. */
async function twoKeys(config: (firstKey: string) => Wishes['config'], upstream: Wishes['upstream'] = {}) {
  const file = path.join(scratchFolder(), 'keys.json');
  const [one, other] = ['one', 'other'].map((name) => createKey(file, { name, now: new Date() }));
  const gateway = await batchGateway(
    { max_concurrency: 4 },
    { config: { access: { keys_file: file }, ...config(one!.stored.id) }, upstream },
  );
  const clients = [one!, other!].map(({ key }) => clientsOf(gateway.url, key).openai);
  return { ...gateway, clients: clients as [OpenAI, OpenAI] };
}

async function manyBatches(openai: OpenAI, count: number, lines = 1): Promise<string[]> {
  const { id } = await uploaded(openai, chatLines(lines));
  const wanted = { input_file_id: id, endpoint: CHAT, completion_window: '24h' } as const;
  const ids: string[] = [];
  for (let at = 0; at < count; at++) ids.push((await openai.batches.create(wanted)).id);
  return ids;
}

async function inProgress(openai: OpenAI): Promise<number> {
  const { data } = await openai.batches.list({ limit: 100 });
  return data.filter(({ status }) => status === 'in_progress').length;
}

const ONE_AN_HOUR = (key: string) => ({
  limits: [{ for: { key }, windows: [{ '1h': '1 requests' as const }] }],
});

test('batches that wait for the limit of their key hold up neither another key nor a cancellation', async () => {
  const {
    clients: [waiting, other],
  } = await twoKeys(ONE_AN_HOUR);
  const ids = await manyBatches(waiting, PLACES + 20);
  await vi.waitFor(async () => expect(await inProgress(waiting)).toBeGreaterThan(70), { timeout: 30_000 });
  const done = await ended(other, (await created(other, chatLines(3))).id);
  expect(done).toMatchObject({ status: 'completed', request_counts: { completed: 3 } });
  const last = ids.at(-1)!;
  await waiting.batches.cancel(last);
  expect((await ended(waiting, last)).status).toBe('cancelled');
});

test('batches at work give way to another key, and no line is sent twice', async () => {
  const {
    clients: [busy, other],
  } = await twoKeys(() => ({}), { delayMs: 10 });
  const ids = await manyBatches(busy, PLACES + 5, 500);
  const done = await ended(other, (await created(other, chatLines(3))).id, 60_000);
  expect(done.request_counts!.completed).toBe(3);
  for (const id of ids) expect(await busy.batches.cancel(id)).toMatchObject({ status: 'cancelling' });
  for (const id of ids) {
    const { status, request_counts, plimsoll } = await ended(busy, id, 90_000);
    expect([status, plimsoll!.requests]).toEqual(['cancelled', request_counts!.completed]);
  }
});

test('whoever comes after a thousand open batches of another key is served', async () => {
  const { openai, gateway } = await batchGateway();
  const { documents, leases } = gateway.state!;
  for (let at = 0; at < 1_000; at++) {
    const id = `batch_00${at}`; // before that of a new one
    await leases.acquire(`batch/${id}`, 'another process', 60_000);
    await documents.put({ scope: '', kind: 'batch-open', id }, { value: { scope: 'busy' } });
  }
  const done = await ended(openai, (await created(openai, chatLines(1))).id);
  expect(done.status).toBe('completed');
});
