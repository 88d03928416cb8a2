import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseCase } from '../../evals/cases/case.ts';
import { replaySessions, sessionsOf } from '../../evals/gate/session-replay.ts';
import type { Price, TokenCounts } from '../../router/catalog/index.ts';
import { choose } from '../../router/policy/index.ts';
import { openSessions, type PricedModel, type StickinessOptions } from '../../router/sessions/index.ts';

const CANDIDATES = ['cheap', 'middle', 'strong'];
const TOOLS = [{ type: 'function', function: { name: 'read', parameters: { type: 'object' } } }];
const CALL = {
  role: 'assistant',
  content: null,
  tool_calls: [{ id: 'c', type: 'function', function: { name: 'read', arguments: '{}' } }],
};

/** What happens next in a session. */
const step = fc.record({
  kind: fc.constantFrom('ask', 'result', 'failure', 'compact'),
  /** Of two conversations of one session. */
  helper: fc.boolean(),
  words: fc.constantFrom('Why is that?', 'Go on, please.', 'Now write it down in full, with every detail.'),
  gapMs: fc.constantFrom(0, 1_000, 200_000, 400_000, 4_000_000),
  input: fc.integer({ min: 1, max: 60_000 }),
  output: fc.nat(2_000),
  scores: fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 3, maxLength: 3 }),
  unreadable: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const price: fc.Arbitrary<Price> = fc
  .record({ input: fc.integer({ min: 1, max: 20 }), cached: fc.boolean(), write: fc.boolean() })
  .map(({ input, cached, write }) => ({
    inputUsd: input,
    outputUsd: 5 * input,
    ...(cached && { cachedInputUsd: input / 10 }),
    ...(cached && write && { cacheWriteUsd: input * 1.25 }),
  }));

const sticky: fc.Arbitrary<StickinessOptions | undefined> = fc.option(
  fc.record({
    stickiness: fc.constantFrom('off', 'priced', 'pinned'),
    marginUsd: fc.constantFrom(0, 0.01),
    weight: fc.constantFrom(0, 0.5, 1, 3),
    cacheTtlMs: fc.constantFrom(0, 300_000),
    rescueAfter: fc.constantFrom(0, 1, 2),
  }),
  { nil: undefined },
);

/** The messages of each request, as a client sends them: the whole conversation each time. */
function requestsOf(steps: readonly Step[], session: number) {
  const histories = new Map<boolean, object[]>();
  let nowMs = Date.parse('2026-11-30T12:00:00Z');
  return steps.map((one, turn) => {
    nowMs += one.gapMs;
    const first = { role: 'user', content: `${one.helper ? 'Help with' : 'Work on'} the report ${session}.` };
    const known = histories.get(one.helper);
    const isCompact = one.kind === 'compact' && known !== undefined;
    const before =
      known === undefined || isCompact ? [first] : [...known, { role: 'assistant', content: 'Done.' }];
    const content = one.kind === 'failure' ? 'Error: no such file' : 'found it';
    const isTool = known !== undefined && (one.kind === 'result' || one.kind === 'failure');
    const next = isTool
      ? [...known, CALL, { role: 'tool', tool_call_id: 'c', content }]
      : [...before, { role: 'user', content: one.words }];
    histories.set(one.helper, next);
    return { ...one, session: `s${session}`, turn, nowMs, messages: next };
  });
}
type Request = ReturnType<typeof requestsOf>[number];

/** Providers that keep what they were sent. */
function provider(options: StickinessOptions | undefined) {
  const held = new Map<string, { tokens: number; usedMs: number }>();
  return (key: string, { price: rates }: PricedModel, { input, output, nowMs }: Request): TokenCounts => {
    const cache = held.get(key);
    const isFresh = cache !== undefined && nowMs < cache.usedMs + (options?.cacheTtlMs ?? 0);
    const cachedInputTokens = isFresh ? Math.min(input, cache.tokens) : 0;
    const isKept = rates?.cachedInputUsd !== undefined;
    held.set(key, { tokens: isKept ? input : 0, usedMs: nowMs });
    const written =
      rates?.cacheWriteUsd === undefined ? {} : { cacheWriteInputTokens: input - cachedInputTokens };
    return { inputTokens: input, outputTokens: output, cachedInputTokens, ...written };
  };
}

interface World {
  readonly requests: readonly Request[];
  readonly ladder: readonly PricedModel[];
  readonly settings: {
    readonly sticky: StickinessOptions | undefined;
    readonly pinToolTurns: boolean;
    readonly ttlMs: number;
  };
  readonly threshold: number;
}

const probabilitiesOf = ({ scores }: Request) => scores.map((score) => score / 20);

/** As the gateway does it: an active session for each request, and what it says goes to the policy. */
async function decidedLive({ requests, ladder, settings, threshold }: World): Promise<number[]> {
  let nowMs = 0;
  const sessions = await openSessions({
    options: { ...settings, maxInMemory: 1_000 },
    shared: undefined,
    nowMs: () => nowMs,
  });
  const policy = { kind: 'threshold', name: 'live', version: 1, threshold } as const;
  const usageOf = provider(settings.sticky);
  const rungs = [];
  for (const request of requests) {
    nowMs = request.nowMs;
    const body = { model: 'auto', messages: request.messages, tools: TOOLS };
    const asked = {
      body,
      dialect: 'openai',
      headers: { 'x-session-id': request.session },
      keyId: undefined,
    } as const;
    const identity = sessions.identify(asked as never, true)!;
    const active = await sessions.open(identity, asked, true);
    const pinned = active.pinnedRung(
      {},
      ladder.map(({ name }) => name),
    );
    const session = active.standing({}, ladder)?.stay;
    const scored = request.unreadable ? 'unreadable' : probabilitiesOf(request);
    const { rung, policyRung } = choose(policy, scored, {
      rungs: ladder.length,
      allowed: undefined,
      requestedThreshold: undefined,
      pinned,
      session,
    });
    const model = ladder[rung]!;
    active.went(model.name, { options: {}, rung, model: model.name, policyRung });
    active.replied(model, usageOf(`${request.session} ${request.helper} ${model.name}`, model, request));
    rungs.push(rung);
  }
  return rungs;
}

/** As the gate does it: from rows of a file. */
function replayed({ requests, ladder, settings, threshold }: World): number[] {
  const cases = requests.map(({ session, turn, nowMs, messages, input, output }, i) => {
    const outcome = { quality: 1, input_tokens: input, output_tokens: output };
    const outcomes = Object.fromEntries(ladder.map(({ name }) => [name, outcome]));
    const time = new Date(nowMs).toISOString();
    return parseCase({ id: `r${i}`, session, turn, time, messages, tools: TOOLS, outcomes }, `r${i}`);
  });
  const rungs = ladder.map(({ name }) => ({ candidate: name, model: name }));
  const replay = {
    n: requests.length,
    traits: requests.map(({ unreadable }) => (unreadable ? { unscored: 'unreadable' } : {})) as never,
    probabilities: ladder.map((_, rung) => Float64Array.from(requests, (one) => probabilitiesOf(one)[rung]!)),
  };
  return Array.from(
    replaySessions({ replay, sessions: sessionsOf(cases, rungs, settings), ladder, settings }).rungsAt(
      threshold,
    ),
  );
}

test('sessions that are replayed from a file go where live routing sends them, request by request', async () => {
  let moved = 0;
  const world = fc.record({
    sessions: fc.array(fc.array(step, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 3 }),
    prices: fc.array(price, { minLength: 3, maxLength: 3 }),
    sticky,
    pinToolTurns: fc.boolean(),
    ttlMs: fc.constantFrom(300_000, 3_600_000),
    threshold: fc.integer({ min: -4, max: 12 }).map((n) => n / 20),
  });
  await fc.assert(
    fc.asyncProperty(world, async ({ sessions, prices, threshold, ...settings }) => {
      const requests = sessions.flatMap((steps, i) => requestsOf(steps, i)).sort((a, b) => a.nowMs - b.nowMs); // several at a time, as they come
      const ladder = CANDIDATES.map((name, i) => ({ name, price: prices[i]! }));
      const all = { requests, ladder, settings, threshold };
      const live = await decidedLive(all);
      expect(replayed(all)).toEqual(live);
      const alone = replayed({ ...all, settings: { ...settings, sticky: undefined, pinToolTurns: false } });
      moved += live.filter((rung, row) => rung !== alone[row]).length;
    }),
    { numRuns: 300 },
  );
  expect(moved).toBeGreaterThan(100); // else nothing was compared
});
