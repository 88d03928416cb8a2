import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AbortSignalLike } from '../../router/abort-signal.ts';
import type { Clock } from '../../router/fallback/failure-rules.ts';
import { createFallbackChain } from '../../router/fallback/fallback-chain.ts';
import { createHedging } from '../../router/fallback/hedging.ts';
import { createLatencyBook } from '../../router/latency/index.ts';
import { scaled } from '../helpers/long-run.ts';
import { alwaysReady } from './attempts.ts';
import { CHEAP, callWith, outcomeOf, STRONG, settingsWith } from './fallback-script.ts';

/** Time goes to the next event as soon as nothing else is left to do. */
function eventClock() {
  let now = 0;
  let waiting: { readonly at: number; readonly wake: () => void }[] = [];
  const until = (at: number, signal: AbortSignalLike) =>
    new Promise<void>((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const entry = { at, wake: resolve };
      waiting.push(entry);
      signal.addEventListener('abort', () => {
        waiting = waiting.filter((one) => one !== entry);
        reject(signal.reason);
      });
    });
  const clock: Clock = { now: () => now, sleep: (ms, signal) => until(now + ms, signal) };
  return {
    clock,
    async run<T>(work: Promise<T>): Promise<T> {
      let done = false;
      const watched = work.finally(() => {
        done = true;
      });
      watched.catch(() => {});
      for (;;) {
        await new Promise(setImmediate);
        if (done) return watched;
        waiting.sort((a, b) => a.at - b.at);
        const next = waiting.shift();
        if (next === undefined) throw new Error('Nothing is left to happen.');
        now = next.at;
        next.wake();
      }
    },
  };
}

const AFTER = 100;
const attemptEnd = fc.record({
  ms: fc.integer({ min: 1, max: 400 }).filter((ms) => ms !== AFTER),
  what: fc.constantFrom('answer' as const, 'answer' as const, 'bad-answer' as const, 'bad-request' as const),
});

test('the first that replies wins, the other is given up, and each is on record once', async () => {
  await fc.assert(
    fc.asyncProperty(attemptEnd, attemptEnd, async (cheap, strong) => {
      fc.pre(cheap.ms !== strong.ms + AFTER);
      const { clock, run } = eventClock();
      const signals: AbortSignalLike[] = [];
      const prepare = alwaysReady(async ({ model, signal }) => {
        const end = model === CHEAP ? cheap : strong;
        signals.push(signal);
        await clock.sleep(end.ms, signal);
        return outcomeOf({ what: end.what });
      });
      const settings = settingsWith({ hedge: { after: AFTER, max_share: 1 } });
      const chain = createFallbackChain({ prepare, settings, clock });
      const both = [CHEAP, STRONG];
      const result = await run(chain.execute(callWith(), both, 60_000, { hedgeAmong: both }));
      const kinds = result.attempts.map(({ kind, outcome }) => `${kind} ${outcome}`);
      const isHedged = cheap.ms > AFTER;
      if (!isHedged) {
        expect(kinds.filter((kind) => kind.startsWith('hedge'))).toEqual([]);
        return;
      }
      const strongAt = AFTER + strong.ms;
      const decides = ({ what }: typeof cheap) => what !== 'bad-answer';
      const cheapFirst = cheap.ms < strongAt;
      const order = cheapFirst ? [cheap, strong] : [strong, cheap];
      const winner = order.find(decides);
      expect(result.attempts).toHaveLength(2);
      expect(signals).toHaveLength(2);
      if (winner === undefined) {
        expect(kinds.toSorted()).toEqual(['first bad-answer', 'hedge bad-answer']);
        return;
      }
      expect(result.kind).toBe(winner.what === 'answer' ? 'reply' : 'failure');
      if (result.kind === 'reply') expect(result.model).toBe(winner === cheap ? CHEAP : STRONG);
      const isFirstToEnd = winner === order[0];
      const loser = winner === cheap ? 'hedge' : 'first';
      expect(kinds.includes(`${loser} cancelled`)).toBe(isFirstToEnd);
      expect(signals[winner === cheap ? 1 : 0]?.aborted).toBe(isFirstToEnd);
      expect(signals[winner === cheap ? 0 : 1]?.aborted).toBe(false);
      if (result.kind === 'reply') expect(result.abandoned?.length ?? 0).toBe(isFirstToEnd ? 1 : 0);
    }),
    { seed: 1, numRuns: scaled(150) },
  );
});

test('when the client leaves both are given up, and its reason is thrown', async () => {
  const { clock, run } = eventClock();
  const client = new AbortController();
  const signals: AbortSignalLike[] = [];
  const prepare = alwaysReady(async ({ signal }) => {
    signals.push(signal);
    if (signals.length === 2) setTimeout(() => client.abort(new Error('left')));
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    throw new Error('never');
  });
  const settings = settingsWith({ hedge: { after: AFTER, max_share: 1 } });
  const chain = createFallbackChain({ prepare, settings, clock });
  const both = [CHEAP, STRONG];
  const working = chain.execute(callWith(client.signal), both, 60_000, { hedgeAmong: both });
  const left = new Promise((_, reject) =>
    client.signal.addEventListener('abort', () => setImmediate(() => reject(client.signal.reason))),
  );
  await expect(Promise.race([run(working).catch(() => working), left])).rejects.toThrow('left');
  await expect(working).rejects.toThrow('left');
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
});

test('hedges are at most one and their share of the requests, in any order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { maxLength: 400 }),
      fc.constantFrom(0.01, 0.05, 0.3, 1),
      (late, maxShare) => {
        const hedging = createHedging({ after: 1, maxShare }, createLatencyBook());
        let hedges = 0;
        for (const [i, isLate] of late.entries()) {
          hedging.counts();
          if (isLate && hedging.take()) hedges++;
          expect(hedges).toBeLessThanOrEqual(1 + maxShare * (i + 1) + 1e-9);
        }
      },
    ),
    { seed: 1 },
  );
});

test('a percentile needs fifty measurements before anything is late', () => {
  const book = createLatencyBook(() => 0);
  const hedging = createHedging({ after: { quantile: 0.98 }, maxShare: 0.05 }, book);
  const observe = (n: number) => {
    for (let i = 0; i < n; i++) book.observe({ model: CHEAP.name, stream: true, ms: 200 });
  };
  observe(49);
  expect(hedging.afterMs(CHEAP, true)).toBeUndefined();
  observe(1);
  expect(hedging.afterMs(CHEAP, true)).toBeGreaterThan(180);
  expect(hedging.afterMs(CHEAP, false)).toBeUndefined();
});
