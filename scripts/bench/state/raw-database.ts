import Database from 'libsql';
import pg from 'pg';

/** Where the state is. */
export interface DatabasePlace {
  readonly kind: 'sqlite' | 'postgres';
  /** A file or an address. */
  readonly url: string;
}

/** A row of `plimsoll_documents`. */
export interface DocumentRow {
  readonly scope: string;
  readonly kind: string;
  readonly id: string;
  readonly value: string;
  readonly version: string;
  readonly expires_ms: number;
}

/** The state's database, on a connection of its own and without the code of the state. */
export interface RawDatabase {
  insert(rows: readonly DocumentRow[]): Promise<void>;
  /** The values of documents of one kind in one query, in any order. */
  values(scope: string, kind: string, ids: readonly string[]): Promise<readonly string[]>;
  /** Updates what the planner knows about the tables, as a server does by itself when it is idle. */
  analyze(): Promise<void>;
  close(): Promise<void>;
}

const COLUMNS = ['scope', 'kind', 'id', 'value', 'version', 'expires_ms'] as const;

export async function openRawDatabase({ kind, url }: DatabasePlace): Promise<RawDatabase> {
  return kind === 'sqlite' ? openFile(url) : openServer(url);
}

function openFile(file: string): RawDatabase {
  const database = new Database(file);
  database.pragma('synchronous = OFF');
  const insertOne = database.prepare(
    `insert into plimsoll_documents (${COLUMNS.join(', ')}) values (?, ?, ?, ?, ?, ?)`,
  );
  const insertAll = database.transaction((rows: readonly DocumentRow[]) => {
    for (const row of rows) insertOne.run(COLUMNS.map((name) => row[name]));
  });
  const find = database.prepare(
    'select value from plimsoll_documents where scope = ? and kind = ? and id in (select value from json_each(?))',
  );
  return {
    insert: async (rows) => void insertAll(rows),
    async values(scope, kind, ids) {
      const rows = find.all([scope, kind, JSON.stringify(ids)]) as { readonly value: string }[];
      return rows.map(({ value }) => value);
    },
    analyze: async () => void database.exec('analyze'),
    close: async () => void database.close(),
  };
}

async function openServer(url: string): Promise<RawDatabase> {
  const client = new pg.Client(url);
  await client.connect();
  return {
    async insert(rows) {
      await client.query(
        `insert into plimsoll_documents (${COLUMNS.join(', ')}) select ${COLUMNS.join(', ')} from json_to_recordset($1::json)
          as r(scope text, kind text, id text, value text, version text, expires_ms bigint)`,
        [JSON.stringify(rows)],
      );
    },
    async values(scope, kind, ids) {
      const { rows } = await client.query<{ value: string }>({
        name: 'values',
        text: 'select value from plimsoll_documents where scope = $1 and kind = $2 and id = any($3)',
        values: [scope, kind, ids],
      });
      return rows.map(({ value }) => value);
    },
    analyze: async () => void (await client.query('analyze')),
    close: () => client.end(),
  };
}
