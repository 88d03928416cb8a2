import { sql } from './kysely.ts';
import type { Count, Counters, Lease, Leases } from './ports.ts';
import { type Database, databaseNow, queryBuilder } from './schema.ts';

export function sqlCounters(database: Database): Counters {
  const { dialect } = database;
  const db = queryBuilder(dialect);
  return {
    async add(key, amount, windowMs) {
      const now = databaseNow(dialect);
      const query = sql`insert into plimsoll_counters (key, total, expires_ms)
        values (${key}, ${amount}, ${now} + ${windowMs})
        on conflict (key) do update set
          total = case when plimsoll_counters.expires_ms <= ${now} then 0 else plimsoll_counters.total end + ${amount},
          expires_ms = case when plimsoll_counters.expires_ms <= ${now} then excluded.expires_ms else plimsoll_counters.expires_ms end
        returning total, expires_ms - ${now} as "resetsInMs"`;
      const [result] = await database.run([query.compile(db)]);
      const { total, resetsInMs } = result!.rows[0] as unknown as Count;
      return { total, resetsInMs: Math.max(0, resetsInMs) };
    },
  };
}

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
