export { type Access, openAccess } from './access.ts';
export type { Authentication } from './authenticate.ts';
export { createKey, revokeKey } from './change-keys.ts';
export { type AccessOptions, requireAccess } from './config.ts';
export { readKeys } from './keys-file.ts';
export { isLoopback } from './loopback.ts';
export { createQueue, type Entry, type Queue } from './queue.ts';
export type { StoredKey } from './stored-key.ts';
