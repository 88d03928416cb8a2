import path from 'node:path';
import { request } from 'undici';
import { hasPostgres, NO_POSTGRES, ownPostgres } from '../databases.ts';
import { inTurns, openLoop, type Row, ratios, spread } from '../measurement.ts';
import { type GatewayBenchContext, TARGETS } from './context.ts';
import { roundQuantiles, SLICES } from './peer-rows.ts';
import { PER_SECOND, saturate } from './performance.ts';
import { CONSTANT_REPLY, type PlimsollProcess, startFakeProviderProcess, startPlimsoll } from './servers.ts';
import { createClient, type Side } from './sides.ts';

type Context = Pick<GatewayBenchContext, 'texts' | 'rounds' | 'roundSeconds'>;

const LADDER = { cheap: 'fake/small', strong: 'fake/large' };
const HEADERS = { 'content-type': 'application/json' };
const PEER = 'the same with its decision log in a file';

/** Figures of one side, round by round. */
interface StateFigures {
  /** Added to the provider's own p50, in ms. */
  readonly added: readonly number[];
  /** Requests a second at saturation. */
  readonly rates: readonly number[];
  /** Processor time of its process for a request at saturation, in microseconds. */
  readonly cpu: readonly number[];
}

/** What it costs that the decision log is in the state, SQLite or PostgreSQL, beside one in a file: time at 200 requests a second, and saturation. */
export async function stateLog(context: Context): Promise<readonly Row[]> {
  const provider = await startFakeProviderProcess(CONSTANT_REPLY);
  const postgres = hasPostgres() ? await ownPostgres() : undefined;
  const started: PlimsollProcess[] = [];
  const start = async (sections: (folder: string) => object) => {
    const process = await startPlimsoll({ providers: { fake: provider.url }, ladder: LADDER, sections });
    started.push(process);
    return { url: process.url, headers: HEADERS, model: 'auto', pid: process.pid };
  };
  const inState = (state: object) => ({ state, decision_log: { to: 'state' } });
  try {
    const sides: Side[] = [
      { url: provider.url, headers: HEADERS, model: 'small', pid: provider.pid },
      await start(() => ({})),
      await start((folder) => inState({ kind: 'sqlite', url: path.join(folder, 'state.db') })),
    ];
    if (postgres) sides.push(await start(() => inState({ kind: 'postgres', url: postgres.url })));
    const [inFile, inSqlite, inPostgres] = await measure(sides, context);
    if (inFile === undefined || inSqlite === undefined) return [];
    const dropped = await Promise.all(sides.slice(2).map(droppedRecords));
    const [first, ...rows] = [
      ...rowsFor('sqlite', inSqlite, inFile, context, dropped[0]),
      ...rowsFor('postgres', inPostgres, inFile, context, dropped[1]),
    ];
    if (first === undefined) return [];
    return postgres
      ? [first, ...rows]
      : [{ ...first, notes: [...first.notes, `no rows of PostgreSQL: ${NO_POSTGRES}`] }, ...rows];
  } finally {
    for (const one of started) {
      await one.close();
      one.remove();
    }
    postgres?.close();
    await provider.close();
  }
}

/** The first side is the provider itself; figures are those of the others. */
async function measure(sides: readonly Side[], context: Context): Promise<StateFigures[]> {
  const { rounds, roundSeconds, texts } = context;
  const clients = sides.map(createClient);
  let sent = 0;
  const slices = clients.map((client) => () => {
    const rate = { perSecond: PER_SECOND, seconds: roundSeconds / SLICES };
    return openLoop(rate, () => client.plainMs(String(texts[sent++ % texts.length])));
  });
  const times = await inTurns(slices, { rounds: rounds * SLICES, warmUp: SLICES });
  for (const client of clients) await client.close();
  const [direct = [], ...medians] = times.map((one) =>
    roundQuantiles(one, [0.5]).map(([p50 = Number.NaN]) => p50),
  );
  const servers = sides.slice(1);
  const rates = await inTurns(
    servers.map((side) => () => saturate(side, context)),
    { rounds, warmUp: 1 },
  );
  return medians.map((one, i) => ({
    added: one.map((ms, round) => ms - direct[round]!),
    rates: rates[i]!.map(([rate = Number.NaN]) => rate),
    cpu: rates[i]!.map(([, cpu = Number.NaN]) => cpu),
  }));
}

function rowsFor(
  kind: 'sqlite' | 'postgres',
  side: StateFigures | undefined,
  inFile: StateFigures,
  { roundSeconds }: Context,
  dropped = 0,
): Row[] {
  if (side === undefined) return [];
  return [
    {
      name: `state-${kind}-p50`,
      what: `added to a plain answer at ${PER_SECOND} requests/s, p50, with the decision log in ${kind}`,
      unit: 'ms',
      value: spread(side.added),
      samples: PER_SECOND * roundSeconds,
      peer: { what: PEER, value: spread(inFile.added) },
      ratio: ratios(side.added, inFile.added),
      target: TARGETS.state.added,
      notes: [],
    },
    {
      name: `state-${kind}-saturation`,
      what: `plain answers at saturation with the decision log in ${kind}`,
      unit: 'requests/s',
      value: spread(side.rates),
      samples: Math.round(spread(side.rates).median * roundSeconds),
      peer: { what: PEER, value: spread(inFile.rates) },
      ratio: ratios(side.rates, inFile.rates),
      target: TARGETS.state.saturation,
      notes: [
        `processor time for a request: ${Math.round(spread(side.cpu).median)} microseconds, ${Math.round(spread(inFile.cpu).median)} with the file`,
        `records that had no room while the database was behind: ${dropped}`,
      ],
    },
  ];
}

/** Records that were lost because the state could not take them as fast as they came. */
async function droppedRecords({ url }: Side): Promise<number> {
  const { body } = await request(new URL('/metrics', url));
  const text = await body.text();
  return Number(
    /^plimsoll_decision_log_records_total\{[^}]*outcome="dropped"[^}]*\} (\d+)/m.exec(text)?.[1] ?? 0,
  );
}
