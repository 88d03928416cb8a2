import type { CompiledQuery, Generated, Kysely as KyselyOf, RawBuilder } from 'kysely';
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from './kysely.ts';

export interface Tables {
  plimsoll_migrations: { id: number; name: string; applied_ms: number };
  plimsoll_meta: { name: string; value: string };
  plimsoll_log: {
    seq: Generated<number>;
    stream: string;
    id: string;
    time_ms: number;
    key_id: string | null;
    user_hash: string | null;
    session_hash: string | null;
    body: string;
    text: string | null;
    bytes: number;
  };
  plimsoll_ledger: {
    id: string;
    key_id: string;
    time_ms: number;
    day: string;
    model: string;
    nano_usd: number;
    input_tokens: number;
    output_tokens: number;
    /** A part of input_tokens. */
    cached_input_tokens: number;
    cache_write_input_tokens: number;
    /** 0 until the entry is part of the sum of its day, then 1. */
    counted: number;
  };
  plimsoll_ledger_days: {
    key_id: string;
    day: string;
    nano_usd: number;
    input_tokens: number;
    output_tokens: number;
    cached_input_tokens: number;
    cache_write_input_tokens: number;
    requests: number;
  };
  /** What requests that are at work may come to. */
  plimsoll_reservations: {
    id: string;
    key_id: string;
    time_ms: number;
    day: string;
    model: string;
    nano_usd: number;
    input_tokens: number;
    output_tokens: number;
    expires_ms: number;
    /** 1 once its charges are in the windows. Written by whoever ends the reservation, to lock it. */
    is_open: number;
  };
  plimsoll_charges: {
    id: string;
    scope: string;
    span: string;
    start_ms: number;
    end_ms: number;
    amount: number;
  };
  plimsoll_windows: {
    scope: string;
    span: string;
    start_ms: number;
    end_ms: number;
    reserved: number;
    settled: number;
  };
  plimsoll_leases: { name: string; holder: string; fencing_token: number; expires_ms: number };
  plimsoll_documents: {
    scope: string;
    kind: string;
    id: string;
    value: string;
    version: string;
    user_hash: string | null;
    session_hash: string | null;
    expires_ms: number | null;
  };
  plimsoll_hour_counts: { start_ms: number; measure: string; label: string; amount: number };
  plimsoll_day_counts: { start_ms: number; measure: string; label: string; amount: number };
  /** Batches of counts that were added: none is added twice. */
  plimsoll_hour_count_batches: { id: string; time_ms: number };
}

type Columns = { readonly [Table in keyof Tables]: readonly (keyof Tables[Table] & string)[] };

/** What a database must have for this version to work with it. */
export const COLUMNS: Columns = {
  plimsoll_migrations: ['id', 'name', 'applied_ms'],
  plimsoll_meta: ['name', 'value'],
  plimsoll_log: [
    'seq',
    'stream',
    'id',
    'time_ms',
    'key_id',
    'user_hash',
    'session_hash',
    'body',
    'text',
    'bytes',
  ],
  plimsoll_ledger: [
    'id',
    'key_id',
    'time_ms',
    'day',
    'model',
    'nano_usd',
    'input_tokens',
    'output_tokens',
    'cached_input_tokens',
    'cache_write_input_tokens',
    'counted',
  ],
  plimsoll_ledger_days: [
    'key_id',
    'day',
    'nano_usd',
    'input_tokens',
    'output_tokens',
    'cached_input_tokens',
    'cache_write_input_tokens',
    'requests',
  ],
  plimsoll_reservations: [
    'id',
    'key_id',
    'time_ms',
    'day',
    'model',
    'nano_usd',
    'input_tokens',
    'output_tokens',
    'expires_ms',
    'is_open',
  ],
  plimsoll_charges: ['id', 'scope', 'span', 'start_ms', 'end_ms', 'amount'],
  plimsoll_windows: ['scope', 'span', 'start_ms', 'end_ms', 'reserved', 'settled'],
  plimsoll_leases: ['name', 'holder', 'fencing_token', 'expires_ms'],
  plimsoll_documents: ['scope', 'kind', 'id', 'value', 'version', 'user_hash', 'session_hash', 'expires_ms'],
  plimsoll_hour_counts: ['start_ms', 'measure', 'label', 'amount'],
  plimsoll_day_counts: ['start_ms', 'measure', 'label', 'amount'],
  plimsoll_hour_count_batches: ['id', 'time_ms'],
};

export type Dialect = 'sqlite' | 'postgres';

/** A query builder that runs nothing: what it compiles is handed to a database in atomic units. */
export function queryBuilder(dialect: Dialect): KyselyOf<Tables> {
  const sqlite = dialect === 'sqlite';
  return new Kysely<Tables>({
    dialect: {
      createAdapter: () => (sqlite ? new SqliteAdapter() : new PostgresAdapter()),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => (sqlite ? new SqliteIntrospector(db) : new PostgresIntrospector(db)),
      createQueryCompiler: () => (sqlite ? new SqliteQueryCompiler() : new PostgresQueryCompiler()),
    },
  });
}

/** SQL with its parameters, as Kysely compiles it. */
export type Query = Pick<CompiledQuery, 'sql' | 'parameters'>;

export interface QueryResult {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** Rows that were inserted, changed or deleted. */
  readonly changes: number;
}

/** A database that runs queries in atomic units. */
export interface Database {
  readonly dialect: Dialect;
  /** Where it is, without user and password. */
  readonly place: string;
  /**
   * Runs the queries of a unit in order, all or none.
   * @param durable in PostgreSQL on disk when it resolves, in SQLite within a second after it; a power cut may take the last units of others with it,
   *   never a part of one. The end of the process takes none
   * @throws PlimsollError `state-unavailable` if the database cannot be reached, `invalid-state` if it is damaged, `io` if its disk refuses;
   *   `UnitConflict` if a row is there already that must not be
   */
  run(queries: readonly Query[], durable?: boolean): Promise<readonly QueryResult[]>;
  /** As `run` of one query that reads a few short rows by their keys; it sees all that was run before it. */
  lookUp(query: Query): Promise<QueryResult>;
  close(): Promise<void>;
}

/** A unique key is taken. */
export class UnitConflict extends Error {
  constructor() {
    super('a row with this key is there already');
    this.name = 'UnitConflict';
  }
}

/** The time by the database's clock: several machines compare expiries by one clock. SQLite's is that of the only machine there is. */
export function databaseNow(dialect: Dialect): RawBuilder<number> {
  if (dialect === 'sqlite') return sql<number>`${Date.now()}`;
  return sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;
}

/** A table of rows out of one parameter that holds them as JSON: one prepared statement for any number of rows. */
export function rowsOf(
  dialect: Dialect,
  rows: readonly Readonly<Record<string, unknown>>[],
  columns: Readonly<Record<string, 'text' | 'bigint'>>,
): RawBuilder<unknown> {
  return rowsOfJson(dialect, JSON.stringify(rows), columns);
}

/** As `rowsOf`. @param json an array of objects, or the mark of one in `compiledOnce` */
export function rowsOfJson(
  dialect: Dialect,
  json: string,
  columns: Readonly<Record<string, 'text' | 'bigint'>>,
): RawBuilder<unknown> {
  const names = Object.keys(columns);
  if (dialect === 'sqlite') {
    const picked = names.map((name) => sql`value ->> ${sql.lit(name)} as ${sql.ref(name)}`);
    return sql`select ${sql.join(picked)} from json_each(${json}) where true`;
  }
  const typed = names.map((name) => sql`${sql.ref(name)} ${sql.raw(columns[name]!)}`);
  return sql`select ${sql.join(names.map((name) => sql.ref(name)))} from json_to_recordset(${json}::json) as r(${sql.join(typed)})`;
}

/**
 * Compiles queries once for all their runs: to build and compile one takes longer than to run it. `build` gets a mark for each value, and
 * each run puts its values in the places of the marks.
 */
export function compiledOnce<N extends string>(
  dialect: Dialect,
  names: readonly N[],
  build: (marks: Readonly<Record<N, string>>) => readonly RawBuilder<unknown>[],
): (values: Readonly<Record<N, unknown>>) => readonly Query[] {
  const marks = Object.fromEntries(names.map((name) => [name, `\0${name}`])) as Record<N, string>;
  const db = queryBuilder(dialect);
  const compiled = build(marks).map((query) => {
    const { sql: text, parameters } = query.compile(db);
    const places = parameters.map((value) => names.find((name) => marks[name] === value));
    return { text, parameters, places };
  });
  return (values) =>
    compiled.map(({ text, parameters, places }) => ({
      sql: text,
      parameters: places.map((name, i) => (name === undefined ? parameters[i] : values[name])),
    }));
}
