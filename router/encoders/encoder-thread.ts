import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ErrorCode } from '../errors.ts';
import '../onnx/index.ts'; // threads load onnxruntime, and cannot switch it off for the process
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

/** Starts encoder-worker as .ts (in a checkout) or as .js (compiled), as this very file runs. */
export function startEncoderThread(data: ThreadData): Worker {
  const extension = path.extname(import.meta.url);
  const file = new URL(`./encoder-worker${extension}`, import.meta.url);
  const options = { workerData: data, execArgv: [], name: `plimsoll-${data.spec.id}` };
  if (extension !== '.ts') return new Worker(file, options);
  return new Worker(typeScriptEntry(file), { ...options, eval: true });
}

/** Node 20 gives a thread's first file to its own loader, whatever `--import` says; a second import passes through tsx. */
function typeScriptEntry(file: URL): string {
  const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  return `import(${tsx}).then(({ register }) => { register(); return import(${JSON.stringify(file.href)}); });`;
}
