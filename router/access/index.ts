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
  readKeys,
  revokeKey,
  type StoredKey,
  type WantedKey,
} from './keys-file.ts';
export {
  countsMoney,
  EACH,
  LIMIT_UNITS,
  type Limit,
  type LimitField,
  type LimitSubject,
  type LimitUnit,
  type LimitWindow,
  limitOfScope,
  namesKeys,
  scopeOf,
  windowAt,
} from './limit-rules.ts';
export {
  type CallCost,
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
