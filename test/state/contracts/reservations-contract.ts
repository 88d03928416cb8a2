import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Charge, LedgerWindow, Reservation, State, WindowSums } from '../../../router/state/index.ts';

const NOON = Date.parse('2026-11-29T12:00:00Z');
const DAY = { startMs: Date.parse('2026-11-29'), endMs: Date.parse('2026-11-30') };
const LEASE_MS = 60_000;

const windowOf = (scope: string): LedgerWindow => ({ scope, window: '24h usd', ...DAY });
const charge = (scope: string, amount: number, cap: number) => ({ ...windowOf(scope), amount, cap });

function reservation(
  id: string,
  charges: Reservation['charges'],
  changes: Partial<Reservation> = {},
): Reservation {
  const nanoUsd = Math.max(0, ...charges.map(({ amount }) => amount));
  const entry = {
    id,
    keyId: 'k',
    timeMs: NOON,
    model: 'first/small',
    nanoUsd,
    inputTokens: 1,
    outputTokens: 1,
  };
  return { entry, charges, expiresMs: NOON + LEASE_MS, ...changes };
}

/** What every ledger promises of reservations. `open` gives the same ledger twice, as two instances have it. */
export function describeReservationsContract(
  name: string,
  open: () => Promise<readonly [State, State]>,
): void {
  describe(`${name} keeps the contract of reservations`, () => {
    let states: readonly [State, State];
    beforeAll(async () => {
      states = await open();
    });
    afterAll(async () => void (await Promise.all([...new Set(states ?? [])].map((one) => one.close()))));
    const ledger = (which = 0) => states[which === 0 ? 0 : 1].ledger;
    const sums = async (scope: string, which = 0): Promise<WindowSums> => {
      const held = (await ledger(which).windows(NOON)).find((one) => one.scope === scope);
      return { reserved: held?.reserved ?? 0, settled: held?.settled ?? 0 };
    };
    const settle = (id: string, amount: number, scopes: readonly string[]) =>
      ledger().settle([
        {
          ...reservation(id, []).entry,
          nanoUsd: amount,
          charges: scopes.map((scope): Charge => ({ ...windowOf(scope), amount })),
        },
      ]);

    it('holds what is reserved until it is settled, and then what it came to', async () => {
      const { isReserved, windows } = await ledger().reserve(reservation('a', [charge('hold', 60, 100)]));
      expect([isReserved, windows]).toEqual([true, [{ reserved: 60, settled: 0 }]]);
      const refused = await ledger(1).reserve(reservation('b', [charge('hold', 41, 100)]));
      expect(refused).toEqual({ isReserved: false, windows: [{ reserved: 60, settled: 0 }] });
      await settle('a', 25, ['hold']);
      expect(await sums('hold', 1)).toEqual({ reserved: 0, settled: 25 });
      expect((await ledger(1).reserve(reservation('b', [charge('hold', 75, 100)]))).isReserved).toBe(true);
      expect(await ledger().spent('k', '2026-11-29')).toMatchObject({ nanoUsd: 25, requests: 1 });
    });

    it('reserves in all windows or in none', async () => {
      await ledger().reserve(reservation('c', [charge('wide', 10, 100), charge('narrow', 10, 10)]));
      const { isReserved } = await ledger().reserve(
        reservation('d', [charge('wide', 10, 100), charge('narrow', 1, 10)]),
      );
      expect(isReserved).toBe(false);
      expect([await sums('wide'), await sums('narrow')].map(({ reserved }) => reserved)).toEqual([10, 10]);
    });

    it('gives back what was cancelled, once', async () => {
      await ledger().reserve(reservation('e', [charge('cancelled', 10, 100)]));
      await Promise.all([ledger().cancel('e'), ledger(1).cancel('e')]);
      await ledger().cancel('e');
      expect(await sums('cancelled')).toEqual({ reserved: 0, settled: 0 });
    });

    it('reserves once for one id, and settles once, however often it is told', async () => {
      const same = reservation('f', [charge('again', 10, 100)]);
      await Promise.all([ledger().reserve(same), ledger(1).reserve(same)]);
      expect(await sums('again')).toEqual({ reserved: 10, settled: 0 });
      await Promise.all([settle('f', 7, ['again']), settle('f', 7, ['again'])]);
      await settle('f', 7, ['again']);
      expect(await sums('again')).toEqual({ reserved: 0, settled: 7 });
    });

    it('counts what was settled without a reservation, also above the cap', async () => {
      await settle('g', 120, ['open']);
      expect(await sums('open')).toEqual({ reserved: 0, settled: 120 });
      expect((await ledger().reserve(reservation('h', [charge('open', 0, 100)]))).isReserved).toBe(false);
    });

    it('counts an expired reservation as spent, and no settlement after that', async () => {
      await ledger().reserve(reservation('i', [charge('swept', 10, 100)], { expiresMs: NOON - 1 }));
      await ledger().reserve(reservation('j', [charge('swept', 5, 100)]));
      await Promise.all([ledger().sweep(NOON), ledger(1).sweep(NOON)]);
      expect(await sums('swept')).toEqual({ reserved: 5, settled: 10 });
      await settle('i', 3, ['swept']);
      expect(await sums('swept')).toEqual({ reserved: 5, settled: 10 });
      expect(await ledger().sweep(NOON)).toBe(0);
    });

    it('lets in as many as have room, of many that come to two instances at once', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 200 }, (_, i) =>
          ledger(i % 2).reserve(reservation(`many-${i}`, [charge('many', 3, 100), charge(`own-${i}`, 1, 1)])),
        ),
      );
      expect(outcomes.filter(({ isReserved }) => isReserved)).toHaveLength(33);
      expect(await sums('many')).toEqual({ reserved: 99, settled: 0 });
    });

    it('drops windows that ended, and none with a reservation', async () => {
      const old = { startMs: DAY.startMs - 10 * 86_400_000, endMs: DAY.endMs - 10 * 86_400_000 };
      const past = (scope: string) => [{ ...charge(scope, 1, 10), ...old }];
      await ledger().reserve(reservation('k', past('past')));
      await ledger().reserve(reservation('l', past('held')));
      await ledger().settle([{ ...reservation('k', []).entry, charges: past('past') }]);
      await ledger().prune(DAY.startMs - 5 * 86_400_000);
      const left = await ledger().windows(old.startMs);
      expect(left.map(({ scope }) => scope)).toEqual(['held']);
    });

    it('never goes beyond a cap, whatever is reserved, settled, cancelled, lost and swept at once', async () => {
      let runs = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(STEP, { minLength: 1, maxLength: 40 }), async (steps) => {
          await replay(steps, `run${runs++}`, states);
        }),
        { numRuns: name === 'memory' ? 200 : 25 },
      );
    });
  });
}

const SCOPES = ['x', 'y', 'z'];
const CAPS: Readonly<Record<string, number>> = { x: 50, y: 80, z: 200 };

/** How a request ends: `lost` is a crash. Several at once go to either instance. */
const REQUEST = fc.record({
  kind: fc.constant('request' as const),
  scopes: fc.uniqueArray(fc.constantFrom(...SCOPES), { minLength: 1 }),
  amount: fc.nat(60),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  end: fc.constantFrom('settled', 'settled-twice', 'cancelled', 'lost', 'at-work'),
  which: fc.constantFrom(0, 1),
});
const STEP = fc.oneof(
  { weight: 8, arbitrary: fc.array(REQUEST, { minLength: 1, maxLength: 6 }) },
  { weight: 1, arbitrary: fc.constant('sweep' as const) },
);

type Request = typeof REQUEST extends fc.Arbitrary<infer T> ? T : never;
type Step = typeof STEP extends fc.Arbitrary<infer T> ? T : never;

/** Compares each state with what the steps must have made of it. */
async function replay(steps: readonly Step[], run: string, states: readonly [State, State]): Promise<void> {
  const scopeOf = (scope: string) => `${run}-${scope}`;
  const expected = new Map(SCOPES.map((scope) => [scopeOf(scope), { reserved: 0, settled: 0 }]));
  const lost: (readonly [readonly string[], number])[] = [];
  let ids = 0;

  async function request({ scopes, amount, share, end, which }: Request) {
    const id = `${run}-${ids++}`;
    const names = scopes.map(scopeOf);
    const { ledger } = states[which === 0 ? 0 : 1];
    const other = states[which === 0 ? 1 : 0].ledger;
    const charges = names.map((name, i) => charge(name, amount, CAPS[scopes[i]!]!));
    const expiresMs = end === 'lost' ? NOON - 1 : NOON + LEASE_MS;
    const { isReserved, windows } = await ledger.reserve(reservation(id, charges, { expiresMs }));
    for (const [i, { reserved, settled }] of windows.entries()) {
      expect(reserved + settled).toBeLessThanOrEqual(CAPS[scopes[i]!]!);
    }
    if (!isReserved) return;
    const used = Math.floor(amount * share);
    const settled = {
      ...reservation(id, []).entry,
      nanoUsd: used,
      charges: charges.map((one) => ({ ...one, amount: used })),
    };
    if (end === 'lost') lost.push([names, amount]);
    if (end === 'settled') await ledger.settle([settled]);
    if (end === 'settled-twice') await Promise.all([ledger.settle([settled]), other.settle([settled])]);
    if (end === 'cancelled') await Promise.all([ledger.cancel(id), other.cancel(id)]);
    for (const name of names) {
      const sums = expected.get(name)!;
      if (end === 'at-work' || end === 'lost') sums.reserved += amount;
      if (end.startsWith('settled')) sums.settled += used;
    }
  }

  for (const step of steps) {
    if (step === 'sweep') {
      await Promise.all(states.map(({ ledger }) => ledger.sweep(NOON)));
      for (const [names, amount] of lost.splice(0)) {
        for (const name of names) {
          expected.get(name)!.reserved -= amount;
          expected.get(name)!.settled += amount;
        }
      }
    } else {
      await Promise.all(step.map(request));
    }
    const held = await states[0].ledger.windows(NOON);
    for (const [scope, sums] of expected) {
      const found = held.find((one) => one.scope === scope);
      expect({ reserved: found?.reserved ?? 0, settled: found?.settled ?? 0 }).toEqual(sums);
      expect(sums.reserved + sums.settled).toBeLessThanOrEqual(CAPS[scope.slice(-1)]!);
    }
  }
}
