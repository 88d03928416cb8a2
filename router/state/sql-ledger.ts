import type { RawBuilder } from 'kysely';
import { grouped, MAX_GROUP } from './grouped.ts';
import { sql } from './kysely.ts';
import type { Ledger, ModelSpending, SettledEntry } from './ports.ts';
import { type Database, type Query, queryBuilder, rowsOf } from './schema.ts';
import { CHARGE_COLUMNS, chargeRow, entryRow, idsOf, sqlReservations } from './sql-reservations.ts';

const COLUMNS = {
  id: 'text',
  key_id: 'text',
  time_ms: 'bigint',
  day: 'text',
  model: 'text',
  nano_usd: 'bigint',
  input_tokens: 'bigint',
  output_tokens: 'bigint',
  counted: 'bigint',
} as const;

export function sqlLedger(database: Database): Ledger {
  const { dialect } = database;
  const db = queryBuilder(dialect);
  const reservations = sqlReservations(database);

  /**
   * Entries, then the sums of their days and windows. An entry that is there already keeps `counted` = 1 and is not added again, whether it was
   * settled by this process or by another one at the same time.
   */
  function settling(entries: readonly SettledEntry[]): Query[] {
    const distinct = [...new Map(entries.map((entry) => [entry.id, entry])).values()];
    const rows = distinct.map((entry) => ({ ...entryRow(entry), counted: 0 }));
    const ids = idsOf(
      dialect,
      distinct.map(({ id }) => id),
    );
    const uncounted = uncountedIn(ids);
    const names = Object.keys(COLUMNS).map((name) => sql.ref(name));
    const charges = distinct.flatMap(({ id, charges = [] }) =>
      charges.map((charge) => chargeRow(id, charge)),
    );
    return [
      reservations.lock(ids),
      sql`insert into plimsoll_ledger (${sql.join(names)}) ${rowsOf(dialect, rows, COLUMNS)} on conflict (id) do nothing`,
      addToDays(uncounted),
      reservations.close(ids, rowsOf(dialect, charges, CHARGE_COLUMNS)),
      ...reservations.forget(ids),
      sql`update plimsoll_ledger set counted = 1 where ${uncounted}`,
    ].map((query) => query.compile(db));
  }

  /** The expired ones of these reservations, which others may end at the same time. */
  function sweeping(expired: readonly string[], nowMs: number): Query[] {
    const ids = idsOf(dialect, expired);
    const uncounted = uncountedIn(ids);
    const columns = sql.join(
      ['id', 'key_id', 'time_ms', 'day', 'model', 'nano_usd', 'input_tokens', 'output_tokens'].map((name) =>
        sql.ref(name),
      ),
    );
    const charges = sql.join(Object.keys(CHARGE_COLUMNS).map((name) => sql.ref(name)));
    return [
      reservations.lock(ids),
      sql`insert into plimsoll_ledger (${columns}, counted) select ${columns}, 0 from plimsoll_reservations
        where id in (${ids}) and expires_ms <= ${nowMs} on conflict (id) do nothing`,
      addToDays(uncounted),
      reservations.close(ids, sql`select ${charges} from plimsoll_charges where id in (${ids})`),
      ...reservations.forget(ids),
      sql`update plimsoll_ledger set counted = 1 where ${uncounted}`,
    ].map((query) => query.compile(db));
  }

  const settle = grouped<SettledEntry>(async (entries) => {
    await database.run(settling(entries), true);
  });

  return {
    reserve: reservations.reserve,
    cancel: reservations.cancel,
    windows: reservations.windows,
    settle: (entries) => (entries.length === 0 ? Promise.resolve() : settle(entries)),
    async sweep(nowMs) {
      const expired = await reservations.expired(nowMs, MAX_GROUP);
      if (expired.length > 0) await database.run(sweeping(expired, nowMs), true);
      return expired.length;
    },
    async spent(keyId, fromDay) {
      const sum = (column: 'nano_usd' | 'input_tokens' | 'output_tokens' | 'requests', name: string) =>
        sql<number>`cast(coalesce(sum(${sql.ref(column)}), 0) as bigint)`.as(name);
      const query = db
        .selectFrom('plimsoll_ledger_days')
        .select([
          sum('nano_usd', 'nanoUsd'),
          sum('input_tokens', 'inputTokens'),
          sum('output_tokens', 'outputTokens'),
          sum('requests', 'requests'),
        ])
        .where('key_id', '=', keyId)
        .where('day', '>=', fromDay);
      const [result] = await database.run([query.compile()]);
      return result!.rows[0] as unknown as Awaited<ReturnType<Ledger['spent']>>;
    },
    async spentByIdPrefix(prefix) {
      const begins =
        dialect === 'sqlite'
          ? sql`id >= ${prefix} and id < ${`${prefix}\u{10ffff}`}`
          : sql`starts_with(id, ${prefix})`; // its order of texts may be one in which a prefix is no range
      const columns = sql`id, model, nano_usd, input_tokens, output_tokens`;
      const query = sql`select model, cast(count(*) as bigint) as "requests", cast(sum(nano_usd) as bigint) as "nanoUsd",
          cast(sum(input_tokens) as bigint) as "inputTokens", cast(sum(output_tokens) as bigint) as "outputTokens"
        from (select ${columns} from plimsoll_ledger where ${begins}
          union select ${columns} from plimsoll_reservations where ${begins}) as entries
        group by model`;
      const [result] = await database.run([query.compile(db)]);
      const found = result!.rows as unknown as ModelSpending[];
      return found.sort((a, b) => (a.model < b.model ? -1 : 1));
    },
    async prune(beforeMs) {
      const entries = db
        .deleteFrom('plimsoll_ledger')
        .where('time_ms', '<', beforeMs)
        .where('counted', '=', 1);
      const windows = db
        .deleteFrom('plimsoll_windows')
        .where('end_ms', '<', beforeMs)
        .where('reserved', '=', 0);
      const [result] = await database.run([entries.compile(), windows.compile()]);
      return result!.changes;
    },
  };
}

function uncountedIn(ids: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`counted = 0 and id in (${ids})`;
}

/** Ordered, so that two transactions never wait for each other's rows. */
function addToDays(uncounted: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`insert into plimsoll_ledger_days (key_id, day, nano_usd, input_tokens, output_tokens, requests)
    select key_id, day, sum(nano_usd), sum(input_tokens), sum(output_tokens), count(*)
    from plimsoll_ledger where ${uncounted} group by key_id, day order by key_id, day
    on conflict (key_id, day) do update set nano_usd = plimsoll_ledger_days.nano_usd + excluded.nano_usd,
    input_tokens = plimsoll_ledger_days.input_tokens + excluded.input_tokens,
    output_tokens = plimsoll_ledger_days.output_tokens + excluded.output_tokens,
    requests = plimsoll_ledger_days.requests + excluded.requests`;
}
