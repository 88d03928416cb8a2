import type { z } from 'zod';
import type { Standing } from '../artifact/index.ts';
import type { CandidateExplanation } from '../classifier/index.ts';
import type { WatchStatus } from '../monitoring/index.ts';
import type { decisionSchema, readinessSchema, standingSchema } from '../openapi/index.ts';
import type { Decision, Explained } from '../router.ts';

export type DecisionJson = z.infer<typeof decisionSchema>;

/** A decision as the HTTP API writes it. */
export function decisionJson(decision: Decision): DecisionJson {
  return {
    id: decision.id,
    model: decision.model,
    candidate: decision.candidate,
    escalated: decision.escalated,
    scores: decision.scores,
    predicted_loss: decision.predictedLoss,
    ...(decision.expectedLoss !== undefined && { expected_loss: decision.expectedLoss }),
    ...(decision.predictedTask && { predicted_task: { ...decision.predictedTask } }),
    threshold: decision.threshold,
    reason: decision.reason,
    ...(decision.rule !== undefined && { rule: decision.rule }),
    policy: decision.policy,
    artifact: decision.artifact,
    ...(decision.profile !== undefined && { profile: decision.profile }),
    stale: decision.stale,
    verdict: decision.verdict,
    ungated_reason: decision.ungatedReason,
    latency_ms: Math.round(decision.latencyMs * 1000) / 1000,
  };
}

/** The same with the sum behind each score. */
export function explainedJson({ decision, explanation }: Explained): DecisionJson {
  const byCandidate =
    explanation &&
    Object.fromEntries(Object.entries(explanation).map(([candidate, e]) => [candidate, candidateJson(e)]));
  return { ...decisionJson(decision), explanation: byCandidate };
}

type CandidateJson = NonNullable<NonNullable<DecisionJson['explanation']>[string]>;

function candidateJson(explanation: CandidateExplanation): CandidateJson {
  const { logit, intercept, features, wordPieces, wordPairs, embedding, neighbours } = explanation;
  return {
    logit,
    intercept,
    features: [...features],
    word_pieces: [...wordPieces],
    word_pairs: [...wordPairs],
    ...(embedding !== undefined && { embedding }),
    ...(neighbours && { neighbours: neighboursJson(neighbours) }),
  };
}

function neighboursJson({
  leastSimilarity,
  nearest,
  ...others
}: NonNullable<CandidateExplanation['neighbours']>): NonNullable<CandidateJson['neighbours']> {
  return {
    ...others,
    ...(leastSimilarity !== undefined && { least_similarity: leastSimilarity }),
    nearest: [...nearest],
  };
}

/** An artifact's standing as the HTTP API writes it. */
export function standingJson(standing: Standing): z.infer<typeof standingSchema> {
  if (standing.kind === 'none') {
    return { status: 'none', suite: null, issued: null, expires: null, why: standing.why };
  }
  const { suite, issued, expires } = standing;
  if (standing.kind === 'pass') return { status: 'PASS', suite, issued, expires, why: null };
  return { status: standing.kind, suite, issued, expires, why: standing.why };
}

/** Larger e-values say no more, and JSON has no infinity. */
const LARGEST_E_VALUE = 1e12;
const FEATURES_SHOWN = 3;

/** What the watch sees, as the HTTP API writes it. */
export function watchJson({
  drift,
  shares,
  audits,
}: WatchStatus): NonNullable<z.infer<typeof readinessSchema>['watch']> {
  return {
    ...(drift && {
      drift: {
        requests: drift.n,
        alarm: drift.isAlarmed,
        e_value: eValue(drift.logEvidence),
        moved: drift.features
          .slice(0, FEATURES_SHOWN)
          .map(({ name, psi, logEvidence }) => ({ feature: name, psi, e_value: eValue(logEvidence) })),
      },
    }),
    ...(shares && {
      shares: {
        requests: shares.n,
        rungs: [...shares.shares],
        alarm: shares.fault?.kind ?? null,
        e_value: eValue(shares.logEvidence),
      },
    }),
    ...(audits && {
      audits: {
        n: audits.n,
        mean_loss: audits.meanLoss ?? null,
        limit: audits.limit,
        e_value: eValue(audits.logEvidence),
        contradictions: audits.contradictions,
        threshold: audits.threshold ?? null,
      },
    }),
  };
}

function eValue(logEvidence: number): number {
  return Math.min(LARGEST_E_VALUE, Math.exp(logEvidence));
}
