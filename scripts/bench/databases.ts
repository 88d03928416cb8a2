import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PlimsollError } from '../../router/errors.ts';
import {
  freePort,
  postgresBinaries,
  redisBinary,
  startPostgres,
  startRedis,
  stopPostgres,
  stopRedis,
} from './database-servers.mjs';

export const NO_POSTGRES = 'PostgreSQL is not installed; apt-get install postgresql';

/** A PostgreSQL server of this run, with its data in a folder of the run. */
export interface PostgresServer {
  readonly url: string;
  /** As a crash does: connections break, and the next start recovers from the log. */
  crash(): void;
  start(): Promise<void>;
  close(): void;
}

export function hasPostgres(): boolean {
  return postgresBinaries() !== undefined;
}

/** Commits are on disk when they return, as with the settings that PostgreSQL comes with. @throws PlimsollError `invalid-input` if it is not installed */
export async function ownPostgres(): Promise<PostgresServer> {
  if (!hasPostgres()) throw new PlimsollError('invalid-input', `${NO_POSTGRES}.`);
  const home = mkdtempSync(path.join(tmpdir(), 'plimsoll-postgres-'));
  const folder = path.join(home, 'server');
  mkdirSync(folder);
  const port = await freePort();
  const start = () => startPostgres(folder, port, { fsync: 'on' });
  await start();
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    crash: () => stopPostgres(folder, 'immediate'),
    start,
    close() {
      stopPostgres(folder, 'immediate');
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** A Redis server of this run. @throws PlimsollError `invalid-input` if it is not installed */
export async function ownRedis(): Promise<{ readonly url: string; close(): void }> {
  if (redisBinary() === undefined) {
    throw new PlimsollError('invalid-input', 'Redis is not installed; apt-get install redis-server.');
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-redis-'));
  const port = await freePort();
  await startRedis(folder, port);
  return {
    url: `redis://127.0.0.1:${port}`,
    close() {
      stopRedis(folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
