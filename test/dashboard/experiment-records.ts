import type { z } from 'zod';
import { experimentsSchema } from '../../router/config/experiments-schema.ts';
import {
  type Experiment,
  moveExperiment,
  readStates,
  SHADOWED,
  startExperiment,
} from '../../router/experiments/index.ts';
import { DECISIONS, type State } from '../../router/state/index.ts';

type Written = z.input<typeof experimentsSchema>;

/** Some of each kind: of a configuration with the profiles `support`, `old` and `next`. */
export const EXPERIMENTS = {
  smaller: {
    kind: 'split',
    arms: { now: { profile: 'default', weight: 0.5 }, small: { profile: 'support', weight: 0.5 } },
  },
  next: { kind: 'canary', profile: 'old', candidate: 'next' },
  dark: {
    kind: 'shadow',
    to: { models: ['first/large'] },
    spend: { '24h': '5 usd' },
  },
  later: { kind: 'shadow', to: { profile: 'next' }, spend: { '24h': '1 usd' } },
} as const satisfies Written;

export function defined(name: keyof typeof EXPERIMENTS): Experiment {
  const experiments = experimentsSchema.parse(EXPERIMENTS);
  return experiments.find((one) => one.name === name)!;
}

/** Three of them are started, the canary has moved once, and 400 requests are on record: those on `small` cost less and fail more often. */
export async function layExperiments(state: State): Promise<void> {
  const startMs = Date.now() - 3_600_000;
  for (const name of ['smaller', 'next', 'dark'] as const)
    await startExperiment(defined(name), state, startMs);
  const held = (await readStates(state.documents)).get('next')!;
  const reason = 'stage 1 lasted <b>long</b> enough, and no limit is passed';
  await moveExperiment('next', held, { status: 'running', stage: 1, reason }, state, startMs + 60_000);
  await state.log.append(
    DECISIONS,
    Array.from({ length: 400 }, (_, i) => splitRecord(i, startMs)),
  );
  const body = { schema_version: 1, experiment: 'dark', decision_id: 'dec_laid_0', model: 'first/large' };
  const shadowed = { ...body, outcome: 'replied', cost_usd: 0.02, output_tokens: 90, duration_ms: 900 };
  await state.log.append(SHADOWED, [{ id: 'shadow_1', timeMs: startMs + 1, body: JSON.stringify(shadowed) }]);
}

/** Also of a test's own start. */
export function splitRecord(i: number, startMs: number) {
  const isSmall = i % 2 === 1;
  const timeMs = startMs + 1 + i;
  const id = `dec_laid_${i}`;
  const record = {
    id,
    time: new Date(timeMs).toISOString(),
    operation: 'chat',
    reason: 'within-threshold',
    status: isSmall && i % 50 === 1 ? 502 : 200,
    ended: 'whole',
    cost_usd: (isSmall ? 0.001 : 0.004) * (1 + (i % 7) / 70),
    duration_ms: (isSmall ? 900 : 1_000) + 40 * (i % 9),
    experiment: { name: 'smaller', arm: isSmall ? 'small' : 'now', propensity: 0.5, unit: `unit-${i}` },
  };
  return { id, timeMs, body: JSON.stringify(record) };
}
