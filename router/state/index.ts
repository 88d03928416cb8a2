/** What outlives a request, behind ports: log, ledger, leases, documents, in memory, SQLite or PostgreSQL. */

export { type InstanceReport, type Instances, reportInstance } from './instances.ts';
export { pruneRegularly, pruneState, type Retention } from './maintenance.ts';
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
export type {
  Charge,
  DocumentKey,
  Documents,
  DocumentWrite,
  Leases,
  Ledger,
  LedgerEntry,
  LedgerWindow,
  Log,
  LogRecord,
  Reservation,
  SettledEntry,
  State,
  StateStatus,
  StoredRecord,
  Subject,
  WindowSums,
} from './ports.ts';
export { DECISIONS } from './ports.ts';
export type { SharedCache } from './redis.ts';
export type { QueueWorker, WorkQueue } from './work-queue.ts';
