import { setTimeout as sleep } from 'node:timers/promises';
import { Queue, QueueEvents, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { PlimsollError } from '../errors.ts';
import type { TextCipher } from './cipher.ts';

/** Work that any number of processes share. Each piece has an id, and is done once while its worker lives. */
export interface WorkQueue {
  /** What was put in, if the piece waits, is being done, or is done and not forgotten. */
  given(id: string): Promise<string | undefined>;
  /** Puts a piece in, unless it is there, and waits until it ends, however long that takes. */
  finish(id: string, given: string): Promise<WorkEnd>;
  /** Drops what is kept of a piece that has ended. */
  forget(id: string): Promise<void>;
  close(): Promise<void>;
}

/** `lost`: the worker was killed, or Redis has lost the piece; nobody knows whether it was done. */
export type WorkEnd = { readonly kind: 'done'; readonly result: string } | { readonly kind: 'lost' };

export interface QueueWorker {
  /** Takes no further piece, and waits for those at work. */
  close(): Promise<void>;
}

interface QueueParts {
  readonly url: string;
  readonly name: string;
  readonly cipher: TextCipher;
}

/** What is stored of a piece. The result stands here and not in BullMQ's events, which hold their last ten thousand. */
interface Stored {
  readonly given: string;
  readonly result?: string;
}

const PREFIX = 'plimsoll';
/** A worker that has not said for so long that it lives is taken for dead. */
const LEASE_MS = 15_000;
const LOOK_FOR_DEAD_MS = 5_000;
/** How often it is looked for what Redis may have lost. */
const LOOK_FOR_MISSING_MS = 5_000;
/** How long results that nobody has collected are kept, in seconds. */
const KEPT_FOR_S = 7 * 86_400;
const CONNECT_MS = 5_000;

/** @throws PlimsollError `state-unavailable` if Redis cannot be reached within five seconds */
export async function openQueue({ url, name, cipher }: QueueParts): Promise<WorkQueue> {
  const connection = await connected(url);
  const options = { connection, prefix: PREFIX };
  const queue = new Queue<Stored>(name, {
    ...options,
    defaultJobOptions: {
      attempts: 1,
      removeOnComplete: { age: KEPT_FOR_S },
      removeOnFail: { age: KEPT_FOR_S },
    },
  });
  const events = new QueueEvents(name, options);
  queue.on('error', () => {}); // it connects again
  events.on('error', () => {});
  const waiting = new Map<string, () => void>();
  const wake = ({ jobId }: { readonly jobId: string }) => waiting.get(jobId)?.();
  events.on('completed', wake);
  events.on('failed', wake);
  const everyNow = setInterval(() => {
    for (const look of waiting.values()) look();
  }, LOOK_FOR_MISSING_MS);
  await events.waitUntilReady();

  /** Undefined while it waits or is at work. */
  async function endOf(id: string): Promise<WorkEnd | undefined> {
    const state = await queue.getJobState(id); // before its data: they have the result when it says so
    const job = await queue.getJob(id);
    if (job === undefined) return { kind: 'lost' };
    if (state !== 'failed' && state !== 'completed' && state !== 'unknown') return undefined;
    const { result } = job.data;
    if (result === undefined) return { kind: 'lost' };
    return { kind: 'done', result: cipher.open(result, resultPlace(name, id)) };
  }

  return {
    async given(id) {
      const job = await queue.getJob(id);
      return job && cipher.open(job.data.given, givenPlace(name, id));
    },
    async finish(id, given) {
      await queue.add(name, { given: cipher.seal(given, givenPlace(name, id)) }, { jobId: id });
      for (;;) {
        const woken = new Promise<void>((resolve) => waiting.set(id, resolve));
        const end = await endOf(id);
        if (end !== undefined) {
          waiting.delete(id);
          return end;
        }
        await woken;
      }
    },
    async forget(id) {
      await (await queue.getJob(id))?.remove().catch(() => {}); // its worker has still the lock: it goes by its age
    },
    async close() {
      clearInterval(everyNow);
      await Promise.all([queue.close(), events.close()]);
      connection.disconnect();
    },
  };
}

/** @param work must not reject @throws PlimsollError as openQueue */
export async function openWorker(
  { url, name, cipher, concurrency }: QueueParts & { readonly concurrency: number },
  work: (given: string) => Promise<string>,
): Promise<QueueWorker> {
  const connection = await connected(url);
  const worker = new Worker<Stored>(
    name,
    async (job) => {
      const { given, result: known } = job.data;
      if (known !== undefined) return;
      const id = String(job.id);
      const result = await work(cipher.open(given, givenPlace(name, id)));
      await job.updateData({ given, result: cipher.seal(result, resultPlace(name, id)) });
    },
    {
      connection,
      prefix: PREFIX,
      concurrency,
      lockDuration: LEASE_MS,
      stalledInterval: LOOK_FOR_DEAD_MS,
      maxStalledCount: 0, // whoever put it in decides whether it is done again
    },
  );
  worker.on('error', () => {}); // it connects again
  await worker.waitUntilReady();
  return {
    async close() {
      await worker.close();
      connection.disconnect();
    },
  };
}

const givenPlace = (name: string, id: string) => `queue/${name}/${id}`;
const resultPlace = (name: string, id: string) => `queue/${name}/${id}/result`;

async function connected(url: string): Promise<Redis> {
  // BullMQ waits for a connection by itself, for as long as it takes.
  const connection = new Redis(url, { maxRetriesPerRequest: null, connectTimeout: CONNECT_MS });
  connection.on('error', () => {}); // it connects again
  const given = new AbortController();
  const late = sleep(CONNECT_MS, 'late', { signal: given.signal }).catch(() => 'late');
  const first = await Promise.race([connection.ping().catch(() => 'refused'), late]);
  given.abort();
  if (first === 'PONG') return connection;
  connection.disconnect();
  throw new PlimsollError(
    'state-unavailable',
    'Redis cannot be reached, and the configuration says by redis that work is shared through it. Start it, or take redis out of the configuration of this command.',
    { place: { field: 'redis' } },
  );
}
