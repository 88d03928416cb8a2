import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Documents } from '../state/index.ts';

/** A request that takes longer is waited for no more: results go on without it, and count it when it ends. */
export const LONGEST_WAIT_MS = 3_600_000;

const KIND = 'arrivals';
const EVERY_MS = 2_000;
/** Longer than a few reports: an instance does not vanish with one that failed. One that was killed is waited for so long. */
const TTL_MS = 30_000;
/** More than there are instances. */
const MOST = 1_000;

/** Says to whoever reads results which requests this process still works on. */
export interface ArrivalReports {
  /** A request has come. @returns to be called once, when it is recorded or in no experiment; undefined: nothing is reported */
  arrived(timeMs: number): (() => void) | undefined;
  /** Begins to report, at the first call. Resolves after the first report. Never rejects. */
  begin(): Promise<void>;
  /** Reports now. Never rejects. */
  report(): Promise<void>;
  /** To be called when all records are stored. */
  close(): Promise<void>;
}

interface ReportParts {
  readonly documents: Documents;
  /** Stores the records of all requests that have ended. */
  readonly flush: () => Promise<void>;
  readonly everyMs?: number;
  readonly ttlMs?: number;
  readonly nowMs?: () => number;
}

/**
 * Every two seconds a report of the arrival of the oldest request at work; the present time if there is none. It is taken first, then the records of what has
 * ended are stored, then it is written. So whoever reads the reports, and after that the log, finds every request of this process that arrived before.
 */
export function openArrivalReports(parts: ReportParts): ArrivalReports {
  const { documents, flush, everyMs = EVERY_MS, ttlMs = TTL_MS, nowMs = Date.now } = parts;
  const key = { scope: '', kind: KIND, id: randomUUID() };
  /** In the order of arrival. */
  const atWork = new Set<{ readonly timeMs: number }>();
  let timer: NodeJS.Timeout | undefined;
  let reporting: Promise<void> | undefined;

  function oldestMs(): number {
    const now = nowMs();
    for (const request of atWork) {
      if (request.timeMs >= now - LONGEST_WAIT_MS) return Math.min(request.timeMs, now);
      atWork.delete(request);
    }
    return now;
  }

  async function reportOnce(): Promise<void> {
    try {
      const beforeMs = oldestMs();
      await flush();
      await documents.put(key, { value: { before_ms: beforeMs }, ttlMs });
    } catch {
      // the state says itself what is wrong
    }
  }

  function report(): Promise<void> {
    reporting ??= reportOnce().finally(() => {
      reporting = undefined;
    });
    return reporting;
  }

  return {
    arrived(timeMs) {
      if (timer === undefined) return undefined;
      const request = { timeMs };
      atWork.add(request);
      return () => void atWork.delete(request);
    },
    async begin() {
      timer ??= setInterval(() => void report(), everyMs).unref();
      await report();
    },
    report,
    async close() {
      clearInterval(timer);
      await reporting;
      if (timer !== undefined) await documents.delete(key).catch(() => {});
    },
  };
}

/**
 * All requests that arrived before this time, in ms, have ended and are in the log: the oldest of the reports of instances that live. Infinity if none
 * reports. To be read before the log.
 */
export async function readWatermark(documents: Documents): Promise<number> {
  const stored = await documents.list('', KIND, MOST);
  const times = stored.map(
    ({ value }) => z.object({ before_ms: z.number() }).safeParse(value).data?.before_ms,
  );
  return Math.min(...times.map((timeMs) => timeMs ?? Number.POSITIVE_INFINITY));
}
