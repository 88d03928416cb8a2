/** Who may use the server, and how much at once: API keys and the queue. */
export {
  type Access,
  type AccessOptions,
  type Authentication,
  isLoopback,
  openAccess,
  requireAccess,
} from './access.ts';
export {
  type CreatedKey,
  createKey,
  includesRole,
  ROLES,
  type Role,
  readKeys,
  revokeKey,
  type StoredKey,
  type WantedKey,
} from './keys-file.ts';
export {
  type AppliedLimit,
  AT_LIMIT,
  countsMoney,
  EACH,
  LIMIT_UNITS,
  type Limit,
  type LimitField,
  type LimitSubject,
  type LimitUnit,
  type LimitWindow,
  limitFinder,
  namesKeys,
  scopeOf,
  type WhenFull,
  windowAt,
} from './limit-rules.ts';
export { type LimitStanding, limitStandings } from './limit-standings.ts';
export {
  type CallCost,
  type CallPlace,
  createLimiter,
  type HeldReservation,
  isFor,
  type Limiter,
  type LimitRefusal,
  type PossibleCalls,
  type RequestLimits,
  type Used,
  type WindowStanding,
} from './limits.ts';
export { createQueue, type Entry, type Queue } from './queue.ts';
export { createStateKey, openStateAccess, readStateKeys, revokeStateKey } from './state-keys.ts';
export type { AskingSubject } from './used-shares.ts';
