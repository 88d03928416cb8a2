import { describe, expect, test } from 'vitest';
import { resultsFeed, resultsSoFar } from '../../router/experiment-results/index.ts';
import type { Canary, Split } from '../../router/experiments/index.ts';
import type { DecisionRecord } from '../../router/records/index.ts';
import { DECISIONS, openState } from '../../router/state/index.ts';
import { seededRandom } from '../../router/statistics/index.ts';

const START = Date.parse('2026-11-30T12:00:00Z');

const SPLIT: Split = {
  name: 'try',
  kind: 'split',
  profile: 'default',
  arms: [
    { name: 'now', profile: 'default', weight: 0.5 },
    { name: 'new', profile: 'next', weight: 0.3 },
    { name: 'other', profile: 'other', weight: 0.2 },
  ],
  unit: 'session',
  confidence: 0.95,
};

function record(
  i: number,
  arm: string,
  changes: Partial<DecisionRecord> & { unit?: string; propensity?: number } = {},
) {
  const weight = SPLIT.arms.find(({ name }) => name === arm)?.weight ?? 0.5;
  const { unit = `${i}`, propensity = weight, ...rest } = changes;
  return {
    id: `dec_${i}`,
    time: new Date(START + i).toISOString(),
    operation: 'chat',
    reason: 'within-threshold',
    status: 200,
    ended: 'whole',
    cost_usd: 0.01,
    duration_ms: 100,
    experiment: { name: 'try', arm, propensity, unit },
    ...rest,
  } as DecisionRecord;
}

describe('what counts', () => {
  test('requests, units, spending and means of each arm, the one that others are compared with first', () => {
    const so = resultsSoFar(SPLIT, START, 0.05);
    so.decision(record(1, 'new', { unit: 'a', cost_usd: 0.02 }));
    so.decision(record(2, 'new', { unit: 'a', cost_usd: 0.04 }));
    so.decision(record(3, 'now', { status: 502, cost_usd: undefined }));
    so.score('dec_2', 0.25);
    so.audit('dec_1', 0.5);
    const [now, fresh, other] = so.results().arms;
    expect(now).toMatchObject({
      arm: 'now',
      requests: 1,
      units: 1,
      spentUsd: 0,
      means: { success: { n: 1, mean: 0 }, cost_usd: { n: 0, mean: undefined } },
    });
    expect(fresh).toMatchObject({
      arm: 'new',
      requests: 2,
      units: 1,
      spentUsd: expect.closeTo(0.06),
      means: {
        success: { n: 2, mean: 1 },
        cost_usd: { n: 2, mean: expect.closeTo(0.03) },
        score: { n: 1, mean: 0.25 },
      },
      auditLoss: { n: 1, mean: 0.5 },
    });
    expect(other).toMatchObject({ arm: 'other', requests: 0, units: 0 });
    expect(now!.differences.success).toBeUndefined();
  });

  test('not what was before the start, of another experiment, of no reply, or unknown', () => {
    const so = resultsSoFar(SPLIT, START, 0.05);
    const elsewhere = { name: 'x', arm: 'new', propensity: 0.5, unit: 'u' };
    for (const one of [
      record(-1, 'new'),
      record(1, 'gone'),
      record(2, 'new', { operation: 'decision' }),
      record(3, 'new', { experiment: elsewhere }),
    ]) {
      expect(so.isCounted(one)).toBe(false);
      so.decision(one);
    }
    so.score('dec_9', 1);
    expect(so.results().arms.map(({ requests }) => requests)).toEqual([0, 0, 0]);
  });

  test.each([
    ['the client left', { ended: 'client-left', status: 499 }, 0],
    ['refused by a limit', { status: 429, reason: 'limited' }, 0],
    ['a wrong request', { status: 400 }, 0],
    ['the provider refused for now', { status: 429 }, 1],
    ['broken off', { ended: 'broken' }, 1],
  ] as const)('%s', (_, changes, n) => {
    const so = resultsSoFar(SPLIT, START, 0.05);
    so.decision(record(1, 'now', changes));
    expect(so.results().arms[0]!.means.success).toEqual({ n, mean: n === 0 ? undefined : 0 });
  });
});

test('of three arms each is compared with the first one by the probability among the two', () => {
  const random = seededRandom(3);
  const so = resultsSoFar(SPLIT, START, 0.05);
  for (let i = 0; i < 6_000; i++) {
    const place = random();
    const arm = place < 0.5 ? 'now' : place < 0.8 ? 'new' : 'other';
    const isGood = random() < (arm === 'new' ? 0.7 : 0.9);
    so.decision(record(i, arm, { status: isGood ? 200 : 502 }));
  }
  const { arms, sampleRatioPValue } = so.results();
  const [, fresh, other] = arms;
  expect(fresh!.differences.success!.high).toBeLessThan(0);
  expect(fresh!.differences.success!.low).toBeGreaterThan(-0.4);
  expect(other!.differences.success!.low).toBeLessThan(0);
  expect(other!.differences.success!.high).toBeGreaterThan(0);
  expect(sampleRatioPValue).toBeGreaterThan(0.05);
});

test('arms that lose requests on the way to the log raise the alarm', () => {
  const random = seededRandom(4);
  const so = resultsSoFar(SPLIT, START, 0.05);
  for (let i = 0; i < 6_000; i++) {
    const place = random();
    const arm = place < 0.5 ? 'now' : place < 0.8 ? 'new' : 'other';
    if (arm === 'other' && random() < 0.2) continue;
    so.decision(record(i, arm));
  }
  expect(so.results().sampleRatioPValue).toBeLessThan(0.05);
});

describe('a definition that was changed since: requests are judged by the weights of their time', () => {
  const random = seededRandom(6);
  const drawn = Array.from({ length: 3_000 }, () => (random() < 0.8 ? 'now' : 'new'));

  test('of two arms', () => {
    const [now, fresh] = SPLIT.arms;
    const halved = { ...SPLIT, arms: [now!, fresh!].map((arm) => ({ ...arm, weight: 0.5 })) };
    const so = resultsSoFar(halved, START, 0.05);
    for (const [i, arm] of drawn.entries())
      so.decision(record(i, arm, { propensity: arm === 'now' ? 0.8 : 0.2 }));
    expect(so.results().sampleRatioPValue).toBeGreaterThan(0.05);
    expect(so.results().arms[1]!.differences.success).toBeDefined();
  });

  test('of three arms nothing is said but means', () => {
    const so = resultsSoFar(SPLIT, START, 0.05);
    for (const [i, arm] of drawn.entries())
      so.decision(record(i, arm, { propensity: arm === 'now' ? 0.8 : 0.1 }));
    expect(so.results().sampleRatioPValue).toBe(1);
    expect(so.results().arms[1]!.differences.success).toBeUndefined();
    expect(so.results().arms[1]!.means.success.mean).toBe(1);
  });
});

test('a canary is compared over its stages, and by what its own arm may have more', () => {
  const canary = { name: 'try', kind: 'canary', profile: 'default', candidate: 'next' } as Canary;
  const random = seededRandom(5);
  const so = resultsSoFar(canary, START, 0.05, { duration_ms: 1.5 });
  for (let i = 0; i < 8_000; i++) {
    const share = [0.05, 0.25, 0.5, 1][Math.floor(i / 2_000)]!;
    const isCandidate = random() < share;
    const duration = (isCandidate ? 120 : 100) * (0.5 + random());
    const propensity = isCandidate ? share : 1 - share;
    so.decision(record(i, isCandidate ? 'candidate' : 'control', { propensity, duration_ms: duration }));
  }
  const [control, candidate] = so.results().arms;
  expect(control!.arm).toBe('control');
  expect(candidate!.means.duration_ms.mean).toBeCloseTo(120, -1);
  expect(candidate!.differences.duration_ms!.high).toBeLessThan(0); // 120 against 1.5 times 100
  expect(so.results().sampleRatioPValue).toBeGreaterThan(0.05);
});

test('a feed begins near the start, and goes on where it ended', async () => {
  const { log, close } = await openState({ kind: 'memory', migrate: 'auto' });
  const append = (i: number, hours: number) =>
    log.append(DECISIONS, [
      { id: `${i}`, timeMs: START + hours * 3_600_000, body: JSON.stringify(record(i, 'new')) },
    ]);
  for (let i = 0; i < 40; i++) await append(i, i - 30);
  const seen: string[] = [];
  const decision = ({ id }: { readonly id: string }) => seen.push(id);
  const reader = { isCounted: () => true, decision, people() {}, score() {}, audit() {} };
  const feed = resultsFeed(log, START, reader);
  await feed.read();
  expect(seen.at(-1)).toBe('dec_39');
  expect(seen).toContain('dec_30');
  expect(seen.length).toBeLessThan(13);
  await append(40, 11);
  await feed.read();
  expect(seen.at(-1)).toBe('dec_40');
  expect(new Set(seen).size).toBe(seen.length);
  await close();
});
