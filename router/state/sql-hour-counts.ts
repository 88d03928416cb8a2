import { sql } from './kysely.ts';
import type { HourCount, HourCounts, TimeSpan } from './ports.ts';
import { type Database, type Query, queryBuilder, rowsOf, UnitConflict } from './schema.ts';

const COLUMNS = { start_ms: 'bigint', measure: 'text', label: 'text', amount: 'bigint' } as const;
/** How long it is known that a batch was added: whoever repeats one does so within seconds. */
const BATCH_KEPT_MS = 86_400_000;
const DAY_MS = 86_400_000;

export function sqlHourCounts(database: Database): HourCounts {
  const { dialect } = database;
  const db = queryBuilder(dialect);
  const within = ({ fromMs, untilMs }: TimeSpan) => sql`start_ms >= ${fromMs} and start_ms < ${untilMs}`;

  function upsert(table: CountTable, counts: readonly HourCount[]): Query {
    const rows = inOneOrder(counts).map(({ startMs, ...rest }) => ({ start_ms: startMs, ...rest }));
    return sql`insert into ${sql.table(table)} (start_ms, measure, label, amount)
      ${rowsOf(dialect, rows, COLUMNS)}
      on conflict (start_ms, measure, label) do update set amount = ${sql.ref(`${table}.amount`)} + excluded.amount`.compile(
      db,
    );
  }

  return {
    async add(batchId, counts) {
      const batch = db.insertInto('plimsoll_hour_count_batches').values({ id: batchId, time_ms: Date.now() });
      const queries = [
        batch.compile(),
        upsert('plimsoll_hour_counts', counts),
        upsert('plimsoll_day_counts', byDay(counts)),
      ];
      try {
        await database.run(queries);
      } catch (error) {
        if (!(error instanceof UnitConflict)) throw error; // else it was added before
      }
    },
    async totals(span) {
      const query = sql`select measure, label, cast(sum(amount) as bigint) as amount
        from ${sql.table(tableFor(span))} where ${within(span)} group by measure, label`;
      const [result] = await database.run([query.compile(db)]);
      return result!.rows as unknown as Awaited<ReturnType<HourCounts['totals']>>;
    },
    async series(span, measures, every) {
      if (measures.length === 0) return [];
      const query = sql`select start_ms as "startMs", measure, cast(sum(amount) as bigint) as amount
        from ${sql.table(every === 'day' ? 'plimsoll_day_counts' : 'plimsoll_hour_counts')}
        where ${within(span)} and measure in (${sql.join([...measures])})
        group by start_ms, measure order by start_ms`;
      const [result] = await database.run([query.compile(db)]);
      return result!.rows as unknown as Awaited<ReturnType<HourCounts['series']>>;
    },
    async prune(beforeMs) {
      const hours = db.deleteFrom('plimsoll_hour_counts').where('start_ms', '<', beforeMs);
      const days = db.deleteFrom('plimsoll_day_counts').where('start_ms', '<', dayOf(beforeMs));
      const batches = db
        .deleteFrom('plimsoll_hour_count_batches')
        .where('time_ms', '<', Date.now() - BATCH_KEPT_MS);
      const [ofHours] = await database.run([hours.compile(), days.compile(), batches.compile()]);
      return ofHours!.changes;
    },
  };
}

type CountTable = 'plimsoll_hour_counts' | 'plimsoll_day_counts';

function tableFor({ fromMs, untilMs }: TimeSpan): CountTable {
  const isWholeDays = fromMs === dayOf(fromMs) && untilMs === dayOf(untilMs);
  return isWholeDays ? 'plimsoll_day_counts' : 'plimsoll_hour_counts';
}

function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS;
}

/** One count a day, measure and label: an upsert may not meet a row twice. */
function byDay(counts: readonly HourCount[]): HourCount[] {
  const days = new Map<string, HourCount>();
  for (const count of counts) {
    const startMs = dayOf(count.startMs);
    const name = `${startMs}\0${count.measure}\0${count.label}`;
    days.set(name, { ...count, startMs, amount: count.amount + (days.get(name)?.amount ?? 0) });
  }
  return [...days.values()];
}

/** Two processes that lock the same rows in the same order never wait for each other in a circle. */
function inOneOrder(counts: readonly HourCount[]): HourCount[] {
  const nameOf = ({ startMs, measure, label }: HourCount) => `${startMs}\0${measure}\0${label}`;
  return [...counts].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}
