import { canaryEvidence } from '../../../router/experiment-results/index.ts';
import { armOf, CANDIDATE, type Canary, canaryArms, canaryMove } from '../../../router/experiments/index.ts';
import { seededRandom } from '../../../router/statistics/index.ts';

/** The share of the candidate's requests that is audited. */
const AUDITED = 0.2;
const MOST_REQUESTS = 400_000;
const REQUESTS_A_LOOK = 50;

/** A candidate as it really is. */
export interface Candidate {
  /** Share of its replies that fail. */
  readonly errors: number;
  /** Mean loss of its audited requests. */
  readonly loss: number;
  /** Probability with which each of the two grades of an audit is reversed. */
  readonly reversed: number;
}

/** What happened to one canary. */
export interface CanaryRun {
  readonly end: 'promoted' | 'rolled-back' | 'running';
  readonly requests: number;
  readonly audits: number;
  readonly reason: string;
}

export const CANARY: Canary = {
  name: 'next',
  kind: 'canary',
  profile: 'default',
  candidate: 'next',
  unit: 'request',
  confidence: 0.95,
  stages: [0.01, 0.05, 0.25, 1],
  minRequests: 200,
  minAudits: 50,
  holdMs: 0,
  rules: {
    maxErrorIncrease: 0.02,
    maxLatencyIncrease: undefined,
    maxCostIncrease: undefined,
    maxScoreDecrease: undefined,
    maxAuditLoss: 0.1,
  },
};

/** Share of the failed replies of the profile whose place it is to take. */
export const CONTROL_ERRORS = 0.01;

/** One canary from its start to its end, judged after every fifty requests. */
export function runCanary({ errors, loss, reversed }: Candidate, seed: number): CanaryRun {
  const random = seededRandom(seed);
  const so = canaryEvidence(CANARY, 0, { candidate: () => 'next', control: () => 'now' });
  const graded = (isGood: boolean) => Number(random() < reversed ? !isGood : isGood);
  const state = { stage: 0, stage_since: new Date(0).toISOString() };
  let audits = 0;
  for (let request = 1; request <= MOST_REQUESTS; request++) {
    const unit = Array.from({ length: 16 }, () => Math.floor(16 * random()).toString(16)).join('');
    const arm = armOf(unit, canaryArms(CANARY, CANARY.stages[state.stage]!));
    const isCandidate = arm.name === CANDIDATE;
    so.decision({
      id: unit,
      time: new Date(request).toISOString(),
      operation: 'chat',
      status: random() < (isCandidate ? errors : CONTROL_ERRORS) ? 502 : 200,
      ended: 'whole',
      duration_ms: 1,
      experiment: { name: CANARY.name, arm: arm.name, propensity: arm.weight, unit },
    } as Parameters<typeof so.decision>[0]);
    if (isCandidate && random() < AUDITED) {
      audits++;
      so.audit(unit, graded(true) - graded(random() >= loss), 'next');
    }
    if (request % REQUESTS_A_LOOK > 0) continue;
    const move = canaryMove(CANARY, state, so.evidence(state.stage, undefined), request);
    if (move.kind === 'advance') state.stage = move.stage;
    else if (move.kind !== 'stay') {
      const end = move.kind === 'promote' ? 'promoted' : 'rolled-back';
      return { end, requests: request, audits, reason: move.reason };
    }
  }
  return { end: 'running', requests: MOST_REQUESTS, audits, reason: '' };
}
