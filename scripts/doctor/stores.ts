import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../router/config/index.ts';
import { COMMAND } from '../../router/package.ts';
import { DEFAULT_SQLITE_FILE, openSharedCache, openState } from '../../router/state/index.ts';
import { type Finding, findingsOf } from './finding.ts';
import { messageOf } from './serving.ts';

/** Opens the state as it is, and writes nothing. A database that is not there yet is made by the server that needs it. */
export async function checkState(
  { state: options }: Config,
  exists: (file: string) => boolean,
): Promise<Finding> {
  const { ok, fault, skipped } = findingsOf('state');
  if (options === undefined || options.kind === 'memory')
    return skipped('Nothing is kept on this configuration.');
  const file = options.url ?? DEFAULT_SQLITE_FILE;
  if (options.kind === 'sqlite' && !exists(file)) return ok(`${file} is not there yet: the server makes it.`);
  try {
    const state = await openState({ ...options, migrate: 'manual' });
    try {
      const trouble = state.trouble();
      if (trouble !== undefined) return fault(trouble, STATE_FIX);
      const { place, schema } = await state.status();
      return ok(`${place}, schema ${schema}.`);
    } finally {
      await state.close();
    }
  } catch (error) {
    return fault(messageOf(error), STATE_FIX);
  }
}

const STATE_FIX = `docs/STATE.md says what the database must be; ${COMMAND} state migrate brings an older one up to date.`;
const REDIS_WITHIN_MS = 5_000;

export async function checkRedis({ redis }: Config): Promise<Finding> {
  const { ok, fault, skipped } = findingsOf('redis');
  if (redis === undefined) return skipped('None is configured.');
  try {
    const cache = await openSharedCache(redis);
    try {
      const answered = await Promise.race([
        cache.values.get('doctor').then(
          () => true,
          () => false,
        ),
        sleep(REDIS_WITHIN_MS, false, { ref: false }),
      ]);
      if (answered) return ok('Redis answers.');
      return fault(
        'Redis cannot be reached.',
        'Start it, or correct redis.url. Until then each instance counts for itself.',
      );
    } finally {
      await cache.close();
    }
  } catch (error) {
    return fault(messageOf(error), 'Correct redis.url, or the variable that redis.url_env names.');
  }
}
