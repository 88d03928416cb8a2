import { expect, test } from 'vitest';
import { PlimsollError } from '../../router/errors.ts';
import { type Activity, bucketMs, openActivity, outcomeOf, timeBucket } from '../../router/records/index.ts';
import { type HourCounts, memoryHourCounts } from '../../router/state/index.ts';
import { facts } from './facts.ts';

const ALL = { fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER };
const noFailure = () => {
  throw new Error('no failure is expected');
};

async function amounts(activity: Activity): Promise<Record<string, number>> {
  const totals = await (await activity.counts()).totals(ALL);
  return Object.fromEntries(
    totals.map(({ measure, label, amount }) => [`${measure} ${label}`.trim(), amount]),
  );
}

test('counts requests, choices and costs, all of a comparison over the same requests', async () => {
  const activity = openActivity({ onFailure: noFailure });
  const usage = { inputTokens: 100, outputTokens: 10, cachedInputTokens: 60 };
  const known = { usage, costUsd: 0.5, baselineCostUsd: 2, randomCostUsd: 1, check: undefined };
  activity.record(facts(known));
  activity.record(
    facts({ ...known, profile: 'support', decision: { ...facts().decision!, escalated: true } }),
  );
  activity.record(facts({ ...known, baselineCostUsd: undefined })); // counts in what was spent alone
  activity.record(facts({ ...known, status: 503, served: undefined, costUsd: undefined }));
  expect(await amounts(activity)).toMatchObject({
    'requests replied': 3,
    'requests failed': 1,
    'kept-cheap': 3,
    'escalated support': 1,
    'spent google/huge': 1_500_000_000,
    compared: 1,
    'compared support': 1,
    'compared-cost': 500_000_000,
    'strong-cost': 2_000_000_000,
    'random-cost support': 1_000_000_000,
    'prompt-tokens google/huge': 300,
    'cached-tokens google/huge': 180,
  });
  await activity.close();
});

test('a batch that the state refuses for now is added once it can be, and once', async () => {
  const stored = memoryHourCounts();
  const troubles: unknown[] = [];
  let away = 2;
  const hourCounts: HourCounts = {
    ...stored,
    async add(id, counts) {
      if (away === 1) await stored.add(id, counts); // it is there, and nobody learns so
      if (away-- > 0) throw new PlimsollError('state-unavailable', 'away');
      return stored.add(id, counts);
    },
  };
  const activity = openActivity({ hourCounts, onFailure: (trouble) => troubles.push(trouble) });
  activity.record(facts());
  for (let i = 0; i < 4; i++) await activity.counts();
  expect(await amounts(activity)).toMatchObject({ 'kept-cheap': 1 });
  expect(troubles).toHaveLength(1);
  await activity.close();
});

test('keeps the last requests without their prompts, and tells who listens', () => {
  const activity = openActivity({ onFailure: noFailure });
  const seen: string[] = [];
  const stop = activity.subscribe(({ id }) => seen.push(id));
  for (let i = 0; i < 1_000; i++) activity.record(facts({ id: `dec_${i}`, prompt: 'secret' }));
  stop();
  activity.record(facts({ id: 'dec_last' }));
  expect(seen).toHaveLength(1_000);
  expect(activity.recent()).toHaveLength(300);
  expect(activity.recent().at(-1)?.id).toBe('dec_last');
  expect(activity.recent().every(({ prompt }) => prompt === undefined)).toBe(true);
});

test('a bucket of time says it within 4.5 %', () => {
  for (const ms of [0.0011, 0.05, 0.9, 1, 17.3, 1_000, 123_456]) {
    expect(Math.abs(bucketMs(timeBucket(ms)) / ms - 1)).toBeLessThan(0.045);
  }
  for (const odd of [0, -1, 1e-9]) expect(timeBucket(odd)).toBe('0');
});

test('what a status and an end mean', () => {
  const outcome = (status: number, ended: 'whole' | 'broken' | 'client-left' = 'whole') =>
    outcomeOf({ status, ended });
  expect(outcome(200)).toBe('replied');
  expect(outcome(400)).toBe('refused');
  expect(outcome(429)).toBe('limited');
  expect(outcome(502)).toBe('failed');
  expect(outcome(200, 'broken')).toBe('failed');
  expect(outcome(200, 'client-left')).toBe('left');
  expect(outcome(499)).toBe('left');
});
