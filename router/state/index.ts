/** What outlives a request, behind ports: log, ledger, leases, documents, in memory, SQLite or PostgreSQL. */

export { grouped } from './grouped.ts';
export { type InstanceReport, type Instances, reportInstance } from './instances.ts';
export { pruneRegularly, pruneState, type Retention } from './maintenance.ts';
export { memoryHourCounts } from './memory-hour-counts.ts';
export { memoryLedger } from './memory-ledger.ts';
export {
  DEFAULT_SQLITE_FILE,
  openQueueWorker,
  openSharedCache,
  openState,
  openWorkQueue,
  type RedisOptions,
  type StateOptions,
} from './open-state.ts';
export {
  type Charge,
  DECISIONS,
  type DocumentKey,
  type Documents,
  type DocumentWrite,
  type HourCount,
  type HourCounts,
  type Lease,
  type Leases,
  type Ledger,
  type LedgerEntry,
  type LedgerWindow,
  type Log,
  type LogRecord,
  type ModelSpending,
  PEOPLE_WORK,
  type Reservation,
  type SettledEntry,
  type State,
  type StateStatus,
  type StoredRecord,
  type Subject,
  type TimeSpan,
  type WindowSums,
} from './ports.ts';
export type { SharedCache } from './redis.ts';
export { storedRecords } from './stored-records.ts';
export type { QueueWorker, WorkQueue } from './work-queue.ts';
