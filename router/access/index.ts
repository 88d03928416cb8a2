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
  type Admission,
  createLimiter,
  hasBudgets,
  hasLimits,
  type Limiter,
  type LimitOptions,
  type Used,
} from './limits.ts';
export { createQueue, type Entry, type Queue } from './queue.ts';
export { createStateKey, openStateAccess, readStateKeys, revokeStateKey } from './state-keys.ts';
