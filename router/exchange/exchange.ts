import type { Dispatcher } from 'undici';
import type { AbortSignalLike } from '../abort-signal.ts';
import type { MemoryShare } from '../memory-budget.ts';
import type { ConnectionPools } from './connection-pools.ts';
import { ExchangeError, type ExchangeFailure, exchangeErrorFrom } from './provider-error.ts';
import type { AttemptTimeouts, ProviderCall } from './types.ts';

/** What goes over the wire, in undici's terms. */
export interface HttpRequest {
  readonly origin: string;
  readonly path: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | null;
}

/** Names in lower case. */
export type IncomingHeaders = Readonly<Record<string, string | string[] | undefined>>;

export interface Head {
  readonly status: number;
  readonly headers: IncomingHeaders;
}

export interface OpenExchange {
  readonly exchange: Exchange;
  readonly head: Head;
}

/** Bytes that wait for the client before the provider is asked to pause. */
const HIGH_WATER_BYTES = 64 * 1024;

/**
 * One request on one connection, and its response as it arrives. Chunks are passed on as they came, none joined or cut; while they are
 * not fetched the provider is paused. Whatever ends it early (a deadline, the signal, `close`) destroys the connection.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #timeouts: AttemptTimeouts;
  readonly #stream: boolean;
  readonly #signal: AbortSignalLike;
  readonly #deadlines: Deadlines;
  readonly #onAbort = () => this.#fail(this.#signal.reason, true);
  readonly #startedAt = performance.now();
  #controller: Dispatcher.DispatchController | undefined;
  #head: Head | undefined;
  #chunks: Buffer[] = [];
  #queuedBytes = 0;
  #highWaterBytes = HIGH_WATER_BYTES;
  #ended = false;
  #failed: { readonly error: unknown } | undefined;
  #transportError: unknown;
  #wake: (() => void) | undefined;

  constructor(timeouts: AttemptTimeouts, stream: boolean, signal: AbortSignalLike) {
    this.#timeouts = timeouts;
    this.#stream = stream;
    this.#signal = signal;
    this.#deadlines = new Deadlines((reason, message) =>
      this.#fail(new ExchangeError(reason, message), true),
    );
  }

  start(dispatcher: Dispatcher, request: HttpRequest): void {
    this.#signal.addEventListener('abort', this.#onAbort, { once: true });
    try {
      dispatcher.dispatch(request, this);
      if (this.#failed) return;
      // On a kept connection, it has begun by now.
      if (this.#controller === undefined) this.#deadlines.step('connect-timeout', this.#timeouts.connectMs);
      this.#deadlines.whole(this.#timeouts.totalMs);
    } catch {
      // undici refuses what is no request: a header that the configuration or a key got wrong. Its message may quote it.
      this.#fail(new ExchangeError('connect', 'The request could not be made.'), false);
    }
  }

  /** @throws ExchangeError, or the signal's reason */
  async head(): Promise<Head> {
    while (this.#head === undefined) {
      if (this.#failed !== undefined) throw this.#failed.error;
      await this.#nextEvent();
    }
    return this.#head;
  }

  /** The body. Its silences may last `idleMs`; undefined: as long as the whole may. Throws as `head` does, after what has come. */
  async *chunks(idleMs: number | undefined): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunk = this.#take();
        if (chunk !== undefined) {
          yield chunk;
          continue;
        }
        if (this.#failed !== undefined) throw this.#failed.error;
        if (this.#ended) return;
        if (idleMs !== undefined) this.#deadlines.stepUnlessAny('stall', idleMs);
        await this.#nextEvent();
      }
    } finally {
      this.close();
    }
  }

  /**
   * The whole body, if it has at most `maxBytes` and `memory` has room for it; else undefined, and `chunks` has all of it. Its silences may
   * last `idleMs` once it has begun. Throws as `head` does.
   */
  async whole(maxBytes: number, idleMs: number, memory?: MemoryShare): Promise<Buffer | undefined> {
    this.#highWaterBytes = maxBytes;
    if (this.#controller?.paused) this.#controller.resume();
    let heldBytes = 0;
    for (;;) {
      if (this.#failed !== undefined) throw this.#failed.error;
      const more = this.#queuedBytes - heldBytes;
      if (this.#queuedBytes > maxBytes || (more > 0 && memory?.add(more) === false)) {
        memory?.giveBack(heldBytes);
        this.#highWaterBytes = HIGH_WATER_BYTES;
        return undefined;
      }
      heldBytes += more;
      if (this.#ended) break;
      if (this.#queuedBytes > 0) this.#deadlines.step('stall', idleMs);
      await this.#nextEvent();
    }
    const [first] = this.#chunks;
    return first !== undefined && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
  }

  /** No more is wanted. A connection whose response has not ended cannot be used again and is destroyed. */
  close(): void {
    if (!this.#ended) this.#fail(new ExchangeError('reset', 'The answer was left.'), true);
  }

  /** The connection's error, if it came after the request was sent and before any of the response; and since when we waited. */
  unansweredError(): { readonly error: unknown; readonly since: number } | undefined {
    const unanswered = this.#controller !== undefined && this.#head === undefined;
    return unanswered && this.#transportError !== undefined
      ? { error: this.#transportError, since: this.#startedAt }
      : undefined;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#failed !== undefined) controller.abort(new Error('no longer wanted'));
    else this.#deadlines.step('first-byte', this.#timeouts.firstByteMs);
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHeaders): void {
    // 1xx inform about the connection; the response's head follows.
    if (status < 200) return;
    this.#head = { status, headers };
    if (!this.#stream) this.#deadlines.endStep();
    this.#notify();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#deadlines.endStep();
    this.#chunks.push(chunk);
    this.#queuedBytes += chunk.length;
    if (this.#queuedBytes > this.#highWaterBytes) controller.pause();
    this.#notify();
  }

  onResponseEnd(): void {
    this.#ended = true;
    this.#finish();
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#transportError ??= this.#failed === undefined ? error : undefined;
    const phase =
      this.#controller === undefined ? 'connecting' : this.#head === undefined ? 'sent' : 'answered';
    this.#fail(exchangeErrorFrom(error, phase), false);
  }

  #take(): Uint8Array | undefined {
    const chunk = this.#chunks.shift();
    this.#queuedBytes -= chunk?.length ?? 0;
    if (this.#chunks.length === 0 && this.#controller?.paused && this.#failed === undefined) {
      this.#controller.resume();
    }
    return chunk;
  }

  /** `now`: what has come and was not fetched is dropped, and the connection destroyed. */
  #fail(error: unknown, now: boolean): void {
    if (this.#ended && !now) return;
    this.#failed ??= { error };
    if (now) {
      this.#chunks = [];
      if (!this.#ended) this.#controller?.abort(new Error('no longer wanted'));
    }
    this.#finish();
  }

  #finish(): void {
    this.#deadlines.clear();
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#notify();
  }

  #nextEvent(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

const SENTENCES: Partial<Record<ExchangeFailure, string>> = {
  'connect-timeout': 'No connection in time.',
  'first-byte': 'No first byte in time.',
  stall: 'The answer fell silent.',
};

const NEVER = Number.POSITIVE_INFINITY;

/**
 * The deadlines of one exchange: one for the whole, and one for its current step. Times are in ms. They share one timer, which is moved only
 * for an earlier deadline: removing one costs nothing, and a stream that sets one at each chunk sets no timer.
 */
class Deadlines {
  readonly #onPassed: (reason: ExchangeFailure, sentence: string) => void;
  #wholeAt = NEVER;
  #stepAt = NEVER;
  #step: ExchangeFailure = 'connect-timeout';
  #timer: NodeJS.Timeout | undefined;
  #timerAt = NEVER;

  constructor(onPassed: (reason: ExchangeFailure, sentence: string) => void) {
    this.#onPassed = onPassed;
  }

  whole(ms: number): void {
    this.#wholeAt = performance.now() + ms;
    this.#schedule();
  }

  /** Ends the step before it. */
  step(reason: ExchangeFailure, ms: number): void {
    this.#step = reason;
    this.#stepAt = performance.now() + ms;
    this.#schedule();
  }

  /** A wait inside a step keeps the step's deadline. */
  stepUnlessAny(reason: ExchangeFailure, ms: number): void {
    if (this.#stepAt === NEVER) this.step(reason, ms);
  }

  endStep(): void {
    this.#stepAt = NEVER;
  }

  clear(): void {
    this.#wholeAt = NEVER;
    this.#stepAt = NEVER;
    clearTimeout(this.#timer);
    this.#timerAt = NEVER;
  }

  #schedule(): void {
    const nextAt = Math.min(this.#wholeAt, this.#stepAt);
    if (nextAt >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = nextAt;
    this.#timer = setTimeout(() => this.#check(), Math.max(0, Math.ceil(nextAt - performance.now())));
  }

  #check(): void {
    this.#timerAt = NEVER;
    const now = performance.now();
    if (now >= this.#stepAt) this.#onPassed(this.#step, SENTENCES[this.#step] ?? '');
    else if (now >= this.#wholeAt) this.#onPassed('too-long', 'The answer took too long.');
    else this.#schedule();
  }
}

/**
 * Sends a request and waits for the head of its response; once more, at once, on a new connection, if a kept one turned out to be gone
 * before anything was received. Throws ExchangeError, or the reason of the call's signal.
 */
export async function openExchange(
  pools: ConnectionPools,
  request: HttpRequest,
  { stream, signal }: ProviderCall,
  timeouts: AttemptTimeouts,
): Promise<OpenExchange> {
  const startedAt = performance.now();
  const exchange = new Exchange(timeouts, stream, signal);
  exchange.start(pools.kept, request);
  try {
    return { exchange, head: await exchange.head() };
  } catch (error) {
    const unanswered = exchange.unansweredError();
    if (unanswered === undefined || !pools.endedOlderConnection(unanswered.error, unanswered.since))
      throw error;
    signal.throwIfAborted();
  }
  const totalMs = timeouts.totalMs - (performance.now() - startedAt);
  const again = new Exchange({ ...timeouts, totalMs }, stream, signal);
  again.start(pools.fresh, request);
  return { exchange: again, head: await again.head() };
}
