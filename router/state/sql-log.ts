import type { RawBuilder } from 'kysely';
import { logPlace, type TextCipher } from './cipher.ts';
import { sql } from './kysely.ts';
import { assertSubject, subjectHash } from './names.ts';
import type { Log, LogRecord, StoredRecord, Subject } from './ports.ts';
import { type Database, queryBuilder, rowsOf } from './schema.ts';

/** What the ports over SQL share. */
export interface SqlParts {
  readonly database: Database;
  readonly cipher: TextCipher;
  /** With it users and sessions are hashed; made with the schema. */
  readonly subjectSecret: () => Promise<string>;
}

const COLUMNS = {
  stream: 'text',
  id: 'text',
  time_ms: 'bigint',
  key_id: 'text',
  user_hash: 'text',
  session_hash: 'text',
  body: 'text',
  text: 'text',
  bytes: 'bigint',
} as const;

/** Of a row, besides: the record whose user and session are copied. */
const SUBJECT_COLUMNS = { subject_stream: 'text', subject_id: 'text' } as const;
const COPIED = new Set(['user_hash', 'session_hash']);

/** Rows that one transaction deletes: others wait only so long. */
const DELETED_AT_ONCE = 5_000;

export function sqlLog({ database, cipher, subjectSecret }: SqlParts): Log {
  const { dialect } = database;
  const db = queryBuilder(dialect);

  function rowOf(stream: string, record: LogRecord, secret: string) {
    const { id, timeMs, keyId, user, session, sameSubjectAs, body } = record;
    // As JSON, for PostgreSQL stores no NUL.
    const text =
      record.text === undefined ? null : cipher.seal(JSON.stringify(record.text), logPlace(stream, id));
    return {
      stream,
      id,
      time_ms: timeMs,
      key_id: keyId ?? null,
      user_hash: user === undefined ? null : subjectHash(secret, 'user', user),
      session_hash: session === undefined ? null : subjectHash(secret, 'session', session),
      body,
      text,
      bytes: body.length + (text?.length ?? 0),
      ...(sameSubjectAs && { subject_stream: sameSubjectAs.stream, subject_id: sameSubjectAs.id }),
    };
  }

  /** Copies by subqueries: a join in PostgreSQL might change the order, which is that of `seq`. Most batches copy nothing. */
  function rowsToInsert(rows: readonly ReturnType<typeof rowOf>[]): RawBuilder<unknown> {
    if (!rows.some((row) => 'subject_id' in row)) return rowsOf(dialect, rows, COLUMNS);
    const given = rowsOf(dialect, rows, { ...COLUMNS, ...SUBJECT_COLUMNS });
    const picked = Object.keys(COLUMNS).map((name) => {
      const own = sql.ref(`given.${name}`);
      if (!COPIED.has(name)) return own;
      return sql`coalesce(${own}, (select ${sql.ref(`subject.${name}`)} from plimsoll_log as subject
        where subject.stream = given.subject_stream and subject.id = given.subject_id))`;
    });
    return sql`select ${sql.join(picked)} from (${given}) as given where true`;
  }

  function recordsOf(stream: string) {
    return db
      .selectFrom('plimsoll_log')
      .select(['seq', 'id', 'time_ms', 'key_id', 'body', 'text'])
      .where('stream', '=', stream);
  }

  function storedRecord(stream: string, row: ReadRow): StoredRecord {
    const { seq, id, time_ms: timeMs, key_id: keyId, body, text } = row;
    const opened =
      text === null ? undefined : (JSON.parse(cipher.open(text, logPlace(stream, id))) as string);
    return { seq, id, timeMs, keyId: keyId ?? undefined, body, text: opened };
  }

  /** In pieces, so that nobody waits long for the table. */
  async function deleteOldest(condition: RawBuilder<boolean>): Promise<number> {
    const oldest = db
      .selectFrom('plimsoll_log')
      .select('seq')
      .where(condition)
      .orderBy('seq')
      .limit(DELETED_AT_ONCE);
    const query = db.deleteFrom('plimsoll_log').where('seq', 'in', oldest).compile();
    for (let gone = 0; ; ) {
      const [result] = await database.run([query]);
      gone += result!.changes;
      if (result!.changes < DELETED_AT_ONCE) return gone;
    }
  }

  return {
    async append(stream, records) {
      if (records.length === 0) return;
      const secret = await subjectSecret();
      const rows = records.map((record) => rowOf(stream, record, secret));
      const names = Object.keys(COLUMNS).map((name) => sql.ref(name));
      const query = sql`insert into plimsoll_log (${sql.join(names)}) ${rowsToInsert(rows)} on conflict (stream, id) do nothing`;
      await database.run([query.compile(db)]);
    },
    async get(stream, id) {
      if (id.includes('\0')) return undefined; // a client's word; PostgreSQL would refuse the query
      const [result] = await database.run([recordsOf(stream).where('id', '=', id).compile()]);
      const [row] = result!.rows;
      return row && storedRecord(stream, row as unknown as ReadRow);
    },
    async read(stream, { afterSeq, limit }) {
      const query = recordsOf(stream).where('seq', '>', afterSeq).orderBy('seq').limit(limit);
      const [result] = await database.run([query.compile()]);
      return result!.rows.map((row) => storedRecord(stream, row as unknown as ReadRow));
    },
    async prune(stream, { beforeMs, maxBytes }) {
      let gone = 0;
      if (beforeMs !== undefined) {
        gone += await deleteOldest(sql<boolean>`stream = ${stream} and time_ms < ${beforeMs}`);
      }
      if (maxBytes !== undefined) {
        const beyond = sql`select max(seq) as seq from (select seq, sum(bytes) over (order by seq desc) as total
          from plimsoll_log where stream = ${stream}) as sums where total > ${maxBytes}`;
        const [result] = await database.run([beyond.compile(db)]);
        const seq = result!.rows[0]?.['seq'];
        if (seq !== null) gone += await deleteOldest(sql<boolean>`stream = ${stream} and seq <= ${seq}`);
      }
      return gone;
    },
    async erase(subject) {
      const query = db.deleteFrom('plimsoll_log').where(aboutSubject(subject, await subjectSecret()));
      const [result] = await database.run([query.compile()], true);
      return result!.changes;
    },
    async sizes() {
      const query = db
        .selectFrom('plimsoll_log')
        .select([
          'stream',
          sql<number>`count(*)`.as('records'),
          sql<number>`cast(sum(bytes) as bigint)`.as('bytes'),
          sql<number>`min(time_ms)`.as('oldestMs'),
          sql<number>`max(time_ms)`.as('newestMs'),
        ])
        .groupBy('stream')
        .orderBy('stream');
      const [result] = await database.run([query.compile()]);
      return result!.rows as unknown as Awaited<ReturnType<Log['sizes']>>;
    },
  };
}

interface ReadRow {
  readonly seq: number;
  readonly id: string;
  readonly time_ms: number;
  readonly key_id: string | null;
  readonly body: string;
  readonly text: string | null;
}

/**
 * The condition on the rows that are about a person or a conversation.
 * @param scope the column that holds the API key
 * @throws PlimsollError `invalid-input` if the subject names neither
 */
export function aboutSubject(subject: Subject, secret: string, scope: 'key_id' | 'scope' = 'key_id') {
  assertSubject(subject);
  const { user, session, keyId } = subject;
  const conditions = [
    ...(user === undefined ? [] : [sql<boolean>`user_hash = ${subjectHash(secret, 'user', user)}`]),
    ...(session === undefined
      ? []
      : [sql<boolean>`session_hash = ${subjectHash(secret, 'session', session)}`]),
    ...(keyId === undefined ? [] : [sql<boolean>`${sql.ref(scope)} = ${keyId}`]),
  ];
  return sql<boolean>`${sql.join(conditions, sql` and `)}`;
}
