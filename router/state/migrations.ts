import { randomBytes } from 'node:crypto';
import { PlimsollError } from '../errors.ts';
import { COMMAND } from '../package.ts';
import { sql } from './kysely.ts';
import { COLUMNS, type Database, type Dialect, type Query, queryBuilder, UnitConflict } from './schema.ts';

interface Migration {
  readonly id: number;
  readonly name: string;
  readonly queries: (dialect: Dialect) => readonly Query[];
}

/** In order, without gaps. One that was released is never changed: a change is another migration. */
const MIGRATIONS: readonly Migration[] = [
  { id: 1, name: 'tables', queries: firstTables },
  { id: 2, name: 'reservations', queries: reservationTables },
  { id: 3, name: 'hour counts', queries: hourCountTables },
  { id: 4, name: 'cached tokens', queries: cachedTokenColumns },
];

/** The schema that this code writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** Any constant that no other program uses as an advisory lock: "plimsoll" in ASCII. */
const ADVISORY_LOCK = 0x706c696d;

/**
 * Brings the schema up to that of the code. Each migration is one transaction that begins with its own number: of two processes one waits
 * for the other and then finds its number taken.
 * @returns the numbers of the migrations that were applied
 * @throws PlimsollError `invalid-state` if the schema is newer than the code
 */
export async function migrate(database: Database): Promise<readonly number[]> {
  const applied: number[] = [];
  for (;;) {
    const version = await schemaVersion(database);
    assertKnown(version, database.place);
    const next = MIGRATIONS[version];
    if (next === undefined) return applied;
    try {
      await database.run(unitOf(next, database.dialect), true);
      applied.push(next.id);
    } catch (error) {
      if (!(error instanceof UnitConflict)) throw error;
    }
  }
}

/** @throws PlimsollError `invalid-state` if the schema is newer or older than the code */
export async function assertMigrated(database: Database): Promise<void> {
  const version = await schemaVersion(database);
  assertKnown(version, database.place);
  if (version === SCHEMA_VERSION) return;
  throw new PlimsollError(
    'invalid-state',
    `${database.place} ${version === 0 ? 'has no tables of Plimsoll yet' : `has schema ${version}, and this version of Plimsoll needs ${SCHEMA_VERSION}`}. Run \`${COMMAND} state migrate\`. A server does it at its start, unless state.migrate is manual.`,
    { place: { field: 'state' } },
  );
}

function assertKnown(version: number, place: string): void {
  if (version <= SCHEMA_VERSION) return;
  throw new PlimsollError(
    'invalid-state',
    `${place} has schema ${version}, which a newer version of Plimsoll wrote; this one knows ${SCHEMA_VERSION}. Run the newer version, or use another database.`,
    { place: { field: 'state' } },
  );
}

/**
 * The number of the schema says what was made, not what is still there: a table or a column may have been dropped by hand, or be missing in a backup.
 * @throws PlimsollError `invalid-state` with the name of the first one that is missing
 */
export async function assertTables(database: Database): Promise<void> {
  const queries = Object.entries(COLUMNS).map(([table, columns]) => {
    // With the table's name: SQLite takes an unknown quoted name alone for a text.
    const names = columns.map((column) => sql.ref(`${table}.${column}`));
    return sql`select ${sql.join(names)} from ${sql.table(table)} limit 0`.compile(
      queryBuilder(database.dialect),
    );
  });
  await database.run(queries);
}

/** 0 if there is no schema yet. @throws PlimsollError `invalid-state` if the tables are those of another program */
export async function schemaVersion(database: Database): Promise<number> {
  const { dialect } = database;
  const exists =
    dialect === 'sqlite'
      ? sql`select count(*) as n from sqlite_schema where type = 'table' and name = 'plimsoll_migrations'`
      : sql`select count(to_regclass('plimsoll_migrations')) as n`;
  const db = queryBuilder(dialect);
  const [found] = await database.run([exists.compile(db)]);
  if (Number(found!.rows[0]!['n']) === 0) return 0;
  const highest = db.selectFrom('plimsoll_migrations').select(sql<number>`max(id)`.as('id'));
  const [result] = await database.run([highest.compile()]);
  return Number(result!.rows[0]!['id'] ?? 0);
}

function unitOf({ id, name, queries }: Migration, dialect: Dialect): Query[] {
  const db = queryBuilder(dialect);
  const record = db.insertInto('plimsoll_migrations').values({ id, name, applied_ms: Date.now() });
  const lock = sql`select pg_advisory_xact_lock(${sql.lit(ADVISORY_LOCK)})`.compile(db);
  return [
    ...(dialect === 'postgres' ? [lock] : []),
    tableOfMigrations(dialect),
    record.compile(),
    ...queries(dialect),
  ];
}

function tableOfMigrations(dialect: Dialect): Query {
  return queryBuilder(dialect)
    .schema.createTable('plimsoll_migrations')
    .ifNotExists()
    .addColumn('id', 'bigint', (column) => column.primaryKey().notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('applied_ms', 'bigint', (column) => column.notNull())
    .compile();
}

function firstTables(dialect: Dialect): readonly Query[] {
  const db = queryBuilder(dialect);
  const { schema } = db;
  const secret = randomBytes(32).toString('base64url');
  return [
    schema
      .createTable('plimsoll_meta')
      .addColumn('name', 'text', (column) => column.primaryKey().notNull())
      .addColumn('value', 'text', (column) => column.notNull()),
    schema
      .createTable('plimsoll_log')
      .addColumn('seq', dialect === 'sqlite' ? 'integer' : 'bigserial', (column) =>
        dialect === 'sqlite' ? column.primaryKey().autoIncrement() : column.primaryKey(),
      )
      .addColumn('stream', 'text', (column) => column.notNull())
      .addColumn('id', 'text', (column) => column.notNull())
      .addColumn('time_ms', 'bigint', (column) => column.notNull())
      .addColumn('key_id', 'text')
      .addColumn('user_hash', 'text')
      .addColumn('session_hash', 'text')
      .addColumn('body', 'text', (column) => column.notNull())
      .addColumn('text', 'text')
      .addColumn('bytes', 'bigint', (column) => column.notNull()),
    schema.createIndex('plimsoll_log_id').on('plimsoll_log').columns(['stream', 'id']).unique(),
    schema.createIndex('plimsoll_log_size').on('plimsoll_log').columns(['stream', 'seq', 'bytes']),
    schema.createIndex('plimsoll_log_time').on('plimsoll_log').columns(['stream', 'time_ms']),
    schema
      .createIndex('plimsoll_log_user')
      .on('plimsoll_log')
      .column('user_hash')
      .where('user_hash', 'is not', null),
    schema
      .createIndex('plimsoll_log_session')
      .on('plimsoll_log')
      .column('session_hash')
      .where('session_hash', 'is not', null),
    schema
      .createTable('plimsoll_ledger')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('key_id', 'text', (column) => column.notNull())
      .addColumn('time_ms', 'bigint', (column) => column.notNull())
      .addColumn('day', 'text', (column) => column.notNull())
      .addColumn('model', 'text', (column) => column.notNull())
      .addColumn('nano_usd', 'bigint', (column) => column.notNull())
      .addColumn('input_tokens', 'bigint', (column) => column.notNull())
      .addColumn('output_tokens', 'bigint', (column) => column.notNull())
      .addColumn('counted', 'bigint', (column) => column.notNull()),
    schema.createIndex('plimsoll_ledger_time').on('plimsoll_ledger').column('time_ms'),
    schema
      .createTable('plimsoll_ledger_days')
      .addColumn('key_id', 'text', (column) => column.notNull())
      .addColumn('day', 'text', (column) => column.notNull())
      .addColumn('nano_usd', 'bigint', (column) => column.notNull())
      .addColumn('input_tokens', 'bigint', (column) => column.notNull())
      .addColumn('output_tokens', 'bigint', (column) => column.notNull())
      .addColumn('requests', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('plimsoll_ledger_days_key', ['key_id', 'day']),
    schema
      .createTable('plimsoll_counters')
      .addColumn('key', 'text', (column) => column.primaryKey().notNull())
      .addColumn('total', 'bigint', (column) => column.notNull())
      .addColumn('expires_ms', 'bigint', (column) => column.notNull()),
    schema
      .createTable('plimsoll_leases')
      .addColumn('name', 'text', (column) => column.primaryKey().notNull())
      .addColumn('holder', 'text', (column) => column.notNull())
      .addColumn('fencing_token', 'bigint', (column) => column.notNull())
      .addColumn('expires_ms', 'bigint', (column) => column.notNull()),
    schema
      .createTable('plimsoll_documents')
      .addColumn('scope', 'text', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('id', 'text', (column) => column.notNull())
      .addColumn('value', 'text', (column) => column.notNull())
      .addColumn('version', 'text', (column) => column.notNull())
      .addColumn('user_hash', 'text')
      .addColumn('session_hash', 'text')
      .addColumn('expires_ms', 'bigint')
      .addPrimaryKeyConstraint('plimsoll_documents_key', ['scope', 'kind', 'id']),
    schema
      .createIndex('plimsoll_documents_expiry')
      .on('plimsoll_documents')
      .column('expires_ms')
      .where('expires_ms', 'is not', null),
    schema
      .createIndex('plimsoll_documents_user')
      .on('plimsoll_documents')
      .column('user_hash')
      .where('user_hash', 'is not', null),
    schema
      .createIndex('plimsoll_documents_session')
      .on('plimsoll_documents')
      .column('session_hash')
      .where('session_hash', 'is not', null),
    db.insertInto('plimsoll_meta').values({ name: 'subject_secret', value: secret }),
  ].map((query) => query.compile());
}

/** Limits are kept in windows of the ledger; before, rates had counters of their own, which held a minute. */
function reservationTables(dialect: Dialect): readonly Query[] {
  const { schema } = queryBuilder(dialect);
  return [
    schema
      .createTable('plimsoll_reservations')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('key_id', 'text', (column) => column.notNull())
      .addColumn('time_ms', 'bigint', (column) => column.notNull())
      .addColumn('day', 'text', (column) => column.notNull())
      .addColumn('model', 'text', (column) => column.notNull())
      .addColumn('nano_usd', 'bigint', (column) => column.notNull())
      .addColumn('input_tokens', 'bigint', (column) => column.notNull())
      .addColumn('output_tokens', 'bigint', (column) => column.notNull())
      .addColumn('expires_ms', 'bigint', (column) => column.notNull())
      .addColumn('is_open', 'bigint', (column) => column.notNull()),
    schema.createIndex('plimsoll_reservations_expiry').on('plimsoll_reservations').column('expires_ms'),
    schema
      .createTable('plimsoll_charges')
      .addColumn('id', 'text', (column) => column.notNull())
      .addColumn('scope', 'text', (column) => column.notNull())
      .addColumn('span', 'text', (column) => column.notNull())
      .addColumn('start_ms', 'bigint', (column) => column.notNull())
      .addColumn('end_ms', 'bigint', (column) => column.notNull())
      .addColumn('amount', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('plimsoll_charges_key', ['id', 'scope', 'span', 'start_ms']),
    schema
      .createTable('plimsoll_windows')
      .addColumn('scope', 'text', (column) => column.notNull())
      .addColumn('span', 'text', (column) => column.notNull())
      .addColumn('start_ms', 'bigint', (column) => column.notNull())
      .addColumn('end_ms', 'bigint', (column) => column.notNull())
      .addColumn('reserved', 'bigint', (column) => column.notNull())
      .addColumn('settled', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('plimsoll_windows_key', ['scope', 'span', 'start_ms']),
    schema.createIndex('plimsoll_windows_end').on('plimsoll_windows').column('end_ms'),
    schema.dropTable('plimsoll_counters'),
  ].map((query) => query.compile());
}

function hourCountTables(dialect: Dialect): readonly Query[] {
  const { schema } = queryBuilder(dialect);
  const counts = (['plimsoll_hour_counts', 'plimsoll_day_counts'] as const).map((name) =>
    schema
      .createTable(name)
      .addColumn('start_ms', 'bigint', (column) => column.notNull())
      .addColumn('measure', 'text', (column) => column.notNull())
      .addColumn('label', 'text', (column) => column.notNull())
      .addColumn('amount', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint(`${name}_key`, ['start_ms', 'measure', 'label']),
  );
  return [
    ...counts,
    schema
      .createTable('plimsoll_hour_count_batches')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('time_ms', 'bigint', (column) => column.notNull()),
    schema
      .createIndex('plimsoll_hour_count_batches_time')
      .on('plimsoll_hour_count_batches')
      .column('time_ms'),
  ].map((query) => query.compile());
}

/** A statement for each column: SQLite takes no more. */
function cachedTokenColumns(dialect: Dialect): readonly Query[] {
  const { schema } = queryBuilder(dialect);
  return (['plimsoll_ledger', 'plimsoll_ledger_days'] as const).flatMap((table) =>
    (['cached_input_tokens', 'cache_write_input_tokens'] as const).map((name) =>
      schema
        .alterTable(table)
        .addColumn(name, 'bigint', (column) => column.notNull().defaultTo(0))
        .compile(),
    ),
  );
}
