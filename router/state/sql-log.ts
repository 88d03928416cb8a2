import type { RawBuilder } from 'kysely';
import { logPlace, type TextCipher } from './cipher.ts';
import { sql } from './kysely.ts';
import { assertSubject, subjectHash } from './names.ts';
import type { Log, LogRecord, StoredRecord, Subject } from './ports.ts';
import { type Database, type Query, queryBuilder, rowsOf } from './schema.ts';

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
const NAMES = Object.keys(COLUMNS) as readonly (keyof typeof COLUMNS)[];

/** Further columns of a row: the record whose user and session are copied. */
const SUBJECT_COLUMNS = { subject_stream: 'text', subject_id: 'text' } as const;
const COPIED = new Set(['user_hash', 'session_hash']);

/** Rows that one transaction deletes: others wait only so long. */
const DELETED_AT_ONCE = 5_000;
/** Rows whose sizes one query adds up, for the same reason. */
const SUMMED_AT_ONCE = 20_000;

export function sqlLog({ database, cipher, subjectSecret }: SqlParts): Log {
  const { dialect } = database;
  const db = queryBuilder(dialect);
  let insertOne: string | undefined;

  function rowOf(stream: string, record: LogRecord, secret: string): Row {
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

  /** In SQLite a statement for each row, as long as none is copied: taking rows out of JSON costs as much again as storing them. */
  function insertsOf(rows: readonly Row[]): readonly Query[] {
    if (rows.some((row) => 'subject_id' in row)) return [insert(rowsWithSubjects(rows))];
    if (dialect === 'postgres') return [insert(rowsOf(dialect, rows, COLUMNS))];
    insertOne ??= insert(sql`values (${sql.join(NAMES.map(() => null))})`).sql;
    const query = insertOne;
    return rows.map((row) => ({ sql: query, parameters: NAMES.map((name) => row[name]) }));
  }

  function insert(rows: RawBuilder<unknown>): Query {
    const names = sql.join(NAMES.map((name) => sql.ref(name)));
    return sql`insert into plimsoll_log (${names}) ${rows} on conflict (stream, id) do nothing`.compile(db);
  }

  /** Users and sessions are copied by subqueries: a join in PostgreSQL might change the order, which is that of `seq`. */
  function rowsWithSubjects(rows: readonly Row[]): RawBuilder<unknown> {
    const given = rowsOf(dialect, rows, { ...COLUMNS, ...SUBJECT_COLUMNS });
    const picked = NAMES.map((name) => {
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
  async function deleteOldest(condition: RawBuilder<boolean>, by: 'seq' | 'time_ms'): Promise<number> {
    const oldest = db
      .selectFrom('plimsoll_log')
      .select('seq')
      .where(condition)
      .orderBy(by)
      .limit(DELETED_AT_ONCE);
    const query = db.deleteFrom('plimsoll_log').where('seq', 'in', oldest).compile();
    for (let gone = 0; ; ) {
      const [result] = await database.run([query]);
      gone += result!.changes;
      if (result!.changes < DELETED_AT_ONCE) return gone;
    }
  }

  /** The newest record that has no room among the newest `maxBytes`. Page by page, for the same reason; undefined if all have room. */
  async function newestBeyond(stream: string, maxBytes: number): Promise<number | undefined> {
    let total = 0;
    let beforeSeq = Number.MAX_SAFE_INTEGER;
    for (;;) {
      const page = sql`select seq, bytes from plimsoll_log where stream = ${stream} and seq < ${beforeSeq} order by seq desc limit ${SUMMED_AT_ONCE}`;
      const sums = sql<PageSums>`select count(*) as records, min(seq) as first, cast(coalesce(sum(bytes), 0) as bigint) as bytes from (${page}) as page`;
      const [summed] = await database.run([sums.compile(db)]);
      const { records, first, bytes } = summed!.rows[0] as unknown as PageSums;
      if (records === 0) return undefined;
      if (total + bytes > maxBytes) {
        const beyond = sql`select max(seq) as seq from (select seq, sum(bytes) over (order by seq desc) as total from (${page}) as page) as sums
          where total > ${maxBytes - total}`;
        const [found] = await database.run([beyond.compile(db)]);
        return found!.rows[0]!['seq'] as number;
      }
      if (records < SUMMED_AT_ONCE) return undefined;
      total += bytes;
      beforeSeq = first;
    }
  }

  return {
    async streams() {
      // From one to the next by the index: `distinct` would read every row.
      const query = sql`with recursive names(stream) as (select min(stream) from plimsoll_log union all
        select (select min(stream) from plimsoll_log where stream > names.stream) from names where names.stream is not null)
        select stream from names where stream is not null`;
      const [result] = await database.run([query.compile(db)]);
      return result!.rows.map(({ stream }) => stream as string);
    },
    async append(stream, records) {
      if (records.length === 0) return;
      const secret = await subjectSecret();
      await database.run(insertsOf(records.map((record) => rowOf(stream, record, secret))));
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
    async newest(stream, limit) {
      const [result] = await database.run([recordsOf(stream).orderBy('seq', 'desc').limit(limit).compile()]);
      return result!.rows.map((row) => storedRecord(stream, row as unknown as ReadRow));
    },
    async prune(stream, { beforeMs, maxBytes }) {
      let gone = 0;
      if (beforeMs !== undefined) {
        // In the order of the index, so that where nothing is old nothing is read.
        gone += await deleteOldest(sql<boolean>`stream = ${stream} and time_ms < ${beforeMs}`, 'time_ms');
      }
      if (maxBytes !== undefined) {
        const seq = await newestBeyond(stream, maxBytes);
        if (seq !== undefined)
          gone += await deleteOldest(sql<boolean>`stream = ${stream} and seq <= ${seq}`, 'seq');
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

type Row = Readonly<Record<keyof typeof COLUMNS, string | number | null>> &
  Partial<Readonly<Record<keyof typeof SUBJECT_COLUMNS, string>>>;

interface PageSums {
  readonly records: number;
  readonly first: number;
  readonly bytes: number;
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
