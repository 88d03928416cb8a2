import { randomUUID } from 'node:crypto';
import type { RawBuilder } from 'kysely';
import { nextTurn } from '../turns.ts';
import { documentPlace } from './cipher.ts';
import { sql } from './kysely.ts';
import { assertDocumentKey, subjectHash } from './names.ts';
import type { DocumentKey, Documents, StoredDocument } from './ports.ts';
import { compiledOnce, databaseNow, queryBuilder } from './schema.ts';
import { aboutSubject, type SqlParts } from './sql-log.ts';

/** What is longer is not looked up, but read where it holds nothing up. */
const SHORT_BYTES = 65_536;
/** Text that is parsed before other requests get their turn. */
const CHARACTERS_AT_ONCE = 1_000_000;

export function sqlDocuments({ database, cipher, subjectSecret }: SqlParts): Documents {
  const { dialect } = database;
  const db = queryBuilder(dialect);
  const isAlive = () => sql<boolean>`(expires_ms is null or expires_ms > ${databaseNow(dialect)})`;

  const reading = (value: RawBuilder<unknown>) =>
    compiledOnce(dialect, ['scope', 'kind', 'id', 'now'], ({ scope, kind, id, now }) => {
      const time = dialect === 'sqlite' ? sql`${now}` : databaseNow(dialect);
      return [
        sql`select id, version, ${value} as value from plimsoll_documents
          where scope = ${scope} and kind = ${kind} and id = ${id} and (expires_ms is null or expires_ms > ${time})`,
      ];
    });
  /** A put that depends on nothing: what sessions write, twice a request. */
  const putting = compiledOnce(
    dialect,
    ['scope', 'kind', 'id', 'value', 'version', 'userHash', 'sessionHash', 'now', 'ttlMs'],
    ({ scope, kind, id, value, version, userHash, sessionHash, now, ttlMs }) => {
      const time = dialect === 'sqlite' ? sql`${now}` : databaseNow(dialect);
      const changed = ['value', 'version', 'user_hash', 'session_hash', 'expires_ms'].map(
        (name) => sql`${sql.ref(name)} = ${sql.ref(`excluded.${name}`)}`,
      );
      return [
        sql`insert into plimsoll_documents (scope, kind, id, value, version, user_hash, session_hash, expires_ms)
          values (${scope}, ${kind}, ${id}, ${value}, ${version}, ${userHash}, ${sessionHash}, ${time} + ${ttlMs})
          on conflict (scope, kind, id) do update set ${sql.join(changed)}`,
      ];
    },
  );
  const ofAnyLength = reading(sql`value`);
  const short = sql`case when octet_length(value) <= ${sql.lit(SHORT_BYTES)} then value end`;
  const ifShort = dialect === 'sqlite' ? reading(short) : ofAnyLength;

  function documentOf(key: Pick<DocumentKey, 'scope' | 'kind'>, row: Readonly<Record<string, unknown>>) {
    const { id, value, version } = row as { id: string; value: string; version: string };
    return {
      id,
      version,
      value: JSON.parse(cipher.open(value, documentPlace({ ...key, id }))),
    } as StoredDocument;
  }

  return {
    async get(key) {
      assertDocumentKey(key);
      const at = { ...key, now: Date.now() };
      const [found] = (await database.lookUp(ifShort(at)[0]!)).rows;
      if (found === undefined) return undefined;
      if (found['value'] !== null) return documentOf(key, found);
      const [result] = await database.run(ofAnyLength(at));
      const row = result!.rows[0];
      return row && documentOf(key, row);
    },
    async getMany(scope, kind, ids) {
      for (const id of ids) assertDocumentKey({ scope, kind, id });
      const wanted =
        dialect === 'sqlite'
          ? sql`in (select value from json_each(${JSON.stringify(ids)}))`
          : sql`= any(${ids})`;
      const query = db
        .selectFrom('plimsoll_documents')
        .select(['id', 'value', 'version'])
        .where('scope', '=', scope)
        .where('kind', '=', kind)
        .where(sql<boolean>`id ${wanted}`)
        .where(isAlive());
      const [result] = await database.run([query.compile()]);
      const found = new Map<string, StoredDocument>();
      let characters = 0;
      for (const row of result!.rows) {
        const document = documentOf({ scope, kind }, row);
        found.set(document.id, document);
        characters += String(row['value']).length;
        if (characters < CHARACTERS_AT_ONCE) continue;
        characters = 0;
        await nextTurn();
      }
      return found;
    },
    async put(key, { value, ttlMs, expected, sensitive = false, user, session }) {
      assertDocumentKey(key);
      const secret = user === undefined && session === undefined ? '' : await subjectSecret();
      const json = JSON.stringify(value);
      const text = sensitive ? cipher.seal(json, documentPlace(key)) : json;
      const version = randomUUID();
      const userHash = user === undefined ? null : subjectHash(secret, 'user', user);
      const sessionHash = session === undefined ? null : subjectHash(secret, 'session', session);
      if (expected === undefined) {
        const row = {
          ...key,
          value: text,
          version,
          userHash,
          sessionHash,
          now: Date.now(),
          ttlMs: ttlMs ?? null,
        };
        await database.run(putting(row));
        return version;
      }
      const fields = {
        value: text,
        version,
        user_hash: userHash,
        session_hash: sessionHash,
        expires_ms: ttlMs === undefined ? null : sql<number>`${databaseNow(dialect)} + ${ttlMs}`,
      };
      const { scope, kind, id } = key;
      const query =
        typeof expected === 'string'
          ? db
              .updateTable('plimsoll_documents')
              .set(fields)
              .where('scope', '=', scope)
              .where('kind', '=', kind)
              .where('id', '=', id)
              .where('version', '=', expected)
              .where(isAlive())
          : db
              .insertInto('plimsoll_documents')
              .values({ scope, kind, id, ...fields })
              .onConflict((conflict) =>
                conflict
                  .columns(['scope', 'kind', 'id'])
                  .doUpdateSet(fields)
                  .where(sql<boolean>`plimsoll_documents.expires_ms <= ${databaseNow(dialect)}`),
              );
      const [result] = await database.run([query.compile()]);
      return result!.changes > 0 ? fields.version : undefined;
    },
    async delete({ scope, kind, id }) {
      assertDocumentKey({ scope, kind, id });
      const query = db
        .deleteFrom('plimsoll_documents')
        .where('scope', '=', scope)
        .where('kind', '=', kind)
        .where('id', '=', id)
        .where(isAlive());
      const [result] = await database.run([query.compile()]);
      return result!.changes > 0;
    },
    async list(scope, kind, limit) {
      const query = db
        .selectFrom('plimsoll_documents')
        .select(['id', 'value', 'version'])
        .where('scope', '=', scope)
        .where('kind', '=', kind)
        .where(isAlive())
        .orderBy('id')
        .limit(limit);
      const [result] = await database.run([query.compile()]);
      return result!.rows.map((row) => documentOf({ scope, kind }, row));
    },
    async erase(subject) {
      const about = aboutSubject(subject, await subjectSecret(), 'scope');
      const [result] = await database.run([db.deleteFrom('plimsoll_documents').where(about).compile()], true);
      return result!.changes;
    },
    async prune() {
      const query = db.deleteFrom('plimsoll_documents').where('expires_ms', '<=', databaseNow(dialect));
      const [documents] = await database.run([query.compile()]);
      return documents!.changes;
    },
  };
}
