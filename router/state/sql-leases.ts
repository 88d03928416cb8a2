import { sql } from './kysely.ts';
import type { Lease, Leases } from './ports.ts';
import { type Database, databaseNow, queryBuilder } from './schema.ts';

export function sqlLeases(database: Database): Leases {
  const { dialect } = database;
  const db = queryBuilder(dialect);
  const held = ({ name, fencingToken }: Lease) =>
    sql`name = ${name} and fencing_token = ${fencingToken} and expires_ms > ${databaseNow(dialect)}`;
  return {
    async acquire(name, holder, ttlMs) {
      const now = databaseNow(dialect);
      const query = sql`insert into plimsoll_leases (name, holder, fencing_token, expires_ms)
        values (${name}, ${holder}, 1, ${now} + ${ttlMs})
        on conflict (name) do update set
          holder = excluded.holder, fencing_token = plimsoll_leases.fencing_token + 1, expires_ms = excluded.expires_ms
        where plimsoll_leases.expires_ms <= ${now} or plimsoll_leases.holder = excluded.holder
        returning fencing_token as token`;
      const [result] = await database.run([query.compile(db)], true);
      const token = result!.rows[0]?.['token'];
      return token === undefined ? undefined : { name, fencingToken: Number(token) };
    },
    async renew(lease, ttlMs) {
      const now = databaseNow(dialect);
      const query = sql`update plimsoll_leases set expires_ms = ${now} + ${ttlMs} where ${held(lease)}`;
      const [result] = await database.run([query.compile(db)]);
      return result!.changes > 0;
    },
    async release(lease) {
      await database.run([sql`update plimsoll_leases set expires_ms = 0 where ${held(lease)}`.compile(db)]);
    },
  };
}
