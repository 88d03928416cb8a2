import type { RawBuilder } from 'kysely';
import { PlimsollError, safeError } from '../errors.ts';
import type { TextCipher } from './cipher.ts';
import { assertKeyEverywhere } from './instances.ts';
import { journaledLedger } from './journaled-ledger.ts';
import { sql } from './kysely.ts';
import { assertMigrated, assertTables, migrate, schemaVersion } from './migrations.ts';
import type { State } from './ports.ts';
import { reencrypt } from './reencrypt.ts';
import { type Database, type Dialect, type Query, queryBuilder } from './schema.ts';
import { settlementJournal } from './settlement-journal.ts';
import { sqlDocuments } from './sql-documents.ts';
import { sqlHourCounts } from './sql-hour-counts.ts';
import { sqlLeases } from './sql-leases.ts';
import { sqlLedger } from './sql-ledger.ts';
import { type SqlParts, sqlLog } from './sql-log.ts';

interface SqlStateParts {
  readonly kind: 'sqlite' | 'postgres';
  readonly database: Database;
  readonly cipher: TextCipher;
  /** manual: refuse an older schema instead of bringing it up to date. */
  readonly migrate: 'auto' | 'manual';
}

/**
 * The state over a SQL database. Nothing is asked of the database before the first use, which checks the schema: a database that is away
 * at the start may come later.
 */
export function sqlState(parts: SqlStateParts): State & { ready(): Promise<void> } {
  const { kind, cipher } = parts;
  let trouble: string | undefined;
  let preparing: Promise<void> | undefined;
  let secret: string | undefined;
  const raw = parts.database;
  const db = queryBuilder(raw.dialect);

  /** Checked once; again only if it failed. */
  function ready(): Promise<void> {
    preparing ??= prepare().catch((error) => {
      preparing = undefined;
      trouble = messageOf(error);
      throw error;
    });
    return preparing;
  }

  async function prepare(): Promise<void> {
    if (parts.migrate === 'auto') await migrate(raw);
    else await assertMigrated(raw);
    await assertTables(raw);
    const query = db.selectFrom('plimsoll_meta').select('value').where('name', '=', 'subject_secret');
    const [result] = await raw.run([query.compile()]);
    const row = result!.rows[0];
    if (row === undefined) {
      throw new PlimsollError(
        'invalid-state',
        `${raw.place} does not fit this version of Plimsoll: plimsoll_meta has no subject_secret. Restore it from a backup, or use another database.`,
        { place: { field: 'state' } },
      );
    }
    secret = String(row['value']);
  }

  const database: Database = {
    ...raw,
    async run(queries, durable) {
      if (secret === undefined) await ready();
      try {
        const results = await raw.run(queries, durable);
        trouble = undefined;
        return results;
      } catch (error) {
        if (error instanceof PlimsollError) trouble = error.message;
        throw error;
      }
    },
    async lookUp(query) {
      if (secret === undefined) await ready();
      try {
        return await raw.lookUp(query);
      } catch (error) {
        if (error instanceof PlimsollError) trouble = error.message;
        throw error;
      }
    },
  };

  const sqlParts: SqlParts = {
    database,
    cipher,
    async subjectSecret() {
      if (secret === undefined) await ready();
      return secret!;
    },
  };
  const log = sqlLog(sqlParts);
  const documents = sqlDocuments(sqlParts);
  const ledger = ledgerOf(database);

  async function countOf(query: Query): Promise<number> {
    const [result] = await database.run([query]);
    return Number(result!.rows[0]!['n']);
  }

  return {
    kind,
    ready,
    log,
    documents,
    ledger,
    leases: sqlLeases(database),
    hourCounts: sqlHourCounts(database),
    trouble: () => trouble,
    async status() {
      const all = sql<number>`count(*)`.as('n');
      return {
        kind,
        place: raw.place,
        schema: await schemaVersion(database),
        streams: await log.sizes(),
        documents: await countOf(db.selectFrom('plimsoll_documents').select(all).compile()),
        ledgerEntries: await countOf(db.selectFrom('plimsoll_ledger').select(all).compile()),
        textsByKey: await textsByKey(database),
      };
    },
    encryptionKeyIds: cipher.keyIds,
    async reencrypt() {
      await assertKeyEverywhere(documents, cipher.currentKeyId);
      return reencrypt(database, cipher);
    },
    async close() {
      await ledger.close();
      await raw.close();
    },
  };
}

function ledgerOf(database: Database) {
  const ledger = sqlLedger(database);
  if (database.dialect === 'sqlite') return journaledLedger(ledger, settlementJournal(database.place));
  return { ...ledger, close: async () => {} };
}

/** Only our own messages: a driver's may quote what it was given. */
function messageOf(error: unknown): string {
  return error instanceof PlimsollError ? error.message : `The state failed (${safeError(error).error}).`;
}

async function textsByKey(database: Database): Promise<Record<string, number>> {
  const query = sql`select key_id, count(*) as n from (
      select ${keyIdOf(database.dialect, 'text')} as key_id from plimsoll_log where text is not null
      union all select ${keyIdOf(database.dialect, 'value')} from plimsoll_documents where value like 'enc1.%'
    ) as texts group by key_id order by key_id`;
  const [result] = await database.run([query.compile(queryBuilder(database.dialect))]);
  return Object.fromEntries(result!.rows.map(({ key_id: id, n }) => [String(id), Number(n)]));
}

/** The second part of `enc1.<key id>.<bytes>`; `none` for text in clear. */
function keyIdOf(dialect: Dialect, column: 'text' | 'value'): RawBuilder<string> {
  const text = sql.ref(column);
  const id =
    dialect === 'sqlite'
      ? sql`substr(${text}, 6, instr(substr(${text}, 6), '.') - 1)`
      : sql`split_part(${text}, '.', 2)`;
  return sql<string>`case when ${text} like 'enc1.%' then ${id} else 'none' end`;
}
