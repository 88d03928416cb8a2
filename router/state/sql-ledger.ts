import type { RawBuilder } from 'kysely';
import { grouped, MAX_GROUP } from './grouped.ts';
import { sql } from './kysely.ts';
import type { Ledger, ModelSpending, SettledEntry } from './ports.ts';
import { compiledOnce, type Database, type Query, queryBuilder, rowsOfJson } from './schema.ts';
import {
  CHARGE_COLUMNS,
  chargeRow,
  entryRow,
  idsJson,
  idsOf,
  idsOfJson,
  sqlReservations,
} from './sql-reservations.ts';

const COLUMNS = {
  id: 'text',
  key_id: 'text',
  time_ms: 'bigint',
  day: 'text',
  model: 'text',
  nano_usd: 'bigint',
  input_tokens: 'bigint',
  output_tokens: 'bigint',
  cached_input_tokens: 'bigint',
  cache_write_input_tokens: 'bigint',
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
  const settlingRows = compiledOnce(dialect, ['ids', 'entries', 'charges'], (marks) => {
    const ids = idsOfJson(dialect, marks.ids);
    const uncounted = uncountedIn(ids);
    const names = Object.keys(COLUMNS).map((name) => sql.ref(name));
    return [
      reservations.lock(ids),
      sql`insert into plimsoll_ledger (${sql.join(names)}) ${rowsOfJson(dialect, marks.entries, COLUMNS)} on conflict (id) do nothing`,
      addToDays(uncounted),
      reservations.close(ids, rowsOfJson(dialect, marks.charges, CHARGE_COLUMNS)),
      ...reservations.forget(ids),
      sql`update plimsoll_ledger set counted = 1 where ${uncounted}`,
    ];
  });

  function settling(entries: readonly SettledEntry[]): readonly Query[] {
    const distinct = [...new Map(entries.map((entry) => [entry.id, entry])).values()];
    const rows = distinct.map((entry) => ({ ...entryRow(entry), ...cacheColumns(entry), counted: 0 }));
    const charges = distinct.flatMap(({ id, charges = [] }) =>
      charges.map((charge) => chargeRow(id, charge)),
    );
    return settlingRows({
      ids: idsJson(distinct.map(({ id }) => id)),
      entries: JSON.stringify(rows),
      charges: JSON.stringify(charges),
    });
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
      const sum = (column: keyof typeof SUMS | 'requests', name: string) =>
        sql<number>`cast(coalesce(sum(${sql.ref(column)}), 0) as bigint)`.as(name);
      const query = db
        .selectFrom('plimsoll_ledger_days')
        .select([...SUM_COLUMNS.map((column) => sum(column, SUMS[column])), sum('requests', 'requests')])
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
      const sums = SUM_COLUMNS.map(
        (column) => sql`cast(sum(${sql.ref(column)}) as bigint) as ${sql.ref(SUMS[column])}`,
      );
      const query = sql`select model, cast(count(*) as bigint) as "requests", ${sql.join(sums)}
        from (select ${columns}, cached_input_tokens, cache_write_input_tokens from plimsoll_ledger where ${begins}
          union select ${columns}, 0, 0 from plimsoll_reservations where ${begins}) as entries
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

/** Columns of entries and days that are added up, and the names of their sums. */
const SUMS = {
  nano_usd: 'nanoUsd',
  input_tokens: 'inputTokens',
  output_tokens: 'outputTokens',
  cached_input_tokens: 'cachedInputTokens',
  cache_write_input_tokens: 'cacheWriteInputTokens',
} as const;
const SUM_COLUMNS = Object.keys(SUMS) as (keyof typeof SUMS)[];

/** For settled entries only: a reservation has no cached tokens. */
function cacheColumns({ cachedInputTokens = 0, cacheWriteInputTokens = 0 }: SettledEntry) {
  return { cached_input_tokens: cachedInputTokens, cache_write_input_tokens: cacheWriteInputTokens };
}

/** Ordered, so that two transactions never wait for each other's rows. */
function addToDays(uncounted: RawBuilder<unknown>): RawBuilder<unknown> {
  const columns = [...SUM_COLUMNS, 'requests'].map((column) => sql.ref(column));
  const sums = [...SUM_COLUMNS.map((column) => sql`sum(${sql.ref(column)})`), sql`count(*)`];
  const added = columns.map((column) => sql`${column} = plimsoll_ledger_days.${column} + excluded.${column}`);
  return sql`insert into plimsoll_ledger_days (key_id, day, ${sql.join(columns)})
    select key_id, day, ${sql.join(sums)}
    from plimsoll_ledger where ${uncounted} group by key_id, day order by key_id, day
    on conflict (key_id, day) do update set ${sql.join(added)}`;
}
