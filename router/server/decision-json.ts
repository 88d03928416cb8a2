import type { z } from 'zod';
import type { CandidateExplanation } from '../classifier/index.ts';
import type { Decision, Explained } from '../router.ts';
import type { decisionSchema } from './schemas/response.ts';

export type DecisionJson = z.infer<typeof decisionSchema>;

/** A decision in the words of the HTTP API. */
export function decisionJson(decision: Decision): DecisionJson {
  return {
    id: decision.id,
    model: decision.model,
    candidate: decision.candidate,
    escalated: decision.escalated,
    scores: decision.scores,
    predicted_loss: decision.predictedLoss,
    threshold: decision.threshold,
    reason: decision.reason,
    policy: decision.policy,
    artifact: decision.artifact,
    stale: decision.stale,
    verdict: decision.verdict,
    ungated_reason: decision.ungatedReason,
    latency_ms: Math.round(decision.latencyMs * 1000) / 1000,
  };
}

export function explainedJson({ decision, explanation }: Explained): DecisionJson {
  const byCandidate =
    explanation &&
    Object.fromEntries(Object.entries(explanation).map(([candidate, e]) => [candidate, candidateJson(e)]));
  return { ...decisionJson(decision), explanation: byCandidate };
}

type CandidateJson = NonNullable<NonNullable<DecisionJson['explanation']>[string]>;

function candidateJson(explanation: CandidateExplanation): CandidateJson {
  const { logit, intercept, features, wordPieces, wordPairs, embedding } = explanation;
  return {
    logit,
    intercept,
    features: [...features],
    word_pieces: [...wordPieces],
    word_pairs: [...wordPairs],
    ...(embedding !== undefined && { embedding }),
  };
}
