import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  afterChoice,
  afterReply,
  type StickinessOptions,
  standingOf,
  switchCost,
  type ThreadState,
} from '../../router/sessions/stickiness.ts';

const CHEAP = {
  name: 'cheap',
  price: { inputUsd: 1, outputUsd: 5, cachedInputUsd: 0.1, cacheWriteUsd: 1.25 },
};
const STRONG = {
  name: 'strong',
  price: { inputUsd: 5, outputUsd: 25, cachedInputUsd: 0.5, cacheWriteUsd: 6.25 },
};
const LADDER = [CHEAP, STRONG];
const PRICED: StickinessOptions = {
  stickiness: 'priced',
  marginUsd: 0,
  weight: 1,
  cacheTtlMs: 300_000,
  rescueAfter: 0,
};
const FACTS = { characters: 1_000, failures: 0, isToolTurn: false };
const USAGE = {
  inputTokens: 50_000,
  outputTokens: 200,
  cachedInputTokens: 48_000,
  cacheWriteInputTokens: 2_000,
};

/** A conversation on the strong model, whose provider holds its prompt. */
function onStrong(options = PRICED, usage: Parameters<typeof afterReply>[2] = USAGE): ThreadState {
  const first = standingOf(undefined, FACTS, LADDER, options, 0);
  const went = afterChoice(undefined, first, { rung: 1 }, FACTS, LADDER);
  return afterReply(went, STRONG, usage, options, 0);
}

test('the first request of a conversation is decided by the policy alone', () => {
  expect(standingOf(undefined, FACTS, LADDER, PRICED, 0)).toMatchObject({
    stay: undefined,
    isCompacted: false,
  });
});

test('gain and cost are those of the catalog, in nano-USD', () => {
  const { gains, costs } = standingOf(onStrong(), FACTS, LADDER, PRICED, 1_000);
  // 50,000 cached tokens and 200 of a reply: 0.025 + 0.005 USD against 0.005 + 0.001
  expect(gains[0]).toBe(24_000_000);
  // 50,000 tokens written at 1.25 instead of read at 0.10 a million
  expect(costs).toEqual([57_500_000, 0]);
});

test('a run of easy requests goes down once the gains that it has forgone pay for the cache', () => {
  let state = onStrong();
  const rungs = [0, 0, 0, 0].map((policyRung) => {
    const standing = standingOf(state, FACTS, LADDER, PRICED, 1_000);
    const rung = standing.stay!.worth[policyRung] || standing.stay!.rung === 0 ? policyRung : 1;
    state = afterReply(
      afterChoice(state, standing, { rung, policyRung }, FACTS, LADDER),
      LADDER[rung]!,
      USAGE,
      PRICED,
      1_000,
    );
    return rung;
  });
  expect(rungs).toEqual([1, 1, 0, 0]); // 24, 48, 72 million against 57.5
});

test('when the policy asks for the model again nothing is forgone any more', () => {
  const stayed = afterChoice(
    onStrong(),
    standingOf(onStrong(), FACTS, LADDER, PRICED, 0),
    { rung: 1, policyRung: 0 },
    FACTS,
    LADDER,
  );
  expect(stayed.forgone).toBe(24_000_000);
  const standing = standingOf(stayed, FACTS, LADDER, PRICED, 0);
  expect(afterChoice(stayed, standing, { rung: 1 }, FACTS, LADDER).forgone).toBe(0);
});

test('the requests of a turn count together', () => {
  const state = { ...onStrong(), requests: 9, turns: 3 };
  expect(standingOf(state, FACTS, LADDER, PRICED, 0).stay!.worth).toEqual([true]); // 3 x 24 against 57.5
});

test('margin, weight and the time that a cache lives decide', () => {
  const worth = (options: Partial<StickinessOptions>, nowMs = 1_000) =>
    standingOf(onStrong(), FACTS, LADDER, { ...PRICED, ...options }, nowMs).stay!.worth[0];
  expect(worth({})).toBe(false);
  expect(worth({ weight: 0.4 })).toBe(true);
  expect(worth({ weight: 0.4, marginUsd: 0.01 })).toBe(false);
  expect(worth({}, 300_000)).toBe(true); // nobody holds the prompt any more: nothing is lost
  expect(worth({ stickiness: 'pinned', weight: 0 })).toBe(false);
  expect(worth({ stickiness: 'off' })).toBe(true);
});

test('a history of less than half the characters is decided anew, and its caches are forgotten', () => {
  const facts = { ...FACTS, characters: 499 };
  const standing = standingOf(onStrong(), facts, LADDER, PRICED, 0);
  expect(standing).toMatchObject({ stay: undefined, isCompacted: true });
  expect(afterChoice(onStrong(), standing, { rung: 0 }, facts, LADDER)).toMatchObject({
    model: 'cheap',
    caches: [],
  });
  expect(standingOf(onStrong(), { ...facts, characters: 500 }, LADDER, PRICED, 0).isCompacted).toBe(false);
});

test('every n failed rounds rescue once, also if the request comes again', () => {
  const options = { ...PRICED, rescueAfter: 2 };
  let state: ThreadState | undefined;
  const rescues = [0, 1, 2, 2, 3, 4, 0, 2].map((failures) => {
    const facts = { ...FACTS, failures };
    const standing = standingOf(state, facts, LADDER, options, 0);
    state = afterChoice(state, standing, { rung: 0 }, facts, LADDER);
    return standing.stay?.rescue ?? false;
  });
  expect(rescues).toEqual([false, false, true, false, false, true, false, true]);
});

test('a model that left the ladder says nothing', () => {
  expect(standingOf({ ...onStrong(), model: 'gone' }, FACTS, LADDER, PRICED, 0).stay).toBeUndefined();
});

test('a provider that bills no writes holds the whole prompt, until a second one finds nothing of it', () => {
  const implicit = { name: 'strong', price: { inputUsd: 5, outputUsd: 25, cachedInputUsd: 0.5 } };
  const miss = { inputTokens: 500, outputTokens: 10 };
  const once = afterReply(onStrong(), implicit, { ...miss, cachedInputTokens: 400 }, PRICED, 0);
  expect(once.caches).toEqual([{ model: 'strong', tokens: 500, usedMs: 0 }]);
  const twice = afterReply(once, implicit, miss, PRICED, 1);
  expect(twice.caches[0]!.tokens).toBe(0);
  expect(afterReply(twice, implicit, miss, PRICED, 2).caches[0]!.tokens).toBe(0);
});

test('what a change costs is told of a change that was made, and of one that was not', () => {
  const standing = standingOf(onStrong(), FACTS, LADDER, PRICED, 0);
  expect(switchCost(standing, { rung: 0 })).toBe(57_500_000);
  expect(switchCost(standing, { rung: 1, policyRung: 0 })).toBe(57_500_000);
  expect(switchCost(standing, { rung: 1 })).toBeUndefined();
});

test('whatever a provider reports, the state stays finite and the choice is one', () => {
  const tokens = fc.oneof(fc.nat(200_000), fc.constantFrom(Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY));
  const usage = fc.record({
    inputTokens: tokens,
    outputTokens: tokens,
    cachedInputTokens: tokens,
    cacheWriteInputTokens: tokens,
  });
  const step = fc.record({ usage, policyRung: fc.nat(1), characters: fc.nat(5_000), gapMs: fc.nat(600_000) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let state: ThreadState | undefined;
      let now = 0;
      for (const { usage, policyRung, characters, gapMs } of steps) {
        now += gapMs;
        const facts = { characters, failures: 0, isToolTurn: false };
        const standing = standingOf(state, facts, LADDER, PRICED, now);
        const { stay } = standing;
        const rung =
          stay !== undefined && policyRung < stay.rung && !stay.worth[policyRung] ? stay.rung : policyRung;
        expect(rung).toBeGreaterThanOrEqual(policyRung);
        state = afterChoice(state, standing, { rung, policyRung }, facts, LADDER);
        state = afterReply(state, LADDER[rung]!, usage, PRICED, now);
        expect(JSON.parse(JSON.stringify(state))).toEqual(state);
        expect([...standing.gains, ...standing.costs, state.forgone].every(Number.isSafeInteger)).toBe(true);
      }
    }),
  );
});
