import { randomUUID } from 'node:crypto';
import { nextTurn } from '../turns.ts';
import { documentPlace } from './cipher.ts';
import { sql } from './kysely.ts';
import { assertDocumentKey, subjectHash } from './names.ts';
import type { DocumentKey, Documents, StoredDocument } from './ports.ts';
import { databaseNow, queryBuilder } from './schema.ts';
import { aboutSubject, type SqlParts } from './sql-log.ts';

/** Text that is parsed before other requests get their turn. */
const CHARACTERS_AT_ONCE = 1_000_000;

export function sqlDocuments({ database, cipher, subjectSecret }: SqlParts): Documents {
  const { dialect } = database;
  const db = queryBuilder(dialect);
  const isAlive = () => sql<boolean>`(expires_ms is null or expires_ms > ${databaseNow(dialect)})`;

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
      const { scope, kind, id } = key;
      const query = db
        .selectFrom('plimsoll_documents')
        .select(['id', 'value', 'version'])
        .where('scope', '=', scope)
        .where('kind', '=', kind)
        .where('id', '=', id)
        .where(isAlive());
      const [result] = await database.run([query.compile()]);
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
      const text = JSON.stringify(value);
      const fields = {
        value: sensitive ? cipher.seal(text, documentPlace(key)) : text,
        version: randomUUID(),
        user_hash: user === undefined ? null : subjectHash(secret, 'user', user),
        session_hash: session === undefined ? null : subjectHash(secret, 'session', session),
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
              .onConflict((conflict) => {
                const update = conflict.columns(['scope', 'kind', 'id']).doUpdateSet(fields);
                const expired = sql<boolean>`plimsoll_documents.expires_ms <= ${databaseNow(dialect)}`;
                return expected === null ? update.where(expired) : update;
              });
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
