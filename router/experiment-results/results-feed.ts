import { LONGEST_WAIT_MS } from '../experiments/index.ts';
import { parseJson } from '../json/index.ts';
import { AUDITS, auditSchema } from '../monitoring/index.ts';
import { workRecordFrom } from '../people/index.ts';
import { type DecisionRecord, FEEDBACK, feedbackFrom } from '../records/index.ts';
import { DECISIONS, type Log, PEOPLE_WORK, type StoredRecord } from '../state/index.ts';
import { arrivalOrder, type ResultsReader } from './arrival-order.ts';

const PAGE = 1_000;
/** In a long log, by the times of its records. */
const HAND_ON_EVERY_MS = 60_000;

/** What is read of a state's log, from where the last reading ended. */
export interface ResultsFeed {
  /** Hands on what is new, in the order of arrival, up to the oldest request that is still at work. */
  read(): Promise<void>;
  /** Requests that have ended, and are counted once all that arrived before them have. */
  waiting(): number;
}

export interface FeedOptions {
  /** All that arrived before this time has ended, and is in the log when it is read after this. Default: all there is. */
  readonly watermark?: () => Promise<number>;
  /** Records that are read and handed on at a time. */
  readonly limit?: number;
}

/**
 * @param sinceMs earlier records are passed over, without reading them all
 * @param decisions where those are: in the log (true), elsewhere, as in a file, or nowhere (false)
 */
export function resultsFeed(
  log: Pick<Log, 'read'>,
  sinceMs: number,
  reader: ResultsReader,
  decisions: boolean | AsyncIterable<DecisionRecord> = true,
  { watermark = async () => Number.POSITIVE_INFINITY, limit = PAGE }: FeedOptions = {},
): ResultsFeed {
  const ordered = arrivalOrder(reader);
  let beforeMs = 0;
  let handedOnMs = 0;

  /** What comes after a record in the log arrived at most the longest wait before it: a long log need not be in memory as a whole. */
  function decision(record: DecisionRecord | undefined): void {
    if (record?.experiment === undefined) return;
    ordered.decision(record);
    const settledMs = Math.min(beforeMs, Date.parse(record.time) - LONGEST_WAIT_MS);
    if (settledMs < handedOnMs + HAND_ON_EVERY_MS) return;
    handedOnMs = settledMs;
    ordered.handOn(settledMs);
  }

  const all: { name: string; afterSeq?: number; hand: (record: StoredRecord) => void }[] = [
    {
      name: DECISIONS,
      hand({ body }) {
        if (!body.includes('"experiment":')) return; // most records are of none, and parsing takes time
        decision(parseJson(body) as DecisionRecord | undefined);
      },
    },
    {
      name: PEOPLE_WORK,
      hand({ body }) {
        const work = workRecordFrom(body);
        if (work !== undefined) ordered.people(work);
      },
    },
    {
      name: FEEDBACK,
      hand(record) {
        const entry = feedbackFrom(record);
        if (entry?.kind === 'score' && entry.score !== undefined)
          ordered.score(entry.decisionId, entry.score);
      },
    },
    {
      name: AUDITS,
      hand({ body }) {
        const { data } = auditSchema.safeParse(parseJson(body));
        if (data !== undefined) ordered.audit(data.decision_id, data.loss, data.artifact);
      },
    },
  ];
  const streams = decisions === true ? all : all.slice(1);
  return {
    async read() {
      beforeMs = await watermark();
      if (typeof decisions === 'object') for await (const record of decisions) decision(record);
      for (const stream of streams) {
        stream.afterSeq ??= await seqBefore(log, stream.name, sinceMs);
        for (;;) {
          const page = await log.read(stream.name, { afterSeq: stream.afterSeq, limit });
          for (const record of page) {
            stream.afterSeq = record.seq;
            stream.hand(record);
          }
          if (page.length < limit) break;
        }
      }
      ordered.handOn(beforeMs);
    },
    waiting: ordered.waiting,
  };
}

const LONGEST_SEQ = 2 ** 52;

/** A place in a stream before which all is older than that time, found in some fifty looks. */
export async function seqBefore(log: Pick<Log, 'read'>, stream: string, timeMs: number): Promise<number> {
  const isOlder = async (seq: number) => {
    const [next] = await log.read(stream, { afterSeq: seq, limit: 1 });
    return next !== undefined && next.timeMs < timeMs - LONGEST_WAIT_MS;
  };
  if (!(await isOlder(0))) return 0;
  let older = 0;
  let step = 1;
  while (older + step < LONGEST_SEQ && (await isOlder(older + step))) {
    older += step;
    step *= 2;
  }
  while (step > 1) {
    step = Math.floor(step / 2);
    if (await isOlder(older + step)) older += step;
  }
  return older;
}
