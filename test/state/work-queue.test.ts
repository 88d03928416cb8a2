import { randomBytes, randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { openQueueWorker, openWorkQueue } from '../../router/state/index.ts';
import { HAS_REDIS, redisUrl } from '../helpers/databases.ts';

const KEYS_ENV = 'TEST_QUEUE_KEYS';

async function queueWorld() {
  const url = await redisUrl();
  const options = { redis: { url }, name: `test-${randomUUID()}` };
  const queue = async (more = {}) => {
    const opened = await openWorkQueue({ ...options, ...more });
    onTestFinished(() => opened.close());
    return opened;
  };
  const worker = async (work: (given: string) => Promise<string>, more = {}) => {
    const opened = await openQueueWorker({ ...options, concurrency: 4, ...more }, work);
    onTestFinished(() => opened.close());
    return opened;
  };
  /** What Redis holds of the queue, as one text. */
  const stored = async () => {
    const client = new Redis(url);
    const keys = await client.keys(`plimsoll:${options.name}:*`);
    const texts = await Promise.all(
      keys.map(async (key) => ((await client.type(key)) === 'hash' ? client.hgetall(key) : key)),
    );
    client.disconnect();
    return JSON.stringify(texts);
  };
  return { url, options, queue, worker, stored };
}

describe.skipIf(!HAS_REDIS)('with a Redis server', () => {
  test('each piece is done once, by whichever worker takes it, and nothing of it stays when it is forgotten', async () => {
    const { queue, worker, stored } = await queueWorld();
    const done: string[] = [];
    const work = async (given: string) => {
      done.push(given);
      return given.toUpperCase();
    };
    await Promise.all([worker(work), worker(work), worker(work)]);
    const one = await queue();
    const ids = Array.from({ length: 40 }, (_, i) => `piece-${i}`);
    const ends = await Promise.all(ids.map((id) => one.finish(id, `${id} of work`)));
    expect(ends).toEqual(ids.map((id) => ({ kind: 'done', result: `${id} of work`.toUpperCase() })));
    expect(await one.finish('piece-3', 'asked for again')).toEqual(ends[3]);
    expect(done).toHaveLength(40);
    await Promise.all(ids.map((id) => one.forget(id)));
    expect(await one.given('piece-3')).toBeUndefined();
    expect(await stored()).not.toMatch(/of work/i);
  });

  test('who put a piece in may go: it is done, and its end waits for the next one', async () => {
    const { queue, worker } = await queueWorld();
    let calls = 0;
    const first = await queue();
    void first.finish('left', 'x').catch(() => {});
    await vi.waitUntil(() => first.given('left'));
    await first.close();
    await worker(async () => `done ${++calls}`);
    const second = await queue();
    expect(await second.given('left')).toBe('x');
    expect(await second.finish('left', 'x')).toEqual({ kind: 'done', result: 'done 1' });
    expect(calls).toBe(1);
  });

  test('a piece that Redis loses is lost, and who waits for it learns so', { timeout: 30_000 }, async () => {
    const { queue, options, url } = await queueWorld();
    const one = await queue();
    const end = one.finish('gone', 'x');
    await vi.waitUntil(() => one.given('gone'));
    const client = new Redis(url);
    await client.del(`plimsoll:${options.name}:gone`);
    client.disconnect();
    expect(await end).toEqual({ kind: 'lost' });
  });

  test('with keys nothing in Redis can be read, and a worker without them makes nothing of it', async () => {
    const { queue, worker, stored } = await queueWorld();
    process.env[KEYS_ENV] = `k1:${randomBytes(32).toString('base64')}`;
    onTestFinished(() => void delete process.env[KEYS_ENV]);
    const encryptionKeysEnv = KEYS_ENV;
    const one = await queue({ encryptionKeysEnv });
    const end = one.finish('secret', 'my words');
    await vi.waitUntil(() => one.given('secret'));
    expect(await stored()).not.toContain('my words');
    await worker(async (given) => `${given} were read`, { encryptionKeysEnv });
    expect(await end).toEqual({ kind: 'done', result: 'my words were read' });
    expect(await stored()).not.toContain('were read');
  });
});

test('without Redis it says so, and which field names it', async () => {
  await expect(openWorkQueue({ redis: { url: 'redis://127.0.0.1:1' }, name: 'x' })).rejects.toMatchObject({
    code: 'state-unavailable',
    place: { field: 'redis' },
  });
  await expect(openWorkQueue({ redis: { url: 'http://x' }, name: 'x' })).rejects.toMatchObject({
    code: 'invalid-config',
  });
});
