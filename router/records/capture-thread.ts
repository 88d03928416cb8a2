import type { Worker } from 'node:worker_threads';
import type { Dialect } from '../catalog/index.ts';
import { resultWithin } from '../result-within.ts';
import { startWorkerThread } from '../worker-thread.ts';
import type { CapturedReply, CapturedRequest, Stratum } from './captured.ts';
import type { WordRedactionOptions } from './redacted-words.ts';

/** What the thread is given when it starts. */
export interface CaptureThreadData extends WordRedactionOptions {
  /** Whether the words of the reply are kept. */
  readonly withReply: boolean;
  /** A longer record is not kept. */
  readonly maxBytes: number;
}

/** One request to be read, redacted and written down. */
export interface CaptureJob {
  readonly job: number;
  readonly dialect: Dialect;
  readonly bodyText: string;
  /** All that is known about it besides its words. */
  readonly known: Omit<CapturedRequest, 'request' | 'reply' | 'stratum'>;
  /** Undefined if it was not needed for the draw. */
  readonly stratum: Stratum | undefined;
  readonly task: string | undefined;
  /** Undefined if the reply broke off. */
  readonly reply: Omit<CapturedReply, 'text' | 'toolCalls' | 'finishReason' | 'signals'> | undefined;
  /** The reply as it went out; undefined if it was too long to hold. */
  readonly bytes: Uint8Array | undefined;
  readonly stream: boolean;
}

/** Why a drawn request is not kept. */
export type CaptureFault = 'not-text' | 'too-large' | 'redaction-failed';

export type CaptureResult =
  | { readonly job: number; readonly body: string; readonly text: string }
  | { readonly job: number; readonly fault: CaptureFault };

/** Bytes that may wait for the thread. */
const MAX_WAITING_BYTES = 16 * 2 ** 20;
const CLOSE_MS = 10_000;
/** A thread that fails is not started more often. */
const RESTART_MS = 1_000;

/** Starts a thread that runs capture-worker: reading and redacting long texts would hold up other requests. */
function startCaptureThread(data: CaptureThreadData): Worker {
  const worker = startWorkerThread(new URL('./capture-worker', import.meta.url), {
    workerData: data,
    name: 'plimsoll-capture',
  });
  worker.unref();
  return worker;
}

type WordsReady = (words: { readonly body: string; readonly text: string }) => void;

export interface CaptureThread {
  /** Never throws and never waits. */
  add(job: Omit<CaptureJob, 'job'>, onReady: WordsReady): void;
  /** Waits for what is at work, at most ten seconds, and ends the thread. */
  close(): Promise<void>;
}

/** The thread and what waits for it. It is started with the first job, and again after it has failed. */
export function openCaptureThread(
  data: CaptureThreadData,
  onFault: (fault: CaptureFault | 'dropped') => void,
): CaptureThread {
  const waiting = new Map<number, { readonly bytes: number; readonly onReady: WordsReady }>();
  let waitingBytes = 0;
  let jobs = 0;
  let worker: Worker | undefined;
  let startedMs = Number.NEGATIVE_INFINITY;
  let onIdle = () => {};

  function take(job: number) {
    const taken = waiting.get(job);
    waiting.delete(job);
    waitingBytes -= taken?.bytes ?? 0;
    if (waiting.size === 0) onIdle();
    return taken;
  }

  function received(result: CaptureResult): void {
    const { onReady } = take(result.job) ?? {};
    if ('fault' in result) onFault(result.fault);
    else onReady?.(result);
  }

  function lost(one: Worker): void {
    if (worker !== one) return;
    worker = undefined;
    for (const job of [...waiting.keys()]) {
      take(job);
      onFault('redaction-failed');
    }
  }

  function running(): Worker | undefined {
    if (worker !== undefined || performance.now() - startedMs < RESTART_MS) return worker;
    startedMs = performance.now();
    const started = startCaptureThread(data);
    started.on('message', received);
    started.on('error', () => lost(started));
    started.on('exit', () => lost(started));
    worker = started;
    return worker;
  }

  return {
    add(given, onReady) {
      const bytes = given.bodyText.length + (given.bytes?.length ?? 0);
      if (waitingBytes + bytes > MAX_WAITING_BYTES) {
        onFault('dropped');
        return;
      }
      const thread = running();
      if (thread === undefined) {
        onFault('redaction-failed');
        return;
      }
      const job = ++jobs;
      waiting.set(job, { bytes, onReady });
      waitingBytes += bytes;
      thread.postMessage({ job, ...given });
    },
    async close() {
      if (waiting.size > 0) {
        const idle = new Promise<true>((resolve) => {
          onIdle = () => resolve(true);
        });
        await resultWithin(idle, CLOSE_MS);
      }
      for (const job of [...waiting.keys()]) {
        take(job);
        onFault('dropped');
      }
      await worker?.terminate();
    },
  };
}
