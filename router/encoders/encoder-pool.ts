import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { PlimsollError } from '../errors.ts';
import type { Encoder, EncoderIdentity } from './encoder.ts';
import { closeGate, createNativeGate, type NativeGate, type ThreadMessage } from './encoder-thread.ts';

interface PoolOptions {
  readonly start: StartThread;
  /** Threads at most; one less than there are cores unless given, so that the event loop keeps a core. */
  readonly workers?: number | undefined;
}

const CRASHES_IN_A_ROW = 3;
const EXIT_WAIT_MS = 30_000; // far longer than one load or one text takes, on a busy machine too; a hung thread must not keep a process for ever

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
  readonly #start: StartThread;
  readonly #size: number;
  readonly #threads = new Set<PoolThread>();
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

  /** Texts that were accepted are still embedded. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
      this.#dispatch();
    });
    await endThreads(this.#threads);
    process.off('exit', this.#waitForNativeCode);
  }

  #dispatch(): void {
    for (const thread of this.#threads) {
      if (this.#waiting.length === 0) break;
      if (thread.state === 'idle') giveJob(thread, this.#waiting.shift()!);
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
    const watcher = { hear: this.#hear.bind(this), bury: this.#bury.bind(this) };
    this.#threads.add(startPoolThread(this.#start, watcher));
  }

  #hear(thread: PoolThread, message: ThreadMessage): void {
    const job = thread.state;
    if (message.kind === 'failed' && job === 'loading') {
      thread.cause = new PlimsollError(message.code, message.message);
      this.#crashesInARow = CRASHES_IN_A_ROW; // another thread would not load either
      void thread.worker.terminate();
      return;
    }
    rest(thread);
    if (message.kind === 'ready') {
      this.#identity ??= message.identity;
      this.#settleOpening?.();
    } else if (typeof job === 'object') {
      this.#crashesInARow = 0;
      if (message.kind === 'vector') job.resolve(message.vector);
      else job.reject(new PlimsollError(message.code, message.message));
    }
    this.#dispatch();
  }

  /** Where thread after thread crashes, what waits is rejected; the next text that comes gets one more thread. */
  #bury(thread: PoolThread): void {
    this.#threads.delete(thread);
    this.#crashesInARow++;
    const error = deathOf(thread);
    if (typeof thread.state === 'object') thread.state.reject(error);
    if (this.#crashesInARow >= CRASHES_IN_A_ROW && this.#threads.size === 0) {
      for (const job of this.#waiting.splice(0)) job.reject(error);
    }
    this.#settleOpening?.(error);
    this.#dispatch();
  }

  /** Runs when the process exits: ending a thread inside onnxruntime would abort it (see NativeGate). */
  readonly #waitForNativeCode = (): void => {
    for (const { gate } of this.#threads) closeGate(gate, EXIT_WAIT_MS);
  };
}

/** Starts one thread that speaks ThreadMessage and runs native code inside the gate alone. */
export type StartThread = (gate: NativeGate) => Worker;

/** A text, and the one who waits for its vector. */
interface Job {
  readonly text: string;
  readonly resolve: (vector: Float32Array) => void;
  readonly reject: (error: PlimsollError) => void;
}

interface PoolThread {
  readonly worker: Worker;
  readonly gate: NativeGate;
  state: 'loading' | 'idle' | Job;
  /** Why it died, if it said so. */
  cause?: unknown;
}

/** `hear` gets each message, `bury` is called once when the thread has ended, for whatever reason. */
interface ThreadWatcher {
  hear(thread: PoolThread, message: ThreadMessage): void;
  bury(thread: PoolThread): void;
}

function startPoolThread(start: StartThread, { hear, bury }: ThreadWatcher): PoolThread {
  const gate = createNativeGate();
  const thread: PoolThread = { worker: start(gate), gate, state: 'loading' };
  thread.worker.on('message', (message: ThreadMessage) => hear(thread, message));
  thread.worker.on('error', (cause) => {
    thread.cause = cause;
  });
  thread.worker.on('exit', () => bury(thread));
  return thread;
}

/** While it has a job, and only then, a thread keeps the process alive. */
function giveJob(thread: PoolThread, job: Job): void {
  thread.state = job;
  thread.worker.ref();
  thread.worker.postMessage(job.text);
}

function rest(thread: PoolThread): void {
  thread.state = 'idle';
  thread.worker.unref();
}

async function endThreads(threads: Iterable<PoolThread>): Promise<void> {
  const workers = [...threads].map((thread) => thread.worker);
  for (const worker of workers) worker.ref(); // or the process could end before the promise below does
  await Promise.all(workers.map((worker) => worker.terminate()));
}

function deathOf({ cause }: PoolThread): PlimsollError {
  if (cause instanceof PlimsollError) return cause;
  const reason = cause instanceof Error ? `: ${cause.message}` : '.';
  return new PlimsollError('internal', `The encoder's thread ended unexpectedly${reason}`, { cause });
}
