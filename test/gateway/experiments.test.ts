import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { z } from 'zod';
import { configSchema } from '../../router/config/index.ts';
import {
  type Experiment,
  readStates,
  startExperiment,
  stopExperiment,
} from '../../router/experiments/index.ts';
import type { DecisionRecord } from '../../router/records/index.ts';
import { DECISIONS, openState, type State } from '../../router/state/index.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';
import { copyAs, DAY_MS, layVerdict } from '../helpers/verdicts.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { ask, postRaw, type RunningGateway, startGateway } from './running-gateway.ts';

type Written = NonNullable<z.input<typeof configSchema>>;

const CHAT = '/v1/chat/completions';
const WAIT = { timeout: 40_000, interval: 100 };

/** A file of a state, and a second hand on it: that of the command line. */
async function sharedState() {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-experiment-'));
  const url = path.join(folder, 'state.db');
  const state = await openState({ kind: 'sqlite', url, migrate: 'auto' });
  onTestFinished(async () => {
    await state.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { url, state };
}

const PROFILES = { strong: { policy: 'always-strong' } };
const SPLIT = {
  kind: 'split',
  arms: { now: { profile: 'default', weight: 0.5 }, strong: { profile: 'strong', weight: 0.5 } },
} as const;

async function running(url: string, experiments: Written['experiments'], changes: Written = {}) {
  const config = {
    profiles: PROFILES,
    state: { kind: 'sqlite', url },
    decision_log: { to: 'state' },
    experiments,
    ...changes,
  } as const;
  return startGateway({ config });
}

const definition: Experiment = {
  name: 'try',
  kind: 'split',
  profile: 'default',
  arms: [
    { name: 'now', profile: 'default', weight: 0.5 },
    { name: 'strong', profile: 'strong', weight: 0.5 },
  ],
  unit: 'session',
  confidence: 0.95,
};

async function askIn({ url, artifact }: RunningGateway, session?: string, model = 'auto', i = 0) {
  const headers = session === undefined ? {} : { 'x-session-id': session };
  const response = await postRaw(url, CHAT, ask(artifact.easy[i]!, model), headers);
  await response.text();
  const of = (name: string) => response.headers.get(`x-plimsoll-${name}`);
  return {
    status: response.status,
    arm: of('experiment'),
    profile: of('profile'),
    selected: of('selected'),
    verdict: of('verdict'),
  };
}

async function recordsOf(state: State): Promise<DecisionRecord[]> {
  const page = await state.log.read(DECISIONS, { afterSeq: 0, limit: 1_000 });
  return page.map(({ body }) => JSON.parse(body));
}

test('a split: nothing before its start, arms by session while it runs, the same after a restart, nothing after its end', async () => {
  const { url, state } = await sharedState();
  const gateway = await running(url, { try: SPLIT });
  onTestFinished(gateway.close);
  expect((await askIn(gateway, 's1')).arm).toBeNull();

  await startExperiment(definition, state, Date.now());
  await vi.waitFor(async () => expect((await askIn(gateway, 's1')).arm).not.toBeNull(), {
    timeout: 40_000,
    interval: 100,
  });
  const sessions = Array.from({ length: 24 }, (_, i) => `session-${i}`);
  const first = new Map<string, unknown>();
  for (const session of sessions) first.set(session, await askIn(gateway, session));
  for (const session of sessions)
    expect(await askIn(gateway, session, 'auto', 1)).toEqual(first.get(session));
  const shown = [...first.values()];
  expect(shown).toContainEqual({
    status: 200,
    arm: 'try/now',
    profile: null,
    selected: 'first/small',
    verdict: 'stale',
  });
  expect(shown).toContainEqual({
    status: 200,
    arm: 'try/strong',
    profile: 'strong',
    selected: 'first/large',
    verdict: 'PASS',
  });

  // What the client named is obeyed.
  expect((await askIn(gateway, 'session-1', 'first/small')).arm).toBeNull();
  expect((await askIn(gateway, 'session-1', 'auto:strong')).arm).toBeNull();

  const other = await running(url, { try: SPLIT });
  onTestFinished(other.close);
  for (const session of sessions) expect(await askIn(other, session)).toEqual(first.get(session));

  await stopExperiment('try', state, Date.now());
  await vi.waitFor(async () => expect((await askIn(gateway, 's1')).arm).toBeNull(), {
    timeout: 40_000,
    interval: 100,
  });
  await vi.waitFor(
    async () => {
      const assigned = (await recordsOf(state)).filter(({ experiment }) => experiment !== undefined);
      expect(assigned.length).toBeGreaterThan(70);
      for (const { experiment, profile } of assigned) {
        expect(experiment).toMatchObject({
          name: 'try',
          propensity: 0.5,
          unit: expect.stringMatching(/^[0-9a-f]{16}$/),
        });
        expect(profile).toBe(experiment!.arm === 'strong' ? 'strong' : undefined);
      }
    },
    { timeout: 40_000 },
  );
});

test('requests without a session are drawn one by one', async () => {
  const { url, state } = await sharedState();
  await startExperiment(definition, state, Date.now());
  const gateway = await running(url, { try: SPLIT }, { sessions: {} });
  onTestFinished(gateway.close);
  const arms = [];
  for (let i = 0; i < 30; i++) arms.push((await askIn(gateway, undefined, 'auto', i)).arm);
  expect(new Set(arms)).toEqual(new Set(['try/now', 'try/strong']));
});

test('a definition that was changed since its start is paused, and said to be', async () => {
  const { url, state } = await sharedState();
  await startExperiment({ ...definition, confidence: 0.9 }, state, Date.now());
  const gateway = await running(url, { try: SPLIT });
  onTestFinished(gateway.close);
  expect((await askIn(gateway, 's1')).arm).toBeNull();
  expect(gateway.gateway.health().troubles).toContainEqual(
    expect.stringMatching(/experiment try was changed/),
  );
});

test('an arm without a PASS is refused, unless the operator allows it', async () => {
  const { url } = await sharedState();
  const arms = { now: { profile: 'default', weight: 0.5 }, claude: { profile: 'claude', weight: 0.5 } };
  const profiles = { claude: { ladder: { cheap: 'claude/small', strong: 'claude/large' } } };
  const experiments = { try: { kind: 'split', arms } } as const;
  await expect(running(url, experiments, { profiles })).rejects.toThrow(
    /^experiments\.try: the profile claude has no PASS and may not be an arm\. .*allow_ungated/,
  );
  const allowed = await running(url, experiments, { profiles, allow_ungated: true });
  await allowed.close();
});

describe('with the models that the artifact learned from', () => {
  /** The arm `next` has the artifact's own policy, and its PASS. */
  async function gated(kind: 'split' | 'canary', nowMs: () => number, more: Written = {}) {
    const { url, state } = await sharedState();
    const artifact = copyAs((await tinyArtifact()).folder, path.join(scratchFolder(), 'own'), [
      'first/small',
      'first/large',
    ]);
    layVerdict(artifact);
    const experiment =
      kind === 'split'
        ? { kind, arms: { now: { profile: 'default', weight: 0.5 }, next: { profile: 'next', weight: 0.5 } } }
        : { kind, candidate: 'next', stages: [0.5, 1], min_requests: 100_000 };
    const config = {
      artifact,
      profiles: { next: {}, strong: { policy: 'always-strong' } },
      state: { kind: 'sqlite', url },
      decision_log: { to: 'state' },
      experiments: { try: experiment },
      ...more,
    } as Written;
    const defined = configSchema.parse({ ...config, providers: { a: { kind: 'openai' } } }).experiments[0]!;
    const gateway = await startGateway({ config, nowMs });
    onTestFinished(gateway.close);
    await startExperiment(defined, state, Date.now());
    await vi.waitFor(async () => expect((await askIn(gateway, 's1')).arm).not.toBeNull(), WAIT);
    return { gateway, state };
  }

  test('an expired arm does not start', async () => {
    const later = Date.now() + 91 * DAY_MS;
    await expect(gated('split', () => later)).rejects.toThrow(/expired/);
  });

  test('an arm that expires pauses the split: its profile decides alone', async () => {
    let clockMs = Date.now();
    const { gateway } = await gated('split', () => clockMs);
    expect(await askIn(gateway, 's1')).toMatchObject({ verdict: 'PASS' });
    clockMs += 91 * DAY_MS;
    await vi.waitFor(async () => expect((await askIn(gateway, 's1')).arm).toBeNull(), WAIT);
    expect(gateway.gateway.health().troubles).toContainEqual(
      expect.stringMatching(/^The experiment try is paused: its profile next may not serve\. .*expired/),
    );
  });

  test('a candidate that expires is rolled back', async () => {
    let clockMs = Date.now();
    const { gateway, state } = await gated('canary', () => clockMs);
    clockMs += 91 * DAY_MS;
    const stateOf = async () => (await readStates(state.documents)).get('try')!.state;
    await vi.waitFor(async () => expect((await stateOf()).status).toBe('rolled-back'), WAIT);
    expect((await stateOf()).moves.at(-1)!.reason).toMatch(
      /^the candidate may not serve any more: .*expired/,
    );
    await vi.waitFor(async () => expect((await askIn(gateway, 's1')).arm).toBeNull(), WAIT);
  });

  test('rules are those of the arm: who is on it gets them, who is not does not', async () => {
    const { gateway } = await gated('split', Date.now, {
      profiles: { next: { rules: [{ name: 'up', use: 'strong' }] } },
    });
    const seen = new Map<string | null, string | null>();
    for (let i = 0; i < 20; i++) {
      const { arm, selected } = await askIn(gateway, `session-${i}`);
      seen.set(arm, selected);
    }
    expect(Object.fromEntries(seen)).toEqual({ 'try/now': 'first/small', 'try/next': 'first/large' });
  });
});
