import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import Database from 'libsql';
import type { SqliteReply, SqliteUnit, SqliteWorkerData } from './sqlite.ts';

/*
 * The thread that owns the SQLite file. It takes all units that wait and commits them together, each in a savepoint of its own: a unit that
 * fails takes no other with it. A commit survives the end of the process. That it survives a power cut takes a sync, which costs more than all
 * else that a unit does: durable units are synced within a second, and the others at SQLite's own checkpoints.
 */

/** Units of one transaction: other processes wait for the file only so long. */
const MAX_GROUP = 500;
/** Statements that are kept compiled. */
const MAX_STATEMENTS = 200;
/** The longest that a durable unit waits for its sync. */
const SYNC_WITHIN_MS = 1_000;

const { file, busyTimeoutMs } = workerData as SqliteWorkerData;
const port = parentPort!;
const statements = new Map<string, ReturnType<Database.Database['prepare']>>();
let database: Database.Database | undefined;
let syncTimer: NodeJS.Timeout | undefined;

function opened(): Database.Database {
  if (database !== undefined) return database;
  const fresh = new Database(file, { timeout: busyTimeoutMs });
  fresh.pragma('auto_vacuum = INCREMENTAL'); // only has an effect before the first table
  fresh.pragma('journal_mode = WAL');
  fresh.pragma('synchronous = NORMAL'); // syncs at checkpoints alone
  fresh.pragma('journal_size_limit = 67108864');
  database = fresh;
  return fresh;
}

function prepared(db: Database.Database, sql: string) {
  let statement = statements.get(sql);
  if (statement === undefined) {
    if (statements.size >= MAX_STATEMENTS) statements.clear();
    statement = db.prepare(sql);
    statements.set(sql, statement);
  }
  return statement;
}

function runUnit(db: Database.Database, { queries }: SqliteUnit): SqliteReply['results'] {
  return queries.map(({ sql, parameters }) => {
    const statement = prepared(db, sql);
    if (statement.reader) {
      const rows = statement.all([...parameters]) as Record<string, unknown>[];
      return { rows, changes: rows.length };
    }
    return { rows: [], changes: statement.run([...parameters]).changes };
  });
}

function runGroup(units: readonly SqliteUnit[]): SqliteReply[] {
  const replies: SqliteReply[] = [];
  let db: Database.Database;
  try {
    db = opened();
    db.exec('begin immediate');
  } catch (error) {
    return units.map(({ id }) => failed(id, error));
  }
  try {
    for (const unit of units) {
      db.exec('savepoint unit');
      try {
        replies.push({ id: unit.id, results: runUnit(db, unit) });
      } catch (error) {
        if (!db.inTransaction) throw error; // a full disk, for one, ends the whole transaction
        db.exec('rollback to unit');
        replies.push(failed(unit.id, error));
      }
      db.exec('release unit');
    }
    db.exec('commit');
    if (units.some(({ durable }) => durable)) syncTimer ??= setTimeout(sync, SYNC_WITHIN_MS);
    return replies;
  } catch (error) {
    if (db.inTransaction) db.exec('rollback');
    return units.map(({ id }) => failed(id, error));
  }
}

/** A checkpoint syncs the log before it copies pages into the file. If it cannot, the next durable unit brings another. */
function sync(): void {
  syncTimer = undefined;
  try {
    database?.pragma('wal_checkpoint(PASSIVE)');
  } catch {
    // such as a disk that is full or away: the log stays as it is, and the units that come next say so
  }
}

/** The file has everything then, and the log nothing, unless another process is at work on them: the reader of this one may still be open. */
function close(): void {
  try {
    database?.pragma('busy_timeout = 100');
    database?.pragma('wal_checkpoint(TRUNCATE)');
  } catch {
    // such as a disk that is full: the log keeps what it has, and is read when the file is opened next
  }
  database?.close(); // the last connection removes the log
}

function failed(id: number, error: unknown): SqliteReply {
  const { code, message } = error as { code?: string; message?: string };
  return { id, failure: { code: code || (message ?? 'unknown'), message: message ?? 'unknown' } };
}

type Message = SqliteUnit | 'close';

port.on('message', (first: Message) => {
  const units: SqliteUnit[] = [];
  let message: Message | undefined = first;
  while (message !== undefined && message !== 'close') {
    units.push(message);
    message = units.length < MAX_GROUP ? receiveMessageOnPort(port)?.message : undefined;
  }
  if (units.length > 0) port.postMessage(runGroup(units));
  if (message === 'close') {
    clearTimeout(syncTimer);
    close();
    port.close();
  }
});
