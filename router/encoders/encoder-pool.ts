import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { PlimsollError } from '../errors.ts';
import { type BusyFlag, createBusyFlag, raise, waitUntilLowered } from './busy-flag.ts';
import type { Encoder, EncoderIdentity } from './encoder.ts';
import type { ThreadMessage } from './encoder-thread.ts';

export interface PoolOptions {
  /** Starts one thread that speaks ThreadMessage and lowers the flag whenever it leaves native code. */
  readonly start: (busy: BusyFlag) => Worker;
  /** Threads at most; one less than there are cores unless given, so that the event loop keeps a core. */
  readonly workers?: number | undefined;
}

interface Job {
  readonly text: string;
  readonly resolve: (vector: Float32Array) => void;
  readonly reject: (error: PlimsollError) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly busy: BusyFlag;
  state: 'loading' | 'idle' | Job;
  /** What it threw, if it threw. */
  cause?: unknown;
}

const CRASHES_IN_A_ROW = 3;
const EXIT_WAIT_MS = 5000; // far longer than one text takes; a hung thread must not keep a process for ever

/** Opens a pool with its first thread loaded; further threads start when texts have to wait. */
export async function openEncoderPool(options: PoolOptions): Promise<Encoder> {
  const pool = new EncoderPool(options);
  await pool.open();
  return pool;
}

/**
 * Texts wait first in, first out for a thread that is free, and each thread embeds one text at a time. A thread that
 * dies rejects the text that it had and is replaced. Idle threads do not keep the process alive. The queue has no
 * bound of its own: whoever accepts requests bounds them.
 */
class EncoderPool implements Encoder {
  readonly #start: PoolOptions['start'];
  readonly #size: number;
  readonly #threads = new Set<Thread>();
  readonly #waiting: Job[] = [];
  #identity: EncoderIdentity | undefined;
  #crashesInARow = 0;
  #settleOpening: ((error?: PlimsollError) => void) | undefined;
  #closing: Promise<void> | undefined;
  #drained: (() => void) | undefined;

  constructor({ start, workers = Math.max(1, availableParallelism() - 1) }: PoolOptions) {
    if (!Number.isInteger(workers) || workers < 1)
      throw new PlimsollError('invalid-input', `An encoder needs at least one worker, not ${workers}.`);
    this.#start = start;
    this.#size = workers;
  }

  get identity(): EncoderIdentity {
    return this.#identity!;
  }

  async open(): Promise<void> {
    process.on('exit', this.#waitForNativeCode);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#settleOpening = (error) => (error ? reject(error) : resolve());
        this.#startThread();
      });
    } catch (error) {
      process.off('exit', this.#waitForNativeCode);
      throw error;
    }
  }

  embed(text: string): Promise<Float32Array> {
    if (this.#closing) return Promise.reject(new PlimsollError('internal', 'The encoder was closed.'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ text, resolve, reject });
      this.#dispatch();
    });
  }

  /** Texts that were accepted are still answered. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
      this.#dispatch();
    });
    const workers = [...this.#threads].map((thread) => thread.worker);
    for (const worker of workers) worker.ref(); // or the process could end before the promise below does
    await Promise.all(workers.map((worker) => worker.terminate()));
    process.off('exit', this.#waitForNativeCode);
  }

  #dispatch(): void {
    for (const thread of this.#threads) {
      if (thread.state !== 'idle') continue;
      const job = this.#waiting.shift();
      if (!job) break;
      thread.state = job;
      thread.worker.ref();
      raise(thread.busy);
      thread.worker.postMessage(job.text);
    }
    const states = [...this.#threads].map((thread) => thread.state);
    const loading = states.filter((state) => state === 'loading').length;
    if (this.#waiting.length > loading && this.#mayStart()) this.#startThread();
    else if (this.#waiting.length === 0 && states.every((state) => state === 'idle')) this.#drained?.();
  }

  #mayStart(): boolean {
    if (this.#threads.size === 0) return true;
    return this.#threads.size < this.#size && this.#crashesInARow < CRASHES_IN_A_ROW;
  }

  #startThread(): void {
    const busy = createBusyFlag();
    raise(busy);
    const thread: Thread = { worker: this.#start(busy), busy, state: 'loading' };
    this.#threads.add(thread);
    thread.worker.on('message', (message: ThreadMessage) => this.#hear(thread, message));
    thread.worker.on('error', (cause) => {
      thread.cause = cause;
    });
    thread.worker.on('exit', () => this.#bury(thread));
  }

  #hear(thread: Thread, message: ThreadMessage): void {
    const { state } = thread;
    if (message.kind === 'failed' && state === 'loading') {
      thread.cause = new PlimsollError(message.code, message.message);
      this.#crashesInARow = CRASHES_IN_A_ROW; // another thread would not load either
      return;
    }
    if (message.kind === 'ready') {
      this.#identity ??= message.identity;
      this.#settleOpening?.();
    } else if (typeof state === 'object') {
      this.#crashesInARow = 0;
      if (message.kind === 'vector') state.resolve(message.vector);
      else state.reject(new PlimsollError(message.code, message.message));
    }
    thread.state = 'idle';
    thread.worker.unref();
    this.#dispatch();
  }

  /** Where thread after thread crashes, what waits is rejected; the next text that comes gets one more thread. */
  #bury(thread: Thread): void {
    if (!this.#threads.delete(thread)) return;
    const error = deathOf(thread);
    this.#crashesInARow++;
    if (typeof thread.state === 'object') thread.state.reject(error);
    if (this.#crashesInARow >= CRASHES_IN_A_ROW && this.#threads.size === 0) {
      for (const job of this.#waiting.splice(0)) job.reject(error);
    }
    this.#settleOpening?.(error);
    this.#dispatch();
  }

  /** Runs when the process exits: ending a thread inside onnxruntime would abort it (see busy-flag). */
  readonly #waitForNativeCode = (): void => {
    for (const { busy } of this.#threads) waitUntilLowered(busy, EXIT_WAIT_MS);
  };
}

function deathOf({ cause }: Thread): PlimsollError {
  if (cause instanceof PlimsollError) return cause;
  const reason = cause instanceof Error ? `: ${cause.message}` : '.';
  return new PlimsollError('internal', `The encoder's thread ended unexpectedly${reason}`, { cause });
}
