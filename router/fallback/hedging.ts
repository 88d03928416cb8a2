import { type AbortSignalLike, LightAbortSignal } from '../abort-signal.ts';
import type { CatalogModel } from '../catalog/index.ts';
import type { HedgeSettings, UnroutedCall } from '../exchange/index.ts';
import type { LatencyBook } from '../latency/index.ts';
import type { AttemptLog, AtWork, Called } from './attempt-log.ts';
import { type Clock, remedyFor } from './failure-rules.ts';

/** With fewer measurements than these, by their weight, nobody knows what is late: a 98th percentile is the second largest of a hundred. */
const MIN_WEIGHT = 50;
/** Hedges that may be saved up while nothing is late. */
const MAX_CREDIT = 10;

/** Decides when a request has waited long enough for a second attempt, and keeps the share of those within its limit. */
export interface Hedging {
  /** When a first byte of the model counts as late, in ms after the request was sent; undefined if that is not known. */
  afterMs(model: CatalogModel, stream: boolean): number | undefined;
  /** To be called for each request that may be hedged. */
  counts(): void;
  /** Whether one more attempt is within `maxShare` of the requests so far, which then includes it. */
  take(): boolean;
}

/** At most `1 + maxShare * requests` hedges, and `MAX_CREDIT` in a row. */
export function createHedging({ after, maxShare }: HedgeSettings, latencies: LatencyBook): Hedging {
  let credit = 1;
  return {
    afterMs: ({ name }, stream) =>
      typeof after === 'number' ? after : latencies.firstByteMs(name, stream, after.quantile, MIN_WEIGHT),
    counts() {
      credit = Math.min(MAX_CREDIT, credit + maxShare);
    },
    take() {
      if (credit < 1) return false;
      credit--;
      return true;
    },
  };
}

/**
 * Whether a second copy of a request is harmless: it is a plain exchange that leaves nothing behind at the provider. A conversation that the
 * provider keeps would get both replies, and a background job would run twice.
 */
function isHedgeable({ operation, passed, body }: UnroutedCall): boolean {
  return (
    operation === 'chat' &&
    passed === undefined &&
    body['conversation'] == null &&
    body['background'] !== true
  );
}

/**
 * Whether the first candidate may get a second attempt beside it: with another key of its provider, at another deployment, or on another candidate.
 * @param among models that a second attempt may call; undefined: there is none
 */
export function mayHedge(
  call: UnroutedCall,
  candidates: readonly CatalogModel[],
  among: readonly CatalogModel[] | undefined,
): boolean {
  const [first, ...others] = candidates;
  if (among === undefined || first === undefined || !isHedgeable(call)) return false;
  if (first.provider.keys !== undefined || (first.deployments?.length ?? 0) > 1) return true;
  return among.some(({ name }) => others.some((other) => other.name === name));
}

/** One of two attempts side by side: it ends when the client leaves, or when the other one has won. */
export class Lane {
  readonly signal = new LightAbortSignal();
  readonly #client: AbortSignalLike;
  readonly #onLeft = () => this.signal.abort(this.#client.reason);
  /** It replied in the very moment in which the other one did. */
  #replied: CatalogModel | undefined;
  #atWork: AtWork | undefined;
  #onSent: () => void = () => {};
  /** Resolves when the first attempt is sent; what it takes to prepare it is not the provider's. */
  readonly sent = new Promise<void>((resolve) => {
    this.#onSent = resolve;
  });

  constructor(client: AbortSignalLike) {
    this.#client = client;
    if (client.aborted) this.#onLeft();
    else client.addEventListener('abort', this.#onLeft, { once: true });
  }

  /** What the provider is at; undefined between attempts. */
  get atWork(): AtWork | undefined {
    return this.#atWork;
  }

  began(atWork: AtWork): void {
    this.#atWork = atWork;
    this.#onSent();
  }

  ended(): void {
    this.#atWork = undefined;
  }

  /** The outcome of a candidate, or why it threw. Never rejects. */
  settled(work: Promise<Called>): Promise<Settled> {
    return work.then(
      (called) => {
        if (called.outcome?.kind === 'reply') this.#replied = called.model;
        return called;
      },
      (error: unknown) => ({ error }),
    );
  }

  /** Closes the connection of what is at work, and records it as cancelled. */
  giveUp(log: AttemptLog, clock: Clock): void {
    this.#client.removeEventListener('abort', this.#onLeft);
    if (this.atWork !== undefined) log.cancelled(this.atWork, clock.now());
    else if (this.#replied !== undefined) log.abandoned.push(this.#replied);
    this.signal.abort(new Error('Another attempt replied first.'));
  }
}

/** The outcome of a candidate, or why it threw. Undefined: a breaker refused. */
export type Settled = Called | { readonly error: unknown };

/** Whether nothing else is worth waiting for: a reply, a request that is at fault itself, or a client that left. */
export function decides(settled: Settled): boolean {
  if ('error' in settled) return true;
  const { outcome } = settled;
  return outcome !== undefined && (outcome.kind === 'reply' || remedyFor(outcome) === 'end');
}

/** Whether `work` has not settled within `ms` of its first attempt. */
export async function isLate(
  work: Promise<Settled>,
  { sent }: Lane,
  ms: number,
  clock: Clock,
): Promise<boolean> {
  if (await Promise.race([work.then(() => true), sent.then(() => false)])) return false;
  const done = new LightAbortSignal();
  const timer = clock.sleep(ms, done).then(
    () => true,
    () => false,
  );
  const late = await Promise.race([work.then(() => false), timer]);
  done.abort(undefined);
  return late;
}
