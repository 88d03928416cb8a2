import { randomUUID } from 'node:crypto';
import pg from 'pg';
import {
  postgresBinaries,
  redisBinary,
  sharedServer,
  startPostgres,
  startRedis,
} from '../../scripts/bench/database-servers.mjs';
import { runFolder } from './run-folder.ts';

/** Set where the databases must be installed: then no test that needs one is skipped. */
const REQUIRED = process.env['PLIMSOLL_REQUIRE_DATABASES'] === '1';

export const HAS_POSTGRES = REQUIRED || postgresBinaries() !== undefined;
export const HAS_REDIS = REQUIRED || redisBinary() !== undefined;

if (!HAS_POSTGRES || !HAS_REDIS) {
  process.stderr.write('Tests with databases are skipped: apt-get install postgresql redis-server\n');
}

/** Address of an empty schema in the PostgreSQL server of this run. */
export async function postgresUrl(): Promise<string> {
  const port = await sharedServer(runFolder(), 'postgres', startPostgres);
  const schema = `test_${randomUUID().replaceAll('-', '')}`;
  const base = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const client = new pg.Client(base);
  await client.connect();
  await client.query(`create schema ${schema}`);
  await client.end();
  return `${base}?options=${encodeURIComponent(`-c search_path=${schema}`)}`;
}

/** Address of the Redis server of this run. Tests use names of their own in it. */
export async function redisUrl(): Promise<string> {
  return `redis://127.0.0.1:${await sharedServer(runFolder(), 'redis', startRedis)}`;
}
