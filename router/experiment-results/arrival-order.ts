import { LONGEST_WAIT_MS } from '../experiments/index.ts';
import type { WorkRecord } from '../people/index.ts';
import { RecentMap } from '../recent-map.ts';
import type { DecisionRecord } from '../records/index.ts';

/** Requests that are remembered. */
const REMEMBERED = 100_000;

/** What is read of the record of a request of an experiment. */
export const ASSIGNED_FIELDS = [
  'id',
  'time',
  'operation',
  'experiment',
  'served',
  'people_task',
  'status',
  'ended',
  'reason',
  'cost_usd',
  'duration_ms',
] as const;
export type AssignedRecord = Pick<DecisionRecord, (typeof ASSIGNED_FIELDS)[number]>;

/** Whoever the log is handed to. */
export interface ResultsReader {
  /** Others are not handed on. */
  isCounted(record: AssignedRecord): boolean;
  decision(record: AssignedRecord): unknown;
  people(work: WorkRecord): void;
  score(decisionId: string, score: number): void;
  audit(decisionId: string, loss: number, artifact: string): void;
}

/** Hands records on in the order in which their requests arrived. */
export interface ArrivalOrder extends ResultsReader {
  /** Hands on what arrived before this time, and before all that people still have. */
  handOn(beforeMs: number): void;
  /** Requests that have ended and were not handed on yet. */
  waiting(): number;
}

interface Waiting {
  readonly record: AssignedRecord;
  readonly timeMs: number;
  /** People have it, and what they come to is not known yet. */
  isOpen: boolean;
  /** What came about it in the meantime. */
  readonly later: (() => void)[];
}

/**
 * A log has records in the order in which replies ended: those of a slow arm come later, and early on are missing. Sequences and shares are only valid in an
 * order that does not depend on outcomes, such as that of arrival, and up to a request before which all have ended.
 */
export function arrivalOrder(reader: ResultsReader): ArrivalOrder {
  let all: Waiting[] = [];
  const byId = new Map<string, Waiting>();
  /** What people came to on requests whose own records were not read yet: the two streams are read one after the other. */
  const early = new RecentMap<WorkRecord>(REMEMBERED);

  /** Until when all have ended, also those that people have, unless they take longer than anybody is waited for. */
  function endedUntil(beforeMs: number): number {
    const open = all.filter(({ isOpen, timeMs }) => isOpen && timeMs >= beforeMs - LONGEST_WAIT_MS);
    return open.reduce((least, { timeMs }) => Math.min(least, timeMs), beforeMs);
  }

  function whenHandedOn(id: string, hand: () => void): void {
    const waiting = byId.get(id);
    if (waiting === undefined) hand();
    else waiting.later.push(hand);
  }

  return {
    isCounted: reader.isCounted,
    decision(record) {
      if (!reader.isCounted(record)) return;
      const work = early.get(record.id);
      early.delete(record.id);
      const waiting = {
        record: kept(record),
        timeMs: Date.parse(record.time),
        isOpen: record.people_task !== undefined && work === undefined,
        later: work === undefined ? [] : [() => reader.people(work)],
      };
      all.push(waiting);
      byId.set(record.id, waiting);
    },
    people(work) {
      const waiting = byId.get(work.decision_id);
      if (waiting === undefined) early.set(work.decision_id, work);
      else waiting.isOpen = false;
      whenHandedOn(work.decision_id, () => reader.people(work));
    },
    score: (id, score) => whenHandedOn(id, () => reader.score(id, score)),
    audit: (id, loss, artifact) => whenHandedOn(id, () => reader.audit(id, loss, artifact)),
    handOn(wantedMs) {
      const beforeMs = endedUntil(wantedMs);
      const due = all.filter(({ timeMs }) => timeMs < beforeMs).sort(byArrival);
      if (due.length === 0) return;
      all = all.filter(({ timeMs }) => timeMs >= beforeMs);
      for (const { record, later } of due) {
        byId.delete(record.id);
        reader.decision(record);
        for (const hand of later) hand();
      }
    },
    waiting: () => all.length,
  };
}

/** Of the same millisecond by their ids, which say nothing of arms or outcomes. */
function byArrival(a: Waiting, b: Waiting): number {
  return a.timeMs - b.timeMs || (a.record.id < b.record.id ? -1 : 1);
}

/** Many may wait: without what nobody reads. */
function kept(record: AssignedRecord): AssignedRecord {
  return Object.fromEntries(ASSIGNED_FIELDS.map((field) => [field, record[field]])) as AssignedRecord;
}
