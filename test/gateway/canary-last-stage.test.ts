import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { z } from 'zod';
import { configSchema } from '../../router/config/index.ts';
import { readStates, startExperiment } from '../../router/experiments/index.ts';
import { openState } from '../../router/state/index.ts';
import { ask, gatewayForTest, postRaw } from './running-gateway.ts';

type Written = NonNullable<z.input<typeof configSchema>>;
type Rules = Extract<NonNullable<Written['experiments']>[string], { kind: 'canary' }>['rules'];

/** A canary at half of the requests, then all, whose candidate calls another provider. */
async function canary(rules: Rules) {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-last-stage-'));
  const url = path.join(folder, 'state.db');
  const state = await openState({ kind: 'sqlite', url, migrate: 'auto' });
  onTestFinished(async () => {
    await state.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const config = {
    profiles: { next: { ladder: { cheap: 'second/large', strong: 'claude2/large' } } },
    upstream: { retry: { max_retries: 0 } },
    allow_ungated: true,
    state: { kind: 'sqlite', url },
    decision_log: { to: 'state' },
    feedback: {},
    experiments: {
      next: { kind: 'canary', candidate: 'next', stages: [0.5, 1], min_requests: 40, hold_minutes: 0, rules },
    },
  } as const satisfies Written;
  const gateway = await gatewayForTest({ config });
  const [defined] = configSchema.parse({
    ...config,
    artifact: gateway.artifact.folder,
    providers: PROVIDERS,
  }).experiments;
  await startExperiment(defined!, state, Date.now());
  const standing = async () => (await readStates(state.documents)).get('next')!.state;

  let asked = 0;
  /** Asks until the canary has moved, twenty requests at a time. @param scoreOf of the reply of each arm */
  async function untilMoved(from: string, scoreOf?: (arm: string | null) => number): Promise<void> {
    const one = async () => {
      const i = asked++;
      const headers = { 'x-session-id': `session-${i}` };
      const body = ask(gateway.artifact.easy[i % 100]!);
      const response = await postRaw(gateway.url, '/v1/chat/completions', body, headers);
      await response.text();
      if (scoreOf === undefined || response.status !== 200) return;
      const arm = response.headers.get('x-plimsoll-experiment');
      const decision_id = response.headers.get('x-plimsoll-decision-id');
      await (await postRaw(gateway.url, '/v1/feedback', { decision_id, score: scoreOf(arm) })).text();
    };
    for (let round = 0; round < 150; round++) {
      const { status, stage } = await standing();
      if (`${status} ${stage}` !== from) return;
      await Promise.all(Array.from({ length: 20 }, one));
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error(`it stays at ${from}`);
  }
  return { gateway, standing, untilMoved };
}

const PROVIDERS = {
  first: { kind: 'openai' },
  second: { kind: 'openai' },
  claude2: { kind: 'anthropic' },
} as const;

test('a candidate that fails every request once it has all of them is sent back', async () => {
  const { gateway, standing, untilMoved } = await canary({ max_error_increase: 0.05 });
  await untilMoved('running 0');
  expect(await standing()).toMatchObject({ status: 'running', stage: 1 });
  gateway.second.failAlways('503');
  await untilMoved('running 1');
  const { status, moves } = await standing();
  expect(status).toBe('rolled-back');
  expect(moves.at(-1)!.reason).toMatch(
    /^the share of failed replies is higher than the profile's at the stages before/,
  );
});

test('a candidate that is rated 0 once it has all requests is sent back', async () => {
  const { standing, untilMoved } = await canary({ max_score_decrease: 0.1 });
  await untilMoved('running 0', () => 1);
  expect(await standing()).toMatchObject({ status: 'running', stage: 1 });
  await untilMoved('running 1', (arm) => (arm === 'next/candidate' ? 0 : 1));
  const { status, moves } = await standing();
  expect(status).toBe('rolled-back');
  expect(moves.at(-1)!.reason).toMatch(
    /^the mean score of feedback is lower than the profile's at the stages before/,
  );
});

test('one that stays as it was is promoted', async () => {
  const { standing, untilMoved } = await canary({ max_error_increase: 0.05 });
  await untilMoved('running 0');
  await untilMoved('running 1');
  expect(await standing()).toMatchObject({ status: 'promoted', stage: 1 });
});
