import pg from 'pg';

/** An entry of the ledger. */
export interface LedgerRow {
  readonly id: string;
  readonly keyId: string;
  readonly model: string;
  readonly nanoUsd: number;
}

/** What the database says about the requests, once all instances have ended. */
export interface Books {
  readonly entries: ReadonlyMap<string, LedgerRow>;
  /** Key id -> billionths of a US dollar, as the sums of its days say. */
  readonly sums: ReadonlyMap<string, number>;
  /** Ids of the records of the decision log. */
  readonly logged: ReadonlySet<string>;
}

/** Reads PostgreSQL itself, with none of the code that wrote it. */
export async function readBooks(url: string): Promise<Books> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const ledger = await client.query('select id, key_id, model, nano_usd from plimsoll_ledger');
    const days = await client.query(
      'select key_id, sum(nano_usd) as nano_usd from plimsoll_ledger_days group by key_id',
    );
    const log = await client.query("select id from plimsoll_log where stream = 'decisions'");
    const entries = ledger.rows.map(({ id, key_id: keyId, model, nano_usd: nanoUsd }) => ({
      id: String(id),
      keyId: String(keyId),
      model: String(model),
      nanoUsd: Number(nanoUsd),
    }));
    return {
      entries: new Map(entries.map((entry) => [entry.id, entry])),
      sums: new Map(days.rows.map(({ key_id: id, nano_usd: sum }) => [String(id), Number(sum)])),
      logged: new Set(log.rows.map(({ id }) => String(id))),
    };
  } finally {
    await client.end();
  }
}
