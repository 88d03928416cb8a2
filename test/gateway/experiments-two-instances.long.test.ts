import { expect, onTestFinished, test, vi } from 'vitest';
import type { z } from 'zod';
import { configSchema } from '../../router/config/index.ts';
import { readStates, startExperiment } from '../../router/experiments/index.ts';
import { DECISIONS, openState } from '../../router/state/index.ts';
import { HAS_POSTGRES, postgresUrl } from '../helpers/databases.ts';
import { ask, postRaw, type RunningGateway, startGateway } from './running-gateway.ts';

type Written = z.input<typeof configSchema>;

const CHAT = '/v1/chat/completions';
const WAIT = { timeout: 40_000, interval: 250 };

/** Two instances of one configuration on one database, and a hand on it. */
async function twoInstances(experiments: Written['experiments']) {
  const url = await postgresUrl();
  const config: Written = {
    profiles: { strong: { policy: 'always-strong' } },
    state: { kind: 'postgres', url },
    decision_log: { to: 'state' },
    experiments,
  };
  const state = await openState({ kind: 'postgres', url, migrate: 'auto' });
  const defined = configSchema.parse({ ...config, providers: { a: { kind: 'openai' } } }).experiments;
  const instances = [await startGateway({ config }), await startGateway({ config })] as const;
  onTestFinished(async () => {
    await Promise.all(instances.map((one) => one.close()));
    await state.close();
  });
  return { state, defined, instances };
}

async function armOf({ url, artifact }: RunningGateway, session: string): Promise<string | null> {
  const response = await postRaw(url, CHAT, ask(artifact.easy[0]!), { 'x-session-id': session });
  await response.text();
  return response.headers.get('x-plimsoll-experiment');
}

test.skipIf(!HAS_POSTGRES)('a session is on the same arm at every instance', async () => {
  const arms = { now: { profile: 'default', weight: 0.5 }, strong: { profile: 'strong', weight: 0.5 } };
  const { state, defined, instances } = await twoInstances({ try: { kind: 'split', arms } });
  const [one, other] = instances;
  await startExperiment(defined[0]!, state, Date.now());
  await vi.waitFor(async () => {
    expect(await armOf(one, 's')).not.toBeNull();
    expect(await armOf(other, 's')).not.toBeNull();
  }, WAIT);
  const seen = new Set<string | null>();
  for (let i = 0; i < 20; i++) {
    const arm = await armOf(one, `session-${i}`);
    expect(await armOf(other, `session-${i}`)).toBe(arm);
    seen.add(arm);
  }
  expect(seen).toEqual(new Set(['try/now', 'try/strong']));
});

test.skipIf(!HAS_POSTGRES)(
  'a canary is moved by one instance, stage by stage, and both follow; each move is made once',
  async () => {
    const { state, defined, instances } = await twoInstances({
      next: { kind: 'canary', candidate: 'strong', stages: [0.5, 1], min_requests: 5, hold_minutes: 0 },
    });
    const [one, other] = instances;
    await startExperiment(defined[0]!, state, Date.now());
    const stateOf = async () => (await readStates(state.documents)).get('next')!.state;
    let i = 0;
    await vi.waitFor(async () => {
      for (let n = 0; n < 10; n++) await armOf(n % 2 === 0 ? one : other, `session-${i++}`);
      expect((await stateOf()).status).toBe('promoted');
    }, WAIT);
    expect((await stateOf()).moves.map(({ status, stage }) => `${status} ${stage}`)).toEqual([
      'running 0',
      'running 1',
      'promoted 1',
    ]);
    for (const instance of instances)
      await vi.waitFor(async () => expect(await armOf(instance, 'anybody')).toBe('next/candidate'), WAIT);
    const log = await state.log.read(DECISIONS, { afterSeq: 0, limit: 1_000 });
    const propensities = log.map(({ body }) => JSON.parse(body).experiment?.propensity);
    expect(new Set(propensities.filter((one) => one !== undefined))).toEqual(new Set([0.5, 1]));
  },
);
