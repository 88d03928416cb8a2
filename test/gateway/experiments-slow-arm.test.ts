import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { resultsFeed, resultsSoFar } from '../../router/experiment-results/index.ts';
import { readWatermark, type Split, startExperiment } from '../../router/experiments/index.ts';
import type { DecisionRecord } from '../../router/records/index.ts';
import { DECISIONS, openState } from '../../router/state/index.ts';
import { ask, gatewayForTest, postRaw } from './running-gateway.ts';

const WAIT = { timeout: 40_000, interval: 50 };
const SLOW_MS = 3_000;

const SPLIT: Split = {
  name: 'try',
  kind: 'split',
  profile: 'default',
  arms: [
    { name: 'now', profile: 'default', weight: 0.5 },
    { name: 'slow', profile: 'slow', weight: 0.5 },
  ],
  unit: 'session',
  confidence: 0.95,
};

test('a slow arm does not look like a missing one: at each look the results are of the first requests that came, and of no others', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-slow-arm-'));
  const url = path.join(folder, 'state.db');
  const state = await openState({ kind: 'sqlite', url, migrate: 'auto' });
  onTestFinished(async () => {
    await state.close();
    rmSync(folder, { recursive: true, force: true });
  });
  await startExperiment(SPLIT, state, Date.now());
  const gateway = await gatewayForTest({
    upstream: { slowMs: SLOW_MS },
    config: {
      profiles: { slow: { ladder: { cheap: 'second/large', strong: 'claude2/large' } } },
      upstream: {
        deadline_ms: 60_000,
        timeouts: { connect_ms: 10_000, first_byte_ms: 30_000, idle_ms: 30_000, total_ms: 50_000 },
      },
      allow_ungated: true,
      state: { kind: 'sqlite', url },
      decision_log: { to: 'state' },
      experiments: {
        try: {
          kind: 'split',
          arms: { now: { profile: 'default', weight: 0.5 }, slow: { profile: 'slow', weight: 0.5 } },
        },
      },
    },
  });
  gateway.second.failAlways('slow-first-byte');
  const so = resultsSoFar(SPLIT, 0, 0.05);
  const feed = resultsFeed(state.log, 0, so, true, { watermark: () => readWatermark(state.documents) });
  const looks: number[][] = [];
  const look = async () => {
    await feed.read();
    looks.push(so.results().arms.map(({ requests }) => requests));
    return feed.waiting();
  };

  const asked = Array.from({ length: 60 }, async (_, i) => {
    const body = ask(gateway.artifact.easy[i]!);
    const response = await postRaw(gateway.url, '/v1/chat/completions', body, { 'x-session-id': `s${i}` });
    await response.text();
    expect(response.status).toBe(200);
    return response.headers.get('x-plimsoll-experiment');
  });
  await vi.waitFor(async () => expect(await look()).toBeGreaterThan(0), WAIT);
  const arms = await Promise.all(asked);
  expect(new Set(arms)).toEqual(new Set(['try/now', 'try/slow']));
  await vi.waitFor(async () => {
    expect(await look()).toBe(0);
    expect(looks.at(-1)!.reduce((sum, n) => sum + n)).toBe(60);
  }, WAIT);

  const page = await state.log.read(DECISIONS, { afterSeq: 0, limit: 1_000 });
  const records = page.map(({ body }): DecisionRecord => JSON.parse(body));
  const arrived = records.sort((a, b) => (a.time + a.id < b.time + b.id ? -1 : 1));
  for (const [now, slow] of looks) {
    const counted = arrived.slice(0, now! + slow!).map(({ experiment }) => experiment!.arm);
    expect(counted.filter((arm) => arm === 'now')).toHaveLength(now!);
    expect(counted.filter((arm) => arm === 'slow')).toHaveLength(slow!);
  }
});
