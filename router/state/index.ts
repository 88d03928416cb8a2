/** What outlives a request, behind ports: log, ledger, counters, leases, documents, in memory, SQLite or PostgreSQL. */
export { DEFAULT_SQLITE_FILE, openState, type StateOptions } from './open-state.ts';
export type {
  Counters,
  Documents,
  Leases,
  Ledger,
  LedgerEntry,
  Log,
  LogRecord,
  State,
  StateStatus,
} from './ports.ts';
