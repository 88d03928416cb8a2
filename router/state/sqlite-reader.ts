import { createRequire } from 'node:module';
import type Libsql from 'libsql';
import type { Query, QueryResult } from './schema.ts';

/** Reads in the calling thread. */
export interface SqliteReader {
  /** Undefined if it cannot be read here and now: the thread that writes may be able to, or says why not. */
  read(query: Query): QueryResult | undefined;
  /** The library lets go of the file when the statements are collected as garbage, and not before. */
  close(): void;
}

/** How long it is left alone after it failed. */
const PAUSE_MS = 1_000;

/**
 * A second connection to a SQLite file. In WAL mode whoever reads never waits for those that write, so a row is read by its key in tens of microseconds, where asking
 * another thread takes nearly a millisecond. What is long, or may have to wait for the disk, is not to be read here.
 */
export function sqliteReader(file: string): SqliteReader {
  const statements = new Map<string, Libsql.Statement>();
  let database: Libsql.Database | undefined;
  let pausedUntilMs = 0;

  function opened(): Libsql.Database {
    if (database !== undefined) return database;
    const library: typeof Libsql = createRequire(import.meta.url)('libsql');
    database = new library(file, { timeout: 0 });
    database.pragma('query_only = on');
    return database;
  }

  function close(): void {
    statements.clear();
    database?.close();
    database = undefined;
  }

  return {
    read({ sql, parameters }) {
      if (performance.now() < pausedUntilMs) return undefined;
      try {
        const db = opened();
        const statement = statements.get(sql) ?? db.prepare(sql);
        statements.set(sql, statement);
        const rows = statement.all([...parameters]) as Record<string, unknown>[]; // to the end, which ends the transaction
        return { rows, changes: rows.length };
      } catch {
        pausedUntilMs = performance.now() + PAUSE_MS;
        close();
        return undefined;
      }
    },
    close,
  };
}
