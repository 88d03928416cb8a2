import { NANO } from '../../router/catalog/index.ts';
import { type WorkRecord, workRecordFrom } from '../../router/people/index.ts';
import { type DecisionRecord, workUseOf } from '../../router/records/index.ts';
import { type Log, PEOPLE_WORK, storedRecords } from '../../router/state/index.ts';
import { readRecords } from '../cases/index.ts';

/** What people came to, by the id of the decision. */
export type WorkOfPeople = ReadonlyMap<string, WorkRecord>;

/** A decision record with what people came to afterwards. */
export interface EndedRecord extends DecisionRecord {
  /** Minutes that they were at work on it; left out if they were not, or it is not known. */
  readonly workMinutes?: number;
}

/** What `plimsoll state export --stream people` wrote. What is no such record is passed over. */
export async function workOfPeopleIn(files: readonly string[]): Promise<WorkOfPeople> {
  const found = new Map<string, WorkRecord>();
  for (const file of new Set(files))
    for await (const { fields } of readRecords(file)) add(found, JSON.stringify(fields()));
  return found;
}

export async function storedWorkOfPeople(log: Pick<Log, 'read'>): Promise<WorkOfPeople> {
  const found = new Map<string, WorkRecord>();
  for await (const { body } of storedRecords(log, PEOPLE_WORK)) add(found, body);
  return found;
}

function add(found: Map<string, WorkRecord>, json: string): void {
  const work = workRecordFrom(json);
  if (work !== undefined) found.set(work.decision_id, work);
}

/** The record as it would be, had it been written when people had ended. */
export function withWork(record: DecisionRecord, work: WorkRecord | undefined): EndedRecord {
  if (work === undefined) return record;
  const { minutes: workMinutes, outcome, waited_ms: waitedMs } = work;
  const { kind } = workUseOf(record, true);
  if (kind === 'counted') return { ...record, workMinutes };
  const isReply = kind === 'reply' && outcome === 'answered';
  return {
    ...record,
    workMinutes,
    cost_usd: (record.cost_usd ?? 0) + work.cost_nano_usd / NANO,
    ...(isReply && { status: 200, duration_ms: waitedMs, ...(work.usage && { usage: work.usage }) }),
  };
}
