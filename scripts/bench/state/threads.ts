import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openState } from '../../../router/state/index.ts';
import { seededRandom } from '../../../router/statistics/index.ts';
import { createThreads } from '../../../router/threads/index.ts';
import { hasPostgres, NO_POSTGRES, ownPostgres } from '../databases.ts';
import { inTurns, quantile, type Row, ratios, spread } from '../measurement.ts';
import { type StateBenchContext, TARGETS } from './context.ts';
import { type DatabasePlace, openRawDatabase } from './raw-database.ts';
import { SCOPE, type StoredThread, storeThreads } from './stored-threads.ts';

const ROUNDS = 5;
const SEED = 1;

type Context = Pick<StateBenchContext, 'texts' | 'threads' | 'turns' | 'reads' | 'say'>;

/** Time to resolve the last response of a stored thread: what a request with `previous_response_id` waits for before it is routed. */
export async function threads(context: Context): Promise<readonly Row[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-threads-'));
  try {
    const inSqlite = await resolveRow({ kind: 'sqlite', url: path.join(folder, 'state.db') }, context);
    if (!hasPostgres())
      return [{ ...inSqlite, notes: [...inSqlite.notes, `not in PostgreSQL: ${NO_POSTGRES}`] }];
    const server = await ownPostgres();
    try {
      return [inSqlite, await resolveRow({ kind: 'postgres', url: server.url }, context)];
    } finally {
      server.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function resolveRow(place: DatabasePlace, context: Context): Promise<Row> {
  const { turns, reads, say } = context;
  say(`${place.kind}: storing ${context.threads} threads of ${turns} responses ...`);
  const stored = await storeThreads(place, context);
  const state = await openState({ ...place, migrate: 'manual' });
  const raw = await openRawDatabase(place);
  const kept = createThreads(state.documents);
  const random = seededRandom(SEED);
  const drawn = () => stored[Math.floor(random() * stored.length)] ?? [];
  const resolve = async (thread: StoredThread) => {
    const request = { model: 'auto', input: 'Go on.', previous_response_id: thread.at(-1) };
    const { body } = await kept.resolve(request, SCOPE);
    return (body['input'] as readonly unknown[]).length;
  };
  const read = async (thread: StoredThread) => {
    const values = await raw.values(SCOPE, 'response', thread);
    return values.map((value) => JSON.parse(value) as unknown).length;
  };
  try {
    const [own = [], bare = []] = await inTurns(
      [
        () => timesMs(reads, () => resolve(drawn()), 2 * turns + 1),
        () => timesMs(reads, () => read(drawn()), turns),
      ],
      { rounds: ROUNDS, warmUp: 1 },
    );
    const p95 = (rounds: readonly (readonly number[])[]) => rounds.map((times) => quantile(times, 0.95));
    return {
      name: `threads-${place.kind}-p95`,
      what: `resolving one of ${stored.length} stored threads of ${turns} responses in ${place.kind}, p95`,
      unit: 'ms',
      value: spread(p95(own)),
      samples: reads,
      peer: {
        what: 'its responses read in one query and parsed, on a connection of its own',
        value: spread(p95(bare)),
      },
      ratio: ratios(p95(own), p95(bare)),
      target: TARGETS.resolve[place.kind],
      notes: [
        `p50 ${quantile(own.flat(), 0.5).toFixed(2)} ms, p99 ${quantile(own.flat(), 0.99).toFixed(2)} ms`,
      ],
    };
  } finally {
    await raw.close();
    await state.close();
  }
}

/** One after another. @throws Error if a result has another length than expected: otherwise something else would be measured */
async function timesMs(count: number, work: () => Promise<number>, expected: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const startedMs = performance.now();
    const found = await work();
    times.push(performance.now() - startedMs);
    if (found !== expected) throw new Error(`${found} items were found, not ${expected}.`);
  }
  return times;
}
