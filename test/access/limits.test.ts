import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import {
  type CallCost,
  createLimiter,
  type HeldReservation,
  type Limit,
  type LimitSubject,
  type LimitUnit,
} from '../../router/access/index.ts';
import { type Ledger, memoryLedger } from '../../router/state/index.ts';

const NOON = Date.parse('2026-11-29T12:00:00Z');
const HOUR_MS = 3_600_000;

function limit(
  whose: Limit['for'],
  cap: number,
  unit: LimitUnit = 'usd',
  lengthMs: number | undefined = HOUR_MS,
): Limit {
  return { for: whose, windows: [{ name: `1h ${unit}`, unit, lengthMs, cap }] };
}

function limiterFor(limits: readonly Limit[], changes: Partial<Parameters<typeof createLimiter>[0]> = {}) {
  const ledger = memoryLedger();
  const clock = { ms: NOON };
  const parts = {
    limits,
    ledger,
    onUnavailable: 'closed' as const,
    leaseMs: 1_000,
    onFailure: () => {},
    now: () => clock.ms,
  };
  const limiter = createLimiter({ ...parts, ...changes });
  onTestFinished(() => limiter.close());
  let ids = 0;
  const reserve = async (subject: Partial<LimitSubject>, ...calls: (readonly CallCost[])[]) => {
    const whole = {
      key: [],
      team: [],
      tag: [],
      profile: [],
      model: [],
      provider: [],
      deployment: [],
      ...subject,
    };
    const entry = { id: `r${ids++}`, keyId: 'k', model: 'm', nanoUsd: 0, inputTokens: 0, outputTokens: 0 };
    return limiter.of(whole)?.reserve(entry, calls);
  };
  const left = async (scope: string) => {
    const held = (await ledger.windows(clock.ms)).find((one) => one.scope === scope);
    return held && { reserved: held.reserved, settled: held.settled };
  };
  return { limiter, ledger, clock, reserve, left };
}

const call = (nanoUsd: number, model = 'a/m', tokens = nanoUsd): CallCost => ({
  model,
  provider: model.split('/')[0]!,
  nanoUsd,
  tokens,
});
const used = (...calls: CallCost[]) => ({
  entry: { id: '', model: 'm', nanoUsd: 0, inputTokens: 0, outputTokens: 0 },
  calls,
});
const held = (reserving: unknown) => reserving as HeldReservation;

test('a request to which no limit applies asks nothing of the ledger', async () => {
  const { limiter } = limiterFor([limit({ key: 'k1' }, 5)]);
  const other = { key: ['k2'], team: [], tag: [], profile: [], model: [], provider: [], deployment: [] };
  expect(limiter.of(other)).toBeUndefined();
});

test('a named limit takes the place of that of each; other fields apply besides', async () => {
  const { reserve, left } = limiterFor([
    limit({ key: '*' }, 10),
    limit({ key: 'k1' }, 50),
    limit({ team: 't' }, 100),
    limit({}, 1_000),
  ]);
  await reserve({ key: ['k1'], team: ['t'] }, [call(40)]);
  expect(await left('key=k1')).toEqual({ reserved: 40, settled: 0 });
  expect(await left('team=t')).toEqual({ reserved: 40, settled: 0 });
  expect(await left('all')).toEqual({ reserved: 40, settled: 0 });
  const refused = await reserve({ key: ['k2'] }, [call(40)]);
  expect(refused).toMatchObject({ outcome: 'refused', neverFits: true, limit: { scope: 'key=k2' } });
});

test('each tag of a request counts, and names from outside are no other names', async () => {
  const { reserve, left } = limiterFor([limit({ tag: '*' }, 10)]);
  await reserve({ tag: ['a b', 'c=d'] }, [call(4)]);
  expect(await left('tag=a%20b')).toEqual({ reserved: 4, settled: 0 });
  expect(await left('tag=c%3Dd')).toEqual({ reserved: 4, settled: 0 });
});

test('the most expensive of each list of calls is reserved, and what was called is settled, model by model', async () => {
  const { reserve, left } = limiterFor([
    limit({}, 1_000),
    limit({ model: '*' }, 1_000),
    limit({ provider: 'b' }, 1_000),
  ]);
  const subject = { model: ['a/m', 'b/m'], provider: ['a', 'b'] };
  const reserving = await reserve(subject, [call(10), call(30, 'b/m')], [call(5)]);
  expect(await left('all')).toEqual({ reserved: 35, settled: 0 });
  expect(await left('model=a/m')).toEqual({ reserved: 15, settled: 0 });
  expect(await left('provider=b')).toEqual({ reserved: 30, settled: 0 });
  await held(reserving).settle(used(call(7)));
  expect(await left('all')).toEqual({ reserved: 0, settled: 7 });
  expect(await left('model=a/m')).toEqual({ reserved: 0, settled: 7 });
  expect(await left('provider=b')).toBeUndefined();
});

test('a window that is full is refused until it ends; one that waits for others, for a moment', async () => {
  const { reserve, clock } = limiterFor([limit({}, 10)]);
  const first = await reserve({}, [call(8)]);
  expect(await reserve({}, [call(8)])).toMatchObject({
    outcome: 'refused',
    retryAfterS: 2,
    neverFits: false,
  });
  await held(first).settle(used(call(10)));
  clock.ms = NOON + HOUR_MS - 60_000;
  expect(await reserve({}, [call(1)])).toMatchObject({ outcome: 'refused', retryAfterS: 60 });
  clock.ms = NOON + HOUR_MS;
  expect(await reserve({}, [call(8)])).toMatchObject({ outcome: 'reserved' });
});

test('after the clock has jumped back the windows are as they were left', async () => {
  const { reserve, clock } = limiterFor([limit({}, 10)]);
  await held(await reserve({}, [call(10)])).settle(used(call(10)));
  clock.ms += HOUR_MS;
  await held(await reserve({}, [call(6)])).settle(used(call(6)));
  clock.ms -= HOUR_MS;
  expect(await reserve({}, [call(1)])).toMatchObject({ outcome: 'refused' });
  clock.ms += HOUR_MS;
  expect(await reserve({}, [call(5)])).toMatchObject({ outcome: 'refused' });
  expect(await reserve({}, [call(4)])).toMatchObject({ outcome: 'reserved' });
});

test('a calendar month ends with it', async () => {
  const month: Limit = {
    for: {},
    windows: [{ name: 'month usd', unit: 'usd', lengthMs: undefined, cap: 10 }],
  };
  const { reserve, clock } = limiterFor([month]);
  await held(await reserve({}, [call(10)])).settle(used(call(10)));
  clock.ms = Date.parse('2026-11-30T23:59:00Z');
  expect(await reserve({}, [call(1)])).toMatchObject({ outcome: 'refused', retryAfterS: 60 });
  clock.ms = Date.parse('2026-12-01');
  expect(await reserve({}, [call(1)])).toMatchObject({ outcome: 'reserved' });
});

test.each([
  ['closed', 'usd', 'unavailable'],
  ['open', 'usd', 'reserved'],
  ['closed', 'requests', 'reserved'],
] as const)('a ledger that is away, %s, with a limit of %s: %s', async (onUnavailable, unit, outcome) => {
  const away: Ledger = { ...memoryLedger(), reserve: () => Promise.reject(new Error('away')) };
  const failures: unknown[] = [];
  const { reserve } = limiterFor([limit({}, 10, unit)], {
    ledger: away,
    onUnavailable,
    onFailure: (error) => failures.push(error),
  });
  const reserving = await reserve({}, [call(1)]);
  expect(reserving).toMatchObject({ outcome });
  if (outcome === 'reserved') await held(reserving).settle(used(call(3)));
  const settled = (await away.windows(NOON)).map((one) => one.settled);
  expect(settled).toEqual(outcome === 'reserved' ? [unit === 'usd' ? 3 : 1] : []);
  expect(failures).toHaveLength(1);
});

test('only the first end of a reservation counts', async () => {
  const { reserve, left } = limiterFor([limit({}, 10)]);
  const reservation = held(await reserve({}, [call(5)]));
  await Promise.all([
    reservation.settle(used(call(2))),
    reservation.cancel(),
    reservation.settle(used(call(4))),
  ]);
  expect(await left('all')).toEqual({ reserved: 0, settled: 2 });
});

test('what is spent never passes a limit, whatever is asked at once', async () => {
  const request = fc.record({ worst: fc.nat(30), share: fc.double({ min: 0, max: 1, noNaN: true }) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(request, { maxLength: 60 }),
      fc.integer({ min: 1, max: 100 }),
      async (asked, cap) => {
        const { reserve, left } = limiterFor([limit({}, cap)]);
        let spent = 0;
        await Promise.all(
          asked.map(async ({ worst, share }) => {
            const reserving = await reserve({}, [call(worst)]);
            if (reserving?.outcome !== 'reserved') return;
            const cost = Math.floor(worst * share);
            spent += cost;
            await reserving.settle(used(call(cost)));
          }),
        );
        expect(spent).toBeLessThanOrEqual(cap);
        expect((await left('all'))?.settled ?? 0).toBe(spent);
      },
    ),
    { numRuns: 50 },
  );
});
