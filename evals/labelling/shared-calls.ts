import type { Config } from '../../router/config/index.ts';
import { openModelClient } from '../../router/create-gateway.ts';
import { PlimsollError } from '../../router/errors.ts';
import { parseJson } from '../../router/json/index.ts';
import { openQueueWorker, openWorkQueue, type QueueWorker } from '../../router/state/index.ts';
import {
  type Caller,
  DEFAULT_WAITS_MS,
  keyOf,
  type ModelCall,
  ModelCaller,
  type Tried,
} from './call-model.ts';

/** Version of the queue and the form of its jobs. */
const QUEUE = 'labels-1';

interface SharedCallsOptions {
  /** With `redis`. */
  readonly config: Config;
  /** Parts the calls of one journal from those of others. */
  readonly journalId: string;
  /** Makes calls in this process. */
  readonly own: Caller;
  /** Calls at work at once in this process. */
  readonly concurrency: number;
  /** Aborted: what a worker leaves undone is not put in again. */
  readonly signal: AbortSignal;
}

/** Calls that any number of `plimsoll worker` make, and this process too. */
export interface SharedCalls extends Caller {
  close(): Promise<void>;
}

/**
 * The journal stays the one truth of what was paid for, and has one writer: the run that puts the calls in. Workers keep a lease on a call while
 * they make it; one whose worker is gone is lost, and the run decides whether it is made again. A call that is in the queue when the run is killed is
 * made all the same, and its reply waits for the next run.
 *
 * @throws PlimsollError `state-unavailable` if Redis cannot be reached
 */
export async function openSharedCalls(options: SharedCallsOptions): Promise<SharedCalls> {
  const { config, journalId, own, concurrency, signal } = options;
  const shared = sharedOptions(config);
  const queue = await openWorkQueue(shared);
  let worker: QueueWorker;
  try {
    worker = await openQueueWorker({ ...shared, concurrency }, (given) => makeCall(given, own));
  } catch (error) {
    await queue.close();
    throw error;
  }
  const idOf = (call: ModelCall) => `${journalId}-${keyOf(call)}`;
  return {
    async underway(key) {
      const given = await queue.given(`${journalId}-${key}`);
      return given === undefined ? undefined : (parseJson(given) as ModelCall);
    },
    settled: (call) => queue.forget(idOf(call)),
    async call(call) {
      const id = idOf(call);
      for (;;) {
        const end = await queue.finish(id, JSON.stringify(call));
        const tried: Tried = end.kind === 'lost' ? end : (JSON.parse(end.result) as Tried);
        if (tried.kind !== 'interrupted' && tried.kind !== 'lost') return tried;
        await queue.forget(id);
        if (tried.kind === 'lost' || signal.aborted) return tried;
      }
    },
    async close() {
      await worker.close();
      await queue.close();
    },
  };
}

/** What a worker is told, and tells. */
export interface LabelWorkerOptions {
  /** With `redis`, and the providers and keys of the models that are labelled. */
  readonly config: Config;
  /** Calls at work at once in this process; default 8. */
  readonly concurrency?: number;
  /** Waits before further tries, as of LabelOptions. */
  readonly waitsMs?: readonly number[];
  /** After each call, with how it ended. */
  readonly onCall?: (ended: 'reply' | 'failed' | 'interrupted') => void;
}

/** Makes the calls of labelling runs until it is closed. */
export interface LabelWorker {
  /** Takes no further call, waits for those at work, and leaves to others what would have to be tried again. */
  close(): Promise<void>;
}

/** Makes one call that is in the queue. Never rejects: what is wrong with it, or with this process, is its end. */
async function makeCall(given: string, caller: Caller): Promise<string> {
  const call = parseJson(given) as ModelCall;
  try {
    return JSON.stringify(await caller.call(call));
  } catch (error) {
    // Such as a model that the configuration of this worker does not have.
    const why = error instanceof PlimsollError ? error.message : 'an internal error of a worker';
    return JSON.stringify({ kind: 'failed', why, ofProvider: true } satisfies Tried);
  }
}

/** @throws PlimsollError `invalid-config` if no redis is configured; `state-unavailable` if it cannot be reached */
export async function openLabelWorker(options: LabelWorkerOptions): Promise<LabelWorker> {
  const { config, concurrency = 8, waitsMs = DEFAULT_WAITS_MS, onCall = () => {} } = options;
  const shared = sharedOptions(config);
  const ending = new AbortController();
  const client = await openModelClient(config);
  const caller = new ModelCaller({ client, waitsMs, signal: ending.signal });
  try {
    const worker = await openQueueWorker({ ...shared, concurrency }, async (given) => {
      const end = await makeCall(given, caller);
      onCall((JSON.parse(end) as Exclude<Tried, { kind: 'lost' }>).kind);
      return end;
    });
    return {
      async close() {
        ending.abort();
        await worker.close();
        await client.close();
      },
    };
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** Prompts and replies are encrypted in Redis if they are in the state. */
function sharedOptions({ redis, state }: Config) {
  if (redis === undefined) {
    throw new PlimsollError(
      'invalid-config',
      'Calls are shared through Redis, and the configuration has no redis: set redis: { url: redis://… }.',
      { place: { field: 'redis' } },
    );
  }
  return { redis, name: QUEUE, encryptionKeysEnv: state?.encryptionKeysEnv };
}
