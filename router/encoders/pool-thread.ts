import type { Worker } from 'node:worker_threads';
import { PlimsollError } from '../errors.ts';
import { type BusyFlag, createBusyFlag, raise } from './busy-flag.ts';
import type { ThreadMessage } from './encoder-thread.ts';

/** Starts one thread that speaks ThreadMessage and lowers the flag whenever it leaves native code. */
export type StartThread = (busy: BusyFlag) => Worker;

/** A text, and the one who waits for its vector. */
export interface Job {
  readonly text: string;
  readonly resolve: (vector: Float32Array) => void;
  readonly reject: (error: PlimsollError) => void;
}

export interface PoolThread {
  readonly worker: Worker;
  readonly busy: BusyFlag;
  state: 'loading' | 'idle' | Job;
  /** Why it died, if it said so. */
  cause?: unknown;
}

/** `hear` gets each message, `bury` is called once when the thread has ended, for whatever reason. */
export interface ThreadWatcher {
  hear(thread: PoolThread, message: ThreadMessage): void;
  bury(thread: PoolThread): void;
}

export function startPoolThread(start: StartThread, { hear, bury }: ThreadWatcher): PoolThread {
  const busy = createBusyFlag();
  raise(busy);
  const thread: PoolThread = { worker: start(busy), busy, state: 'loading' };
  thread.worker.on('message', (message: ThreadMessage) => hear(thread, message));
  thread.worker.on('error', (cause) => {
    thread.cause = cause;
  });
  thread.worker.on('exit', () => bury(thread));
  return thread;
}

/** While it has a job, and only then, a thread keeps the process alive. */
export function giveJob(thread: PoolThread, job: Job): void {
  thread.state = job;
  thread.worker.ref();
  raise(thread.busy);
  thread.worker.postMessage(job.text);
}

export function rest(thread: PoolThread): void {
  thread.state = 'idle';
  thread.worker.unref();
}

export async function endThreads(threads: Iterable<PoolThread>): Promise<void> {
  const workers = [...threads].map((thread) => thread.worker);
  for (const worker of workers) worker.ref(); // or the process could end before the promise below does
  await Promise.all(workers.map((worker) => worker.terminate()));
}

export function deathOf({ cause }: PoolThread): PlimsollError {
  if (cause instanceof PlimsollError) return cause;
  const reason = cause instanceof Error ? `: ${cause.message}` : '.';
  return new PlimsollError('internal', `The encoder's thread ended unexpectedly${reason}`, { cause });
}
