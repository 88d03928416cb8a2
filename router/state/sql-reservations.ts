import type { RawBuilder } from 'kysely';
import { grouped } from './grouped.ts';
import { sql } from './kysely.ts';
import { dayOf } from './names.ts';
import type { Charge, Ledger, LedgerEntry, LedgerWindow, Reservation, WindowSums } from './ports.ts';
import {
  compiledOnce,
  type Database,
  type Dialect,
  type Query,
  queryBuilder,
  rowsOf,
  rowsOfJson,
} from './schema.ts';

export const CHARGE_COLUMNS = {
  id: 'text',
  scope: 'text',
  span: 'text',
  start_ms: 'bigint',
  end_ms: 'bigint',
  amount: 'bigint',
} as const;
const { id: _, amount: __, ...WINDOW_COLUMNS } = CHARGE_COLUMNS;
const RESERVATION_COLUMNS = {
  id: 'text',
  key_id: 'text',
  time_ms: 'bigint',
  day: 'text',
  model: 'text',
  nano_usd: 'bigint',
  input_tokens: 'bigint',
  output_tokens: 'bigint',
  expires_ms: 'bigint',
} as const;

export function entryRow(entry: LedgerEntry) {
  return {
    id: entry.id,
    key_id: entry.keyId,
    time_ms: entry.timeMs,
    day: dayOf(entry.timeMs),
    model: entry.model,
    nano_usd: entry.nanoUsd,
    input_tokens: entry.inputTokens,
    output_tokens: entry.outputTokens,
  };
}

export function chargeRow(id: string, { amount, ...window }: Charge) {
  return { id, ...windowRow(window), amount };
}

function windowRow({ scope, window, startMs, endMs }: LedgerWindow) {
  return { scope, span: window, start_ms: startMs, end_ms: endMs };
}

const ID_COLUMN = { id: 'text' } as const;

export function idsOf(dialect: Dialect, ids: readonly string[]): RawBuilder<unknown> {
  return rowsOfJson(dialect, idsJson(ids), ID_COLUMN);
}

/** What `idsOfJson` reads. */
export function idsJson(ids: readonly string[]): string {
  return JSON.stringify(ids.map((id) => ({ id })));
}

/** @param json the mark of ids in `compiledOnce` */
export function idsOfJson(dialect: Dialect, json: string): RawBuilder<unknown> {
  return rowsOfJson(dialect, json, ID_COLUMN);
}

/**
 * Reservations in SQL. Reservations of concurrent calls are made in one transaction, one after the other: each sees those before it, and one
 * that finds no room leaves the others alone. The rows of all windows are locked first, in one order, so that two transactions never
 * wait for each other, and what is compared with the caps is the last that was committed.
 */
export function sqlReservations(database: Database) {
  const { dialect } = database;
  const db = queryBuilder(dialect);
  const rows = (
    of: readonly Readonly<Record<string, unknown>>[],
    columns: Record<string, 'text' | 'bigint'>,
  ) => rowsOf(dialect, of, columns);

  const reservingOne = compiledOnce(dialect, ['id', 'charges', 'entry'], ({ id, charges, entry }) => {
    const asked = rowsOfJson(dialect, charges, { ...CHARGE_COLUMNS, cap: 'bigint' });
    const reservation = rowsOfJson(dialect, entry, RESERVATION_COLUMNS);
    const names = sql.join(Object.keys(RESERVATION_COLUMNS).map((name) => sql.ref(name)));
    const isNew = sql`exists (select 1 from plimsoll_reservations as n where n.id = ${id} and n.is_open = 0)`;
    return [
      sql`insert into plimsoll_reservations (${names}, is_open) select ${names}, 0 from (${reservation}) as r
        where not exists (select 1 from (${asked}) as c join plimsoll_windows as w
          on w.scope = c.scope and w.span = c.span and w.start_ms = c.start_ms
          where w.settled + w.reserved + c.amount > c.cap) on conflict (id) do nothing`,
      sql`insert into plimsoll_charges (id, scope, span, start_ms, end_ms, amount)
        select c.id, c.scope, c.span, c.start_ms, c.end_ms, c.amount from (${asked}) as c where ${isNew}`,
      sql`update plimsoll_windows set reserved = plimsoll_windows.reserved + c.amount from (${asked}) as c
        where plimsoll_windows.scope = c.scope and plimsoll_windows.span = c.span
        and plimsoll_windows.start_ms = c.start_ms and ${isNew}`,
      sql`update plimsoll_reservations set is_open = 1 where id = ${id}`,
    ];
  });

  function reserving({ entry, charges, expiresMs }: Reservation): readonly Query[] {
    const { id } = entry;
    return reservingOne({
      id,
      charges: JSON.stringify(charges.map((charge) => ({ ...chargeRow(id, charge), cap: charge.cap }))),
      entry: JSON.stringify([{ ...entryRow(entry), expires_ms: expiresMs }]),
    });
  }

  const lockingWindows = compiledOnce(dialect, ['windows'], ({ windows }) => [
    sql`insert into plimsoll_windows (scope, span, start_ms, end_ms, reserved, settled)
        select w.scope, w.span, w.start_ms, w.end_ms, 0, 0 from (${rowsOfJson(dialect, windows, WINDOW_COLUMNS)}) as w where true
        order by w.scope, w.span, w.start_ms on conflict (scope, span, start_ms) do update set reserved = plimsoll_windows.reserved`,
  ]);
  const readingResults = compiledOnce(dialect, ['ids', 'windows'], ({ ids, windows }) => [
    sql`select id from plimsoll_reservations where id in (${idsOfJson(dialect, ids)})`,
    sql`select w.scope, w.span, w.start_ms, w.end_ms, w.reserved, w.settled from plimsoll_windows as w
        join (${rowsOfJson(dialect, windows, WINDOW_COLUMNS)}) as a on w.scope = a.scope and w.span = a.span and w.start_ms = a.start_ms`,
  ]);

  async function reserveAll(reservations: readonly Reservation[]): Promise<Reserved> {
    const windows = new Map<string, LedgerWindow>();
    for (const { charges } of reservations) for (const charge of charges) windows.set(nameOf(charge), charge);
    const ids = idsJson(reservations.map(({ entry }) => entry.id));
    const all = JSON.stringify([...windows.values()].map(windowRow));
    const queries: Query[] = [
      ...lockingWindows({ windows: all }),
      ...reservations.flatMap(reserving),
      ...readingResults({ ids, windows: all }),
    ];
    const results = await database.run(queries, true);
    const found = results.at(-1)!.rows.map(windowOf);
    return {
      ids: new Set(results.at(-2)!.rows.map(({ id }) => String(id))),
      windows: new Map(found.map((window) => [nameOf(window), window])),
    };
  }

  const reserve = grouped<Reservation, Reserved>(reserveAll);

  return {
    async reserve(reservation: Reservation): ReturnType<Ledger['reserve']> {
      const { ids, windows } = await reserve([reservation]);
      return {
        isReserved: ids.has(reservation.entry.id),
        windows: reservation.charges.map((charge) => {
          const { reserved, settled } = windows.get(nameOf(charge))!;
          return { reserved, settled };
        }),
      };
    },
    async cancel(id: string): Promise<void> {
      const ids = idsOf(dialect, [id]);
      const none = rows([], CHARGE_COLUMNS);
      const queries = [lock(ids), close(ids, none), ...forget(ids)];
      await database.run(queries.map((query) => query.compile(db)));
    },
    async windows(atMs: number): ReturnType<Ledger['windows']> {
      const query = sql`select scope, span, start_ms, end_ms, reserved, settled from plimsoll_windows
        where start_ms <= ${atMs} and end_ms > ${atMs} and (reserved <> 0 or settled <> 0) order by scope, span`;
      const [result] = await database.run([query.compile(db)]);
      return result!.rows.map(windowOf);
    },
    async expired(nowMs: number, most: number): Promise<readonly string[]> {
      const query = db
        .selectFrom('plimsoll_reservations')
        .select('id')
        .where('expires_ms', '<=', nowMs)
        .orderBy('expires_ms')
        .limit(most);
      const [result] = await database.run([query.compile()]);
      return result!.rows.map(({ id }) => String(id));
    },
    lock,
    close,
    forget,
  };
}

interface Reserved {
  /** Those that found room. */
  readonly ids: ReadonlySet<string>;
  /** All windows of the group, by name. */
  readonly windows: ReadonlyMap<string, LedgerWindow & WindowSums>;
}

/** Whoever ends a reservation locks it first: of several that end it at once, one does. */
function lock(ids: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`update plimsoll_reservations set is_open = 1 where id in (${ids})`;
}

/**
 * Takes what these reservations hold out of their windows, and adds what they came to.
 * @param settled rows of charges; those of entries that are counted already are passed over
 */
function close(ids: RawBuilder<unknown>, settled: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`insert into plimsoll_windows (scope, span, start_ms, end_ms, reserved, settled)
    select t.scope, t.span, t.start_ms, t.end_ms, sum(t.reserved), sum(t.settled) from (
      select scope, span, start_ms, end_ms, -amount as reserved, 0 as settled
        from plimsoll_charges where id in (${ids})
      union all
      select s.scope, s.span, s.start_ms, s.end_ms, 0, s.amount from (${settled}) as s
        join plimsoll_ledger as l on l.id = s.id and l.counted = 0
    ) as t group by t.scope, t.span, t.start_ms, t.end_ms order by t.scope, t.span, t.start_ms
    on conflict (scope, span, start_ms) do update set
    reserved = plimsoll_windows.reserved + excluded.reserved,
    settled = plimsoll_windows.settled + excluded.settled`;
}

function forget(ids: RawBuilder<unknown>): RawBuilder<unknown>[] {
  return [
    sql`delete from plimsoll_charges where id in (${ids})`,
    sql`delete from plimsoll_reservations where id in (${ids})`,
  ];
}

function nameOf({ scope, window, startMs }: LedgerWindow): string {
  return `${scope}\0${window}\0${startMs}`;
}

function windowOf(row: Readonly<Record<string, unknown>>): LedgerWindow & WindowSums {
  return {
    scope: String(row['scope']),
    window: String(row['span']),
    startMs: Number(row['start_ms']),
    endMs: Number(row['end_ms']),
    reserved: Number(row['reserved']),
    settled: Number(row['settled']),
  };
}
