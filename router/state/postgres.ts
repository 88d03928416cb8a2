import pg from 'pg';
import { PlimsollError, systemErrorCode } from '../errors.ts';
import { type Database, type Query, type QueryResult, UnitConflict } from './schema.ts';

const MAX_CONNECTIONS = 8;
const CONNECT_MS = 2_000;
const STATEMENT_MS = 10_000;
const UNIQUE_VIOLATION = '23505';
/** bigint: sums of billionths of a dollar stay exact up to nine million dollars. */
const INT8 = 20;

/**
 * A PostgreSQL database. Nothing is connected before the first query, and a server that went away is connected again.
 * @param url as libpq takes it; what it leaves out comes from PGHOST, PGPASSWORD … and ~/.pgpass
 */
export function openPostgres(url: string): Database {
  const place = placeOf(url);
  const pool = new pg.Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    query_timeout: STATEMENT_MS + 1_000,
    keepAlive: true,
    allowExitOnIdle: true,
    application_name: 'plimsoll',
    types: { getTypeParser: (oid, format) => (oid === INT8 ? Number : pg.types.getTypeParser(oid, format)) },
  });
  pool.on('error', () => {}); // an idle connection broke: the next query takes another one

  async function runTogether(queries: readonly Query[], durable: boolean): Promise<QueryResult[]> {
    const client = await pool.connect();
    client.on('error', ignore);
    let broken = false;
    try {
      await client.query('begin');
      if (!durable) await client.query('set local synchronous_commit = off');
      const results: QueryResult[] = [];
      for (const query of queries) results.push(resultOf(await client.query(textOf(query))));
      await client.query('commit');
      return results;
    } catch (error) {
      await client.query('rollback').catch(() => {
        broken = true;
      });
      throw error;
    } finally {
      client.off('error', ignore);
      client.release(broken);
    }
  }

  const database: Database = {
    dialect: 'postgres',
    place,
    async run(queries, durable = false) {
      try {
        const [only] = queries;
        // One statement is a transaction of its own, and is then durable by the server's own setting.
        if (queries.length === 1 && only !== undefined) return [resultOf(await pool.query(textOf(only)))];
        return await runTogether(queries, durable);
      } catch (error) {
        throw errorFor(place, error);
      }
    },
    lookUp: async (query) => (await database.run([query]))[0]!,
    close: () => pool.end(),
  };
  return database;
}

function ignore(): void {}

function textOf({ sql, parameters }: Query) {
  return { text: sql, values: [...parameters] };
}

function resultOf({ rows, rowCount }: pg.QueryResult): QueryResult {
  return { rows, changes: rowCount ?? 0 };
}

/** Host, port and database: enough to find it, and no password. */
function placeOf(url: string): string {
  try {
    const { hostname, port, pathname } = new URL(url);
    return `PostgreSQL ${hostname || 'on this machine'}${port && `:${port}`}${pathname}`;
  } catch {
    throw new PlimsollError(
      'invalid-config',
      'The address of PostgreSQL is no URL, such as postgres://host/plimsoll.',
      {
        place: { field: 'state.url' },
      },
    );
  }
}

/** SQLSTATE classes that say that the server, not the query, is the trouble. */
const AWAY = /^(?:08|53|57|58|28|3D)/;
const SCHEMA_FAULT = /^(?:42|22|0A)/;

function errorFor(place: string, cause: unknown): Error {
  const code = systemErrorCode(cause);
  if (code === UNIQUE_VIOLATION) return new UnitConflict();
  if (SCHEMA_FAULT.test(code) && code.length === 5) {
    const message = cause instanceof Error ? cause.message.split('\n')[0] : code;
    return new PlimsollError(
      'invalid-state',
      `${place} does not fit this version of Plimsoll (${code}: ${message}).`,
      {
        cause,
      },
    );
  }
  const why = AWAY.test(code) || code !== 'unknown reason' ? code : timeoutOf(cause);
  return new PlimsollError('state-unavailable', `${place} cannot be reached (${why}).`, { cause });
}

/** The driver's own messages; they hold no values. */
function timeoutOf(cause: unknown): string {
  return cause instanceof Error && /timeout|terminated|ended/i.test(cause.message)
    ? cause.message
    : 'unknown reason';
}
