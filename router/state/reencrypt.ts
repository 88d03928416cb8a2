import { documentPlace, logPlace, type TextCipher } from './cipher.ts';
import { sql } from './kysely.ts';
import { type Database, queryBuilder } from './schema.ts';

const AT_ONCE = 200;

/**
 * Encrypts anew, with the current key, each text that has another one or none. Safe to run while Plimsoll serves: a text that changes in
 * between is left for the next round.
 * @returns how many texts
 */
export async function reencrypt(database: Database, cipher: TextCipher): Promise<number> {
  const { currentKeyId } = cipher;
  if (currentKeyId === undefined) return 0;
  const current = `enc1.${currentKeyId}.`;
  const db = queryBuilder(database.dialect);
  const old = (column: 'text' | 'value') =>
    sql<boolean>`substr(${sql.ref(column)}, 1, ${current.length}) <> ${current}`;
  let done = 0;
  for (let after = 0; ; ) {
    const page = db
      .selectFrom('plimsoll_log')
      .select(['seq', 'stream', 'id', 'text'])
      .where('text', 'is not', null)
      .where(old('text'))
      .where('seq', '>', after)
      .orderBy('seq')
      .limit(AT_ONCE);
    const [found] = await database.run([page.compile()]);
    const rows = found!.rows as unknown as { seq: number; stream: string; id: string; text: string }[];
    if (rows.length === 0) break;
    after = rows.at(-1)!.seq;
    const updates = rows.map(({ seq, stream, id, text }) => {
      const place = logPlace(stream, id);
      const sealed = cipher.seal(cipher.open(text, place), place);
      return db.updateTable('plimsoll_log').set({ text: sealed }).where('seq', '=', seq).compile();
    });
    await database.run(updates, true);
    done += rows.length;
  }
  // Documents in clear stay so: only what was sensitive was encrypted.
  for (;;) {
    const page = db
      .selectFrom('plimsoll_documents')
      .select(['scope', 'kind', 'id', 'value'])
      .where('value', 'like', 'enc1.%')
      .where(old('value'))
      .limit(AT_ONCE);
    const [found] = await database.run([page.compile()]);
    const rows = found!.rows as unknown as { scope: string; kind: string; id: string; value: string }[];
    if (rows.length === 0) return done;
    const updates = rows.map(({ scope, kind, id, value }) => {
      const place = documentPlace({ scope, kind, id });
      const sealed = cipher.seal(cipher.open(value, place), place);
      return db
        .updateTable('plimsoll_documents')
        .set({ value: sealed })
        .where('scope', '=', scope)
        .where('kind', '=', kind)
        .where('id', '=', id)
        .where('value', '=', value)
        .compile();
    });
    await database.run(updates, true);
    done += rows.length;
  }
}
