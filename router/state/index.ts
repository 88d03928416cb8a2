/** What outlives a request, behind ports: log, ledger, counters, leases, documents, in memory, SQLite or PostgreSQL. */

export { type InstanceReport, type Instances, reportInstance } from './instances.ts';
export { pruneRegularly, pruneState, type Retention } from './maintenance.ts';
export { memoryCounters } from './memory.ts';
export { dayOf } from './names.ts';
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
  Counters,
  DocumentKey,
  Documents,
  DocumentWrite,
  Leases,
  Ledger,
  LedgerEntry,
  Log,
  LogRecord,
  State,
  StateStatus,
  StoredRecord,
  Subject,
} from './ports.ts';
export { DECISIONS } from './ports.ts';
export type { SharedCache } from './redis.ts';
export type { QueueWorker, WorkQueue } from './work-queue.ts';
