import { appendFileSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import Database from 'libsql';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { type Ledger, openState, type Reservation } from '../../router/state/index.ts';
import { journaledLedger } from '../../router/state/journaled-ledger.ts';
import { memoryLedger } from '../../router/state/memory-ledger.ts';
import { settlementJournal } from '../../router/state/settlement-journal.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'plimsoll-journal-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let files = 0;

const NOON = Date.parse('2026-11-29T12:00:00Z');
const DAY = { startMs: Date.parse('2026-11-29'), endMs: Date.parse('2026-11-30') };
const CAP = 100;
const windowOf = (amount: number) => ({ scope: 'all', window: '24h usd', ...DAY, amount });

function reservation(id: string, amount: number): Reservation {
  const entry = {
    id,
    keyId: 'k',
    timeMs: NOON,
    model: 'm',
    nanoUsd: amount,
    inputTokens: 1,
    outputTokens: 1,
  };
  return { entry, charges: [{ ...windowOf(amount), cap: CAP }], expiresMs: NOON + 60_000 };
}

const settled = (id: string, amount: number) => ({
  ...reservation(id, amount).entry,
  charges: [windowOf(amount)],
});

/** One process on a ledger that all share. Once it is killed, nothing of it reaches the ledger. */
function startInstance(shared: Ledger, file: string, outcomes: readonly Outcome[]) {
  let alive = true;
  let calls = 0;
  const inner: Ledger = {
    ...shared,
    async settle(entries) {
      const outcome = outcomes[calls++ % outcomes.length]!;
      if (alive && outcome !== 'lost') await shared.settle(entries);
      if (!alive || outcome !== 'committed') throw new Error('the database is away');
    },
  };
  const journal = settlementJournal(file);
  const names = () => readdirSync(path.dirname(file));
  let last: string | undefined;
  const ledger = journaledLedger(inner, {
    ...journal,
    append(entries) {
      const before = names();
      journal.append(entries);
      last = names().find((name) => !before.includes(name)) ?? last;
    },
  });
  return {
    ledger,
    /** @param inWrite half of a line is written */
    kill(inWrite: boolean) {
      alive = false;
      const own =
        last !== undefined && names().includes(last) ? path.join(path.dirname(file), last) : undefined;
      if (inWrite && own !== undefined) appendFileSync(own, '[{"id":"torn","nanoUsd":');
    },
  };
}

type Outcome = 'committed' | 'lost' | 'committed-unheard';
const OUTCOMES = fc.array(fc.constantFrom<Outcome>('committed', 'lost', 'committed-unheard'), {
  minLength: 1,
  maxLength: 6,
});
const WHICH = fc.constantFrom(0, 1);
const STEP = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('requests' as const),
      which: WHICH,
      amounts: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('kill' as const), which: WHICH }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill in a write' as const), which: WHICH }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('read' as const), which: WHICH }) },
);

test('what was settled counts once and no window passes its cap, whenever one of two processes is killed and whatever the database loses', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { minLength: 1, maxLength: 25 }), OUTCOMES, async (steps, outcomes) => {
      const folder = mkdtempSync(path.join(scratch, 'run-'));
      const file = path.join(folder, 'state.db');
      const shared = memoryLedger();
      const started: ReturnType<typeof startInstance>[] = [];
      const start = () => {
        const one = startInstance(shared, file, outcomes);
        started.push(one);
        return one;
      };
      const instances = [start(), start()];
      const spent = new Map<string, number>();
      let atWork = 0;
      let ids = 0;

      for (const step of steps) {
        const { ledger, kill } = instances[step.which]!;
        if (step.kind === 'requests')
          await Promise.all(
            step.amounts.map(async (amount) => {
              const id = `r${ids++}`;
              const reserving = await ledger.reserve(reservation(id, amount)).catch(() => undefined);
              if (!reserving?.isReserved) return;
              atWork += amount;
              await ledger.settle([settled(id, amount - 1)]);
              spent.set(id, amount - 1);
              atWork -= amount;
            }),
          );
        else if (step.kind === 'read') await ledger.windows(NOON).catch(() => {});
        else {
          kill(step.kind === 'kill in a write');
          instances[step.which] = start();
        }
        const [held = { reserved: 0, settled: 0 }] = await shared.windows(NOON);
        expect(held.settled + held.reserved).toBeLessThanOrEqual(CAP);
      }
      for (const { kill } of started) kill(false);
      const last = startInstance(shared, file, ['committed']).ledger;
      const [held = { reserved: 0, settled: 0 }] = await last.windows(NOON);
      const sum = [...spent.values()].reduce((total, amount) => total + amount, 0);
      expect(held.settled).toBe(sum);
      expect(await last.spent('k', '2026-11-01')).toMatchObject({ nanoUsd: sum, requests: spent.size });
      expect(atWork).toBe(0);
      await Promise.all([last.close(), ...started.map(({ ledger }) => ledger.close())]); // no timer is left
    }),
    { numRuns: 150 },
  );
});

async function opened(url: string) {
  const state = await openState({ kind: 'sqlite', url, migrate: 'auto' });
  onTestFinished(() => state.close());
  return state;
}

const newFile = () => path.join(scratch, `${files++}`, 'state.db');
const journals = (url: string) =>
  readdirSync(path.dirname(url))
    .filter((name) => name.includes('.settled-'))
    .map((name) => path.join(path.dirname(url), name));

/** Another process that holds the file while `work` goes on. */
async function locked(url: string, work: () => Promise<void>): Promise<void> {
  const other = new Database(url);
  other.exec('begin immediate');
  try {
    await work();
  } finally {
    other.exec('rollback');
    other.close();
  }
}

test('a settlement does not wait for a database that another process holds, and others find it', async () => {
  const url = newFile();
  const [one, other] = [await opened(url), await opened(url)];
  await one.ledger.reserve(reservation('a', 60));
  await locked(url, () => one.ledger.settle([settled('a', 20)]));
  expect(await other.ledger.spent('k', '2026-11-01')).toMatchObject({ nanoUsd: 20, requests: 1 });
  expect((await other.ledger.reserve(reservation('b', 80))).isReserved).toBe(true);
});

test('a journal of a process that ended is taken in, up to a line that is cut off, and goes when it is old', async () => {
  const url = newFile();
  const state = await opened(url);
  const file = `${url}.settled-0123456789ab-0`;
  appendFileSync(file, `${JSON.stringify([settled('left', 7)])}\nno JSON\n[{"id":"torn`);
  expect(await state.ledger.spent('k', '2026-11-01')).toMatchObject({ nanoUsd: 7, requests: 1 });
  expect(journals(url)).toEqual([file]);
  utimesSync(file, new Date(0), new Date(0));
  expect(await state.ledger.spent('k', '2026-11-01')).toMatchObject({ nanoUsd: 7, requests: 1 });
  expect(journals(url)).toEqual([]);
});

test('a journal stays small: it goes as soon as it is long and all of it is in the database', async () => {
  const url = newFile();
  const state = await opened(url);
  for (let i = 0; i < 100; i++)
    await state.ledger.settle(Array.from({ length: 20 }, (_, j) => settled(`e${i}-${j}`, 1)));
  expect(await state.ledger.spent('k', '2026-11-01')).toMatchObject({ requests: 2_000 });
  await expect.poll(() => journals(url)).toEqual([]);
});
