import type { Worker } from 'node:worker_threads';
import type { ErrorCode } from '../errors.ts';
import '../onnx/index.ts'; // threads load onnxruntime, and cannot switch it off for the process
import { startWorkerThread } from '../worker-thread.ts';
import type { EncoderIdentity, EncoderSpec } from './encoder.ts';

/** An encoder with a transformer pass: one that needs a thread of its own. */
export type ThreadedSpec = Exclude<EncoderSpec, { id: 'static' }>;

/** What a thread is given when it starts. */
export interface ThreadData {
  readonly spec: ThreadedSpec;
  readonly busy: BusyFlag;
}

/** What a thread says: `ready` once, then one message per text. `failed` before `ready` means that it could not load. */
export type ThreadMessage =
  | { readonly kind: 'ready'; readonly identity: EncoderIdentity }
  | { readonly kind: 'vector'; readonly vector: Float32Array<ArrayBuffer> }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/**
 * One shared number that says "this thread is inside native code". onnxruntime-node aborts the whole process if its
 * thread is ended while it loads or runs a model, and process.exit() ends every thread: so whoever leaves looks here first.
 */
export type BusyFlag = Int32Array<SharedArrayBuffer>;

export function createBusyFlag(): BusyFlag {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

export function raise(flag: BusyFlag): void {
  Atomics.store(flag, 0, 1);
}

export function lower(flag: BusyFlag): void {
  Atomics.store(flag, 0, 0);
  Atomics.notify(flag, 0);
}

/** Blocks the calling thread until the flag is down, but no longer than `timeoutMs`. */
export function waitUntilLowered(flag: BusyFlag, timeoutMs: number): void {
  Atomics.wait(flag, 0, 1, timeoutMs);
}

/** Starts a thread that runs encoder-worker. */
export function startEncoderThread(data: ThreadData): Worker {
  const file = new URL('./encoder-worker', import.meta.url);
  return startWorkerThread(file, { workerData: data, name: `plimsoll-${data.spec.id}` });
}
