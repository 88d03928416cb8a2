import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Canary,
  type CanaryComparison,
  type CanaryEvidence,
  canaryMove,
  deltaOfRule,
} from '../../router/experiments/index.ts';

const CANARY: Canary = {
  name: 'next',
  kind: 'canary',
  profile: 'default',
  candidate: 'next',
  unit: 'session',
  confidence: 0.95,
  stages: [0.01, 0.05, 0.25, 1],
  minRequests: 100,
  minAudits: 10,
  holdMs: 60_000,
  rules: {
    maxErrorIncrease: 0.02,
    maxLatencyIncrease: 0.2,
    maxCostIncrease: undefined,
    maxScoreDecrease: 0.05,
    maxAuditLoss: 0.1,
  },
};

const START = Date.parse('2026-11-30T12:00:00Z');
const at = (stage: number) => ({ stage, stage_since: new Date(START).toISOString() });
const LATER = START + 60_000;

const WITHIN = { estimate: 0, low: -0.05, high: 0.05 };
const fine: CanaryEvidence = {
  stageRequests: 100,
  controlRequests: 100,
  errors: WITHIN,
  latency: WITHIN,
  cost: undefined,
  score: undefined,
  lastStage: { errors: WITHIN, latency: WITHIN, cost: undefined, score: undefined },
  audits: { n: 10, mean: 0.02, pValue: 1 },
  standingFault: undefined,
};

test('a stage that has lasted within all rules leads to the next one, and from the last one to the end', () => {
  expect(canaryMove(CANARY, at(0), fine, LATER)).toMatchObject({ kind: 'advance', stage: 1 });
  expect(canaryMove(CANARY, at(2), fine, LATER)).toMatchObject({ kind: 'advance', stage: 3 });
  expect(canaryMove(CANARY, at(3), fine, LATER)).toMatchObject({ kind: 'promote', stage: 3 });
});

describe('it stays', () => {
  test.each([
    ['too few requests', { stageRequests: 99 }, LATER, '99 of 100 requests'],
    ['too few audits', { audits: { n: 9, mean: 0, pValue: 1 } }, LATER, '9 of 10 audits'],
    ['too soon', {}, LATER - 1, '1 more minutes'],
    [
      'an estimate beyond its limit',
      { errors: { estimate: 0.03, low: -0.01, high: 0.1 } },
      LATER,
      'not decided yet: the share of failed replies is higher: 0.03 (-0.01 to 0.1), allowed 0.02',
    ],
    [
      'audits beyond their limit',
      { audits: { n: 10, mean: 0.2, pValue: 0.5 } },
      LATER,
      'lose 0.2 in the mean, allowed 0.1',
    ],
  ] as const)('%s', (_, change, nowMs, reason) => {
    const move = canaryMove(CANARY, at(1), { ...fine, ...change }, nowMs);
    expect(move.kind).toBe('stay');
    expect(move.reason).toContain(reason);
  });
});

describe('it goes back at once, and says why', () => {
  test.each([
    [
      'errors',
      { errors: { estimate: 0.05, low: 0.021, high: 0.1 } },
      'the share of failed replies is higher',
    ],
    [
      'latency',
      { latency: { estimate: 300, low: 1, high: 600 } },
      "replies take longer than the profile's and the allowed 20 % more: by 300 ms (1 to 600)",
    ],
    [
      'score',
      { score: { estimate: -0.2, low: -0.3, high: -0.06 } },
      'the mean score of feedback is lower: 0.2 (0.06 to 0.3)',
    ],
    [
      'audits',
      { audits: { n: 40, mean: 0.3, pValue: 0.012 } },
      '40 audited requests of the candidate lose 0.3',
    ],
    ['standing', { standingFault: 'It expired.' }, 'the candidate may not serve any more: It expired'],
  ] as const)('%s', (_, change, reason) => {
    const move = canaryMove(CANARY, at(1), { ...fine, stageRequests: 0, ...change }, START);
    expect(move).toMatchObject({ kind: 'roll-back', stage: 1 });
    expect(move.reason).toContain(reason);
  });

  test('a rule that is not set is not asked', () => {
    const cost = { estimate: 5, low: 1, high: 9 };
    expect(canaryMove(CANARY, at(1), { ...fine, cost }, LATER).kind).toBe('advance');
  });
});

test.each([
  ['how long replies take', { latency: undefined }],
  ['what replies cost', { cost: undefined }],
])('it stays while too little is known of %s, at the last stage too', (what, change) => {
  const canary = { ...CANARY, rules: { ...CANARY.rules, maxCostIncrease: 0.1 } };
  const known = { ...fine, cost: WITHIN, lastStage: { ...fine.lastStage, cost: WITHIN } };
  expect(canaryMove(canary, at(1), known, LATER).kind).toBe('advance');
  expect(canaryMove(canary, at(1), { ...known, ...change }, LATER).reason).toContain(what);
  expect(canaryMove(canary, at(3), known, LATER).kind).toBe('promote');
  const last = { ...known, lastStage: { ...known.lastStage, ...change } };
  expect(canaryMove(canary, at(3), last, LATER)).toMatchObject({ kind: 'stay' });
});

describe('at the last stage the candidate is compared with the profile at the stages before', () => {
  const alone = (change: Partial<CanaryComparison>) => ({
    ...fine,
    lastStage: { ...fine.lastStage, ...change },
  });

  test.each([
    [
      'errors',
      { errors: { estimate: 0.5, low: 0.3, high: 0.7 } },
      "the share of failed replies is higher than the profile's at the stages before: 0.5 (0.3 to 0.7), allowed 0.02",
    ],
    [
      'latency',
      { latency: { estimate: 300, low: 1, high: 600 } },
      "replies take longer than the profile's at the stages before and the allowed 20 % more: by 300 ms (1 to 600)",
    ],
    [
      'score',
      { score: { estimate: -0.2, low: -0.3, high: -0.06 } },
      "the mean score of feedback is lower than the profile's at the stages before: 0.2 (0.06 to 0.3)",
    ],
  ] as const)('%s: back there, and of no matter at the stages before', (_, change, reason) => {
    const move = canaryMove(CANARY, at(3), alone(change), LATER);
    expect(move.kind).toBe('roll-back');
    expect(move.reason).toContain(reason);
    expect(canaryMove(CANARY, at(2), alone(change), LATER).kind).toBe('advance');
  });

  test('an estimate beyond its limit keeps it there, also without an interval yet', () => {
    const [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    const move = canaryMove(CANARY, at(3), alone({ latency: { estimate: 12, low, high } }), LATER);
    expect(move).toMatchObject({ kind: 'stay', reason: expect.stringMatching(/more: by 12 ms$/) });
  });

  test('an estimate of the stages before keeps it no more', () => {
    const errors = { estimate: 0.03, low: -0.01, high: 0.1 };
    expect(canaryMove(CANARY, at(2), { ...fine, errors }, LATER).kind).toBe('stay');
    expect(canaryMove(CANARY, at(3), { ...fine, errors }, LATER).kind).toBe('promote');
  });

  test('the profile has some requests before it has none any more', () => {
    const few = { ...fine, controlRequests: 99 };
    expect(canaryMove(CANARY, at(1), few, LATER).kind).toBe('advance');
    expect(canaryMove(CANARY, at(2), few, LATER)).toMatchObject({
      kind: 'stay',
      reason: expect.stringContaining('99 of 100 requests of the profile itself'),
    });
  });

  test('it is not promoted while nothing is known to compare with', () => {
    const move = canaryMove(CANARY, at(3), alone({ errors: undefined }), LATER);
    expect(move).toMatchObject({ kind: 'stay', reason: expect.stringContaining('nothing is known') });
  });
});

test('the rules share the error: all that are set spend 1 - confidence together', () => {
  expect(deltaOfRule(CANARY)).toBeCloseTo(0.05 / 4, 12);
});

const interval = fc.option(
  fc
    .tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.double({ min: 0, max: 0.5, noNaN: true }))
    .map(([estimate, radius]) => ({ estimate, low: estimate - radius, high: estimate + radius })),
  { nil: undefined },
);
const comparison = { errors: interval, latency: interval, cost: interval, score: interval };
const event = fc.record({
  stageRequests: fc.nat({ max: 300 }),
  controlRequests: fc.nat({ max: 3_000 }),
  ...comparison,
  lastStage: fc.record(comparison),
  audits: fc.record({
    n: fc.nat({ max: 30 }),
    mean: fc.option(fc.double({ min: -1, max: 1, noNaN: true }), { nil: undefined }),
    pValue: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  standingFault: fc.option(fc.constant('It expired.'), { nil: undefined, freq: 10 }),
  afterMs: fc.nat({ max: 120_000 }),
});

test('under every order of events: stage by stage, only as long as allowed, and nothing after the end', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      let nowMs = START;
      let state = at(0);
      for (const { afterMs, ...evidence } of events) {
        nowMs += afterMs;
        const move = canaryMove(CANARY, state, evidence, nowMs);
        expect(canaryMove(CANARY, state, evidence, nowMs)).toEqual(move);
        if (evidence.standingFault !== undefined) expect(move.kind).toBe('roll-back');
        const { errors, latency, score } = evidence.lastStage;
        const isLast = state.stage === 3;
        const isHarmful = (errors?.low ?? 0) > 0.02 || (latency?.low ?? 0) > 0 || (score?.high ?? 0) < -0.05;
        if (isLast && isHarmful) expect(move.kind).toBe('roll-back');
        if (move.kind === 'stay') continue;
        if (move.kind === 'roll-back') return;
        expect(evidence.stageRequests).toBeGreaterThanOrEqual(CANARY.minRequests);
        expect(evidence.audits.n).toBeGreaterThanOrEqual(CANARY.minAudits);
        expect(nowMs - Date.parse(state.stage_since)).toBeGreaterThanOrEqual(CANARY.holdMs);
        expect(evidence.audits.mean ?? 0).toBeLessThanOrEqual(0.1);
        if (move.kind === 'promote') {
          expect(state.stage).toBe(3);
          expect(errors?.estimate).toBeLessThanOrEqual(0.02);
          expect(latency?.estimate ?? 0).toBeLessThanOrEqual(0);
          expect(score?.estimate ?? 0).toBeGreaterThanOrEqual(-0.05);
          return;
        }
        expect(move.stage).toBe(state.stage + 1);
        if (move.stage === 3) expect(evidence.controlRequests).toBeGreaterThanOrEqual(CANARY.minRequests);
        state = { stage: move.stage, stage_since: new Date(nowMs).toISOString() };
      }
    }),
  );
});
