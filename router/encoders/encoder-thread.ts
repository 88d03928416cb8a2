import type { Worker } from 'node:worker_threads';
import { type ErrorCode, PlimsollError } from '../errors.ts';
import '../onnx/index.ts'; // threads load onnxruntime, and cannot switch it off for the process
import { startWorkerThread } from '../worker-thread.ts';
import type { EncoderIdentity, EncoderSpec } from './encoder.ts';

/** An encoder with a transformer pass: one that needs a thread of its own. */
export type ThreadedSpec = Exclude<EncoderSpec, { id: 'static' }>;

/** What a thread is given when it starts. */
export interface ThreadData {
  readonly spec: ThreadedSpec;
  readonly gate: NativeGate;
}

/** What a thread says: `ready` once, then one message per text. `failed` before `ready` means that it could not load. */
export type ThreadMessage =
  | { readonly kind: 'ready'; readonly identity: EncoderIdentity }
  | { readonly kind: 'vector'; readonly vector: Float32Array<ArrayBuffer> }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/**
 * Who may run native code. onnxruntime-node aborts the whole process if its thread is ended while it loads or runs a model, and
 * process.exit() ends every thread: so a thread says when it is inside, and whoever leaves closes the gate before it ends the thread.
 */
export type NativeGate = Int32Array<SharedArrayBuffer>;

const INSIDE = 0;
const CLOSED = 1;

export function createNativeGate(): NativeGate {
  return new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
}

/** Runs what enters native code. @throws PlimsollError `internal` if the gate is closed: the process is about to end */
export async function insideNative<T>(gate: NativeGate, run: () => Promise<T>): Promise<T> {
  Atomics.store(gate, INSIDE, 1);
  try {
    if (Atomics.load(gate, CLOSED) === 1) throw new PlimsollError('internal', 'The process is ending.');
    return await run();
  } finally {
    Atomics.store(gate, INSIDE, 0);
    Atomics.notify(gate, INSIDE);
  }
}

/** Lets no native code begin, and blocks the calling thread until what runs has ended, but no longer than `timeoutMs`. */
export function closeGate(gate: NativeGate, timeoutMs: number): void {
  Atomics.store(gate, CLOSED, 1);
  Atomics.wait(gate, INSIDE, 1, timeoutMs);
}

/** Starts a thread that runs encoder-worker. */
export function startEncoderThread(data: ThreadData): Worker {
  const file = new URL('./encoder-worker', import.meta.url);
  return startWorkerThread(file, { workerData: data, name: `plimsoll-${data.spec.id}` });
}
