import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canaryEvidence } from '../../router/experiment-results/index.ts';
import { type Canary, canaryMove } from '../../router/experiments/index.ts';
import type { DecisionRecord } from '../../router/records/index.ts';
import { seededRandom } from '../../router/statistics/index.ts';

const CANARY: Canary = {
  name: 'next',
  kind: 'canary',
  profile: 'default',
  candidate: 'next',
  unit: 'session',
  confidence: 0.95,
  stages: [0.5, 1],
  minRequests: 100,
  minAudits: 0,
  holdMs: 0,
  rules: {
    maxErrorIncrease: 0.05,
    maxLatencyIncrease: 0.2,
    maxCostIncrease: 0.2,
    maxScoreDecrease: 0.1,
    maxAuditLoss: undefined,
  },
};

interface Candidate {
  readonly good: number;
  readonly ms: number;
  readonly costUsd: number;
  readonly score: number;
}

const FINE: Candidate = { good: 0.98, ms: 100, costUsd: 0.01, score: 0.8 };

/** A canary whose candidate is fine, and at its last stage another one. @param units that come again and again; undefined: each request is one */
function ended(atLast: Candidate, seed: number, units?: number) {
  const random = seededRandom(seed);
  const so = canaryEvidence(CANARY, 0, { candidate: () => 'b', control: () => 'a' });
  let stage = 0;
  for (let i = 0; i < 6_000; i++) {
    const share = CANARY.stages[stage]!;
    const isCandidate = random() < share;
    const { good, ms, costUsd, score } = stage === 1 ? atLast : FINE;
    const unit = units === undefined ? `${i}` : `${Math.floor(units * random())} ${isCandidate}`;
    const id = `dec_${i}`;
    so.decision({
      id,
      time: new Date(i).toISOString(),
      operation: 'chat',
      status: random() < good ? 200 : 502,
      ended: 'whole',
      reason: 'within-threshold',
      cost_usd: costUsd * (0.5 + random()),
      duration_ms: ms * (0.5 + random()),
      experiment: {
        name: 'next',
        arm: isCandidate ? 'candidate' : 'control',
        propensity: isCandidate ? share : 1 - share,
        unit,
      },
    } as DecisionRecord);
    if (random() < 0.9) so.score(id, Number(random() < score));
    const move = canaryMove(
      CANARY,
      { stage, stage_since: new Date(0).toISOString() },
      so.evidence(stage, undefined),
      i,
    );
    if (move.kind === 'advance') stage = move.stage;
    else if (move.kind !== 'stay') return { ...move, i };
  }
  return { kind: 'stay', stage, reason: '', i: 6_000 } as const;
}

const HARMS = [
  ['fails', { ...FINE, good: 0 }, 'failed replies'],
  ['fails in half', { ...FINE, good: 0.5 }, 'failed replies'],
  ['takes twice as long', { ...FINE, ms: 200 }, 'replies take longer'],
  ['costs twice as much', { ...FINE, costUsd: 0.02 }, 'replies cost more'],
  ['is rated 0', { ...FINE, score: 0 }, 'score of feedback'],
] as const;

test.each(HARMS)('what %s at the last stage alone is sent back, and never promoted', (_, atLast, reason) => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const move = ended(atLast, seed);
      expect(move).toMatchObject({ kind: 'roll-back', stage: 1 });
      expect(move.reason).toContain(reason);
      expect(move.reason).toContain('at the stages before');
    }),
    { numRuns: 25, seed: 5 },
  );
});

test('what stays fine is promoted', () => {
  const ends = Array.from({ length: 100 }, (_, seed) => ended(FINE, seed).kind);
  expect(ends.filter((kind) => kind === 'promote').length).toBeGreaterThanOrEqual(95);
  expect(ends.filter((kind) => kind === 'roll-back').length).toBeLessThanOrEqual(5);
});

test('conversations that come again count at the last stage by their first request there', () => {
  const harmful = ended({ ...FINE, good: 0 }, 1, 300);
  expect(harmful).toMatchObject({ kind: 'roll-back', stage: 1 });
});
