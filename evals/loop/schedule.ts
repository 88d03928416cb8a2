import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Documents, Leases } from '../../router/state/index.ts';

export interface ScheduleOptions {
  /** From the beginning of one round to that of the next, in ms. */
  readonly everyMs: number;
  readonly leases: Leases;
  readonly documents: Documents;
  /** One round. @returns whether it came to an end; one that was interrupted is gone on with. Its signal: stop, what is done is kept */
  readonly round: (signal: AbortSignal) => Promise<boolean>;
  /** A round that failed is tried again after an hour. */
  readonly onFailure: (error: unknown) => void;
  /** Aborted: no further round begins, and one at work is stopped. */
  readonly signal: AbortSignal;
  readonly nowMs?: () => number;
  /** How often it is looked whether a round is due; default a minute. */
  readonly lookEveryMs?: number;
}

interface Planned {
  readonly dueMs: number;
}

const LEASE = 'loop';
const LEASE_MS = 60_000;
const RENEW_MS = 15_000;
const RETRY_MS = 3_600_000;
const LOOK_EVERY_MS = 60_000;
const DOCUMENT = { scope: '', kind: 'loop', id: 'schedule' } as const;

/**
 * Runs rounds by a schedule, until the signal is aborted. Any number of processes may do so on one state: each round is run by one of them, which holds a
 * lease while it does; another goes on with the round of one that is gone. When the next is due is in the state: a restart changes nothing of it.
 * @throws PlimsollError `state-unavailable` if the state cannot be reached at the start
 */
export async function runScheduled(options: ScheduleOptions): Promise<void> {
  const { leases, documents, signal, nowMs = Date.now, lookEveryMs = LOOK_EVERY_MS } = options;
  const holder = randomUUID();
  const dueMs = async () => ((await documents.get(DOCUMENT))?.value as Planned | undefined)?.dueMs ?? 0;
  await dueMs(); // an address that is wrong is one of the start
  while (!signal.aborted) {
    try {
      if (nowMs() >= (await dueMs())) {
        const lease = await leases.acquire(LEASE, holder, LEASE_MS);
        if (lease !== undefined) {
          const renewing = keepRenewed(() => leases.renew(lease, LEASE_MS), signal);
          try {
            // Another may have run it since we looked.
            if (nowMs() >= (await dueMs())) await runOne(options, renewing.signal);
          } finally {
            renewing.stop();
            await leases.release(lease);
          }
        }
      }
    } catch (error) {
      options.onFailure(error); // the state is away: it is looked for again
    }
    await sleep(lookEveryMs, undefined, { signal }).catch(() => {});
  }
}

/** When the next round is due is written at its end: one whose process is gone is due at once. */
async function runOne(
  { round, everyMs, documents, onFailure, nowMs = Date.now }: ScheduleOptions,
  signal: AbortSignal,
): Promise<void> {
  const startedMs = nowMs();
  let nextMs = startedMs + everyMs;
  try {
    if (!(await round(signal))) return;
  } catch (error) {
    if (signal.aborted) return;
    onFailure(error);
    nextMs = Math.min(nextMs, nowMs() + RETRY_MS);
  }
  await documents.put(DOCUMENT, { value: { dueMs: nextMs } satisfies Planned });
}

/** @returns a signal that is aborted when the lease is lost, as well as by the one that is given */
function keepRenewed(renew: () => Promise<boolean>, ending: AbortSignal) {
  const lost = new AbortController();
  const timer = setInterval(() => {
    renew().then(
      (isHeld) => {
        if (!isHeld) lost.abort();
      },
      () => lost.abort(), // the state is away, and the lease may be another's soon
    );
  }, RENEW_MS);
  return { signal: AbortSignal.any([ending, lost.signal]), stop: () => clearInterval(timer) };
}
