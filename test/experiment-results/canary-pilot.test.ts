import { expect, onTestFinished, test } from 'vitest';
import { type CandidateStanding, openCanaryPilot } from '../../router/experiment-results/index.ts';
import {
  type Canary,
  EXPERIMENT_MOVES,
  openExperiments,
  readLooks,
  readStates,
  startExperiment,
} from '../../router/experiments/index.ts';
import { AUDITS } from '../../router/monitoring/index.ts';
import { DECISIONS, openState, type State } from '../../router/state/index.ts';
import { seededRandom } from '../../router/statistics/index.ts';

const CANARY: Canary = {
  name: 'next',
  kind: 'canary',
  profile: 'default',
  candidate: 'next',
  unit: 'request',
  confidence: 0.95,
  stages: [0.05, 0.25, 1],
  minRequests: 50,
  minAudits: 0,
  holdMs: 0,
  rules: {
    maxErrorIncrease: 0.05,
    maxLatencyIncrease: undefined,
    maxCostIncrease: undefined,
    maxScoreDecrease: undefined,
    maxAuditLoss: 0.1,
  },
};

async function stateForTest(): Promise<State> {
  const state = await openState({ kind: 'memory', migrate: 'auto' });
  onTestFinished(() => state.close());
  return state;
}

/** An instance that looks when it is told to. */
async function instance(state: State, standing: () => Partial<CandidateStanding> = () => ({})) {
  const fail = (trouble: object) => {
    throw new Error(JSON.stringify(trouble));
  };
  const live = await openExperiments({ documents: state.documents, onFailure: fail, everyMs: 1e6 });
  live.configure([CANARY], () => undefined);
  const moves: string[] = [];
  const pilot = openCanaryPilot({
    ...state,
    experiments: live,
    candidate: (profile) => ({
      artifact: `sha-${profile}`,
      fault: undefined,
      ...(profile === 'next' ? standing() : {}),
    }),
    onMove: (_, { status, stage }) => moves.push(`${status} ${stage}`),
    onFailure: fail,
    everyMs: 1e6,
  });
  onTestFinished(async () => {
    live.close();
    await pilot.close();
  });
  return { live, pilot, moves };
}

const random = seededRandom(9);
let request = 0;

/** Requests as an instance assigns them, and as they come to the log. */
async function traffic(
  state: State,
  { live }: Awaited<ReturnType<typeof instance>>,
  n: number,
  goodOfCandidate: number,
) {
  const records = Array.from({ length: n }, () => {
    const assigned = live.assign(undefined, { keyId: undefined, session: undefined });
    const isGood = random() < (assigned?.arm === 'candidate' ? goodOfCandidate : 0.98);
    const id = `dec_${request++}`;
    const experiment = assigned && {
      name: assigned.experiment,
      arm: assigned.arm,
      propensity: assigned.propensity,
      unit: assigned.unit,
    };
    const body = {
      id,
      time: new Date().toISOString(),
      operation: 'chat',
      status: isGood ? 200 : 502,
      ended: 'whole',
      duration_ms: 100,
      experiment,
    };
    return { id, timeMs: Date.now(), body: JSON.stringify(body) };
  });
  await state.log.append(DECISIONS, records);
}

async function stateOf({ documents }: State) {
  return (await readStates(documents)).get('next')!.state;
}

test('a good candidate goes stage by stage to the end, and each move is in the log with its reason', async () => {
  const state = await stateForTest();
  await startExperiment(CANARY, state, Date.now());
  const one = await instance(state);
  for (let step = 0; step < 40 && (await stateOf(state)).status === 'running'; step++) {
    await traffic(state, one, 500, 0.98);
    await one.pilot.look();
  }
  expect(one.moves).toEqual(['running 1', 'running 2', 'promoted 2']);
  expect(one.live.assign(undefined, { keyId: undefined, session: undefined })).toMatchObject({
    arm: 'candidate',
    propensity: 1,
  });
  const log = await state.log.read(EXPERIMENT_MOVES, { afterSeq: 0, limit: 10 });
  expect(log.map(({ body }) => JSON.parse(body))).toMatchObject([
    { experiment: 'next', status: 'running', stage: 0, reason: 'started' },
    { status: 'running', stage: 1, reason: expect.stringMatching(/requests of this stage within all rules/) },
    { status: 'running', stage: 2 },
    { status: 'promoted', stage: 2 },
  ]);
});

test('a candidate that fails is rolled back, and another instance sees it', async () => {
  const state = await stateForTest();
  await startExperiment(CANARY, state, Date.now());
  const [one, other] = [await instance(state), await instance(state)];
  for (let step = 0; step < 40 && (await stateOf(state)).status === 'running'; step++) {
    await traffic(state, one, 500, 0.5);
    await Promise.all([one.pilot.look(), other.pilot.look()]);
  }
  expect(await stateOf(state)).toMatchObject({ status: 'rolled-back' });
  expect((await stateOf(state)).moves.at(-1)!.reason).toMatch(/the share of failed replies is higher/);
  expect([...one.moves, ...other.moves].filter((move) => move.startsWith('rolled-back'))).toHaveLength(1);
  await other.live.refresh();
  expect(other.live.assign(undefined, { keyId: undefined, session: undefined })).toBeUndefined();
});

test('audits that speak against the candidate roll it back; those of the artifact before do not', async () => {
  const state = await stateForTest();
  await startExperiment(CANARY, state, Date.now());
  const one = await instance(state);
  const audit = (i: number, artifact: string) => ({
    id: `audit-${i}`,
    timeMs: Date.now(),
    body: JSON.stringify({
      schema_version: 1,
      decision_id: `far-${i}`,
      artifact,
      predicted_loss: 0,
      loss: 1,
    }),
  });
  await state.log.append(
    AUDITS,
    Array.from({ length: 50 }, (_, i) => audit(i, 'sha-default')),
  );
  await one.pilot.look();
  expect((await stateOf(state)).status).toBe('running');
  await state.log.append(
    AUDITS,
    Array.from({ length: 50 }, (_, i) => audit(100 + i, 'sha-next')),
  );
  await one.pilot.look();
  expect(await stateOf(state)).toMatchObject({ status: 'rolled-back' });
  expect((await stateOf(state)).moves.at(-1)!.reason).toMatch(/50 audited requests of the candidate lose 1/);
});

test('a candidate that may not serve any more is rolled back', async () => {
  const state = await stateForTest();
  await startExperiment(CANARY, state, Date.now());
  let fault: string | undefined;
  const one = await instance(state, () => ({ fault }));
  await one.pilot.look();
  expect((await stateOf(state)).status).toBe('running');
  fault = 'Its PASS expired.';
  await one.pilot.look();
  expect((await stateOf(state)).moves.at(-1)!.reason).toBe(
    'the candidate may not serve any more: Its PASS expired',
  );
});

test('it says why it stays', async () => {
  const state = await stateForTest();
  await startExperiment(CANARY, state, Date.now());
  const one = await instance(state);
  await one.pilot.look();
  expect((await readLooks(state.documents)).get('next')).toBe('0 of 50 requests of this stage, 0 s ago');
});

test('whoever has no lease moves nothing', async () => {
  const state = await stateForTest();
  await startExperiment(CANARY, state, Date.now());
  await state.leases.acquire('experiments', 'another', 60_000);
  const one = await instance(state, () => ({ fault: 'It expired.' }));
  await one.pilot.look();
  expect((await stateOf(state)).status).toBe('running');
});
