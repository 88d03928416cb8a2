import { sql } from './kysely.ts';
import { dayOf } from './names.ts';
import type { Ledger, LedgerEntry } from './ports.ts';
import { type Database, type Query, queryBuilder, rowsOf } from './schema.ts';

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

  /**
   * Entries, then the sums of their days. An entry that is there already keeps `counted` = 1 and is not added again, whether it was settled by
   * this process or by another one at the same time.
   */
  function settling(entries: readonly LedgerEntry[]): Query[] {
    const rows = entries.map((entry) => ({
      id: entry.id,
      key_id: entry.keyId,
      time_ms: entry.timeMs,
      day: dayOf(entry.timeMs),
      model: entry.model,
      nano_usd: entry.nanoUsd,
      input_tokens: entry.inputTokens,
      output_tokens: entry.outputTokens,
      counted: 0,
    }));
    const names = Object.keys(COLUMNS).map((name) => sql.ref(name));
    const ids = rowsOf(
      dialect,
      rows.map(({ id }) => ({ id })),
      { id: 'text' },
    );
    const uncounted = sql`counted = 0 and id in (${ids})`;
    return [
      sql`insert into plimsoll_ledger (${sql.join(names)}) ${rowsOf(dialect, rows, COLUMNS)} on conflict (id) do nothing`,
      // Ordered, so that two transactions never wait for each other's rows.
      sql`insert into plimsoll_ledger_days (key_id, day, nano_usd, input_tokens, output_tokens, requests)
        select key_id, day, sum(nano_usd), sum(input_tokens), sum(output_tokens), count(*)
        from plimsoll_ledger where ${uncounted} group by key_id, day order by key_id, day
        on conflict (key_id, day) do update set nano_usd = plimsoll_ledger_days.nano_usd + excluded.nano_usd,
        input_tokens = plimsoll_ledger_days.input_tokens + excluded.input_tokens,
        output_tokens = plimsoll_ledger_days.output_tokens + excluded.output_tokens,
        requests = plimsoll_ledger_days.requests + excluded.requests`,
      sql`update plimsoll_ledger set counted = 1 where ${uncounted}`,
    ].map((query) => query.compile(db));
  }

  const settle = grouped<LedgerEntry>(async (entries) => {
    await database.run(settling(entries), true);
  });

  return {
    settle: (entries) => (entries.length === 0 ? Promise.resolve() : settle(entries)),
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
    async prune(beforeMs) {
      const query = db.deleteFrom('plimsoll_ledger').where('time_ms', '<', beforeMs).where('counted', '=', 1);
      const [result] = await database.run([query.compile()]);
      return result!.changes;
    },
  };
}

/** Items of one transaction: above this a statement takes too long for those that wait. */
const MAX_GROUP = 1_000;

interface Group<T> {
  readonly items: T[];
  readonly done: Promise<void>;
  readonly start: () => void;
}

/**
 * Group commit: while one write is at work, all that comes waits, and is then written together. A failed group fails all its callers,
 * who may repeat.
 */
export function grouped<T>(
  write: (items: readonly T[]) => Promise<void>,
): (items: readonly T[]) => Promise<void> {
  const waiting: Group<T>[] = [];
  let working = false;

  async function work(): Promise<void> {
    working = true;
    await Promise.resolve(); // what comes in the same turn goes together
    for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
      group.start();
      await group.done.catch(() => {});
    }
    working = false;
  }

  function newGroup(): Group<T> {
    const items: T[] = [];
    let start = () => {};
    const started = new Promise<void>((resolve) => {
      start = resolve;
    });
    const group = { items, start, done: started.then(() => write(items)) };
    waiting.push(group);
    return group;
  }

  return (items) => {
    const last = waiting.at(-1);
    const group = last !== undefined && last.items.length < MAX_GROUP ? last : newGroup();
    group.items.push(...items);
    if (!working) void work();
    return group.done;
  };
}
