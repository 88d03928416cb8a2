import { closeSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import type { Worker } from 'node:worker_threads';
import { PlimsollError, systemErrorCode } from '../errors.ts';
import { startWorkerThread } from '../worker-thread.ts';
import { type Database, type Query, type QueryResult, UnitConflict } from './schema.ts';
import { sqliteReader } from './sqlite-reader.ts';

export interface SqliteWorkerData {
  readonly file: string;
  readonly busyTimeoutMs: number;
}

/** What the thread is sent: queries that are run all or none. */
export interface SqliteUnit {
  readonly id: number;
  readonly durable: boolean;
  readonly queries: readonly Query[];
}

export interface SqliteReply {
  readonly id: number;
  readonly results?: readonly QueryResult[] | undefined;
  readonly failure?: { readonly code: string; readonly message: string };
}

interface Waiting {
  readonly resolve: (results: readonly QueryResult[]) => void;
  readonly reject: (error: unknown) => void;
}

/** How long a write waits for that of another process on the same file. */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * A SQLite file, in a thread of its own: a slow disk never holds the event loop. Only what is looked up is read in this thread. Several processes of one machine may use the file.
 * @throws PlimsollError `io` if the file or its folder cannot be made or written
 */
export function openSqlite(file: string): Database {
  makeFile(file);
  const waiting = new Map<number, Waiting>();
  const reader = sqliteReader(file);
  let worker: Worker | undefined = start(); // loads its library while the first query is being made
  worker.unref();
  let lastId = 0;
  let closing: Promise<void> | undefined;

  function start(): Worker {
    const data: SqliteWorkerData = { file, busyTimeoutMs: BUSY_TIMEOUT_MS };
    const started = startWorkerThread(new URL('./sqlite-worker', import.meta.url), {
      workerData: data,
      name: 'plimsoll-state',
    });
    let cause: unknown;
    started.on('message', (replies: readonly SqliteReply[]) => {
      for (const reply of replies) settle(reply);
      if (waiting.size === 0) started.unref(); // it keeps the process alive only while somebody waits
    });
    started.on('error', (error) => {
      cause = error;
    });
    started.on('exit', () => {
      if (worker === started) worker = undefined; // the next unit starts another one
      const error = new PlimsollError('state-unavailable', `The thread of ${file} ended unexpectedly.`, {
        cause,
      });
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    });
    return started;
  }

  function settle({ id, results, failure }: SqliteReply): void {
    const unit = waiting.get(id);
    waiting.delete(id);
    if (results !== undefined) unit?.resolve(results);
    else unit?.reject(errorFor(file, failure!));
  }

  const database: Database = {
    dialect: 'sqlite',
    place: file,
    run(queries, durable = false) {
      if (closing) return Promise.reject(new PlimsollError('closed', `${file} is closed.`));
      worker ??= start();
      worker.ref();
      const unit: SqliteUnit = {
        id: ++lastId,
        durable,
        queries: queries.map(({ sql, parameters }) => ({ sql, parameters })),
      };
      return new Promise((resolve, reject) => {
        waiting.set(unit.id, { resolve, reject });
        worker!.postMessage(unit);
      });
    },
    async lookUp(query) {
      const isBehindWrites = waiting.size > 0;
      const result = closing || isBehindWrites ? undefined : reader.read(query);
      return result ?? (await database.run([query]))[0]!;
    },
    close() {
      reader.close();
      closing ??= new Promise((resolve) => {
        if (worker === undefined) return resolve();
        worker.ref();
        worker.once('exit', () => resolve());
        worker.postMessage('close'); // behind all units that wait
      });
      return closing;
    },
  };
  return database;
}

/** The file and its folder are for their owner alone; SQLite gives the files beside it the same mode. */
function makeFile(file: string): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    closeSync(openSync(file, 'a', 0o600));
  } catch (cause) {
    throw new PlimsollError(
      'io',
      `The state ${file} cannot be opened (${systemErrorCode(cause)}). Its folder must be writable, or name another file in state.url.`,
      { place: { file, field: 'state.url' }, cause },
    );
  }
}

function errorFor(file: string, { code, message }: NonNullable<SqliteReply['failure']>): Error {
  if (/^SQLITE_CONSTRAINT_(?:PRIMARYKEY|UNIQUE)/.test(code)) return new UnitConflict();
  const place = { file, field: 'state.url' };
  if (/^SQLITE_(?:BUSY|LOCKED)/.test(code)) {
    return new PlimsollError(
      'state-unavailable',
      `${file} is locked by another process for more than ${BUSY_TIMEOUT_MS / 1_000} s.`,
      { place },
    );
  }
  if (/^SQLITE_(?:FULL|IOERR|READONLY|CANTOPEN)/.test(code) || /ConnectionFailed/.test(message)) {
    const why = code.startsWith('SQLITE_FULL') ? 'its disk is full' : code.slice(0, 40);
    return new PlimsollError('io', `The state ${file} cannot be written: ${why}.`, { place });
  }
  if (/^SQLITE_(?:NOTADB|CORRUPT)/.test(code)) {
    return new PlimsollError(
      'invalid-state',
      `${file} is no SQLite database, or is damaged (${code}). Restore it from a backup, or name another file in state.url.`,
      { place },
    );
  }
  // A message of SQLite names tables and columns, never values.
  return new PlimsollError('invalid-state', `${file} does not fit this version of Plimsoll: ${message}.`, {
    place,
  });
}
