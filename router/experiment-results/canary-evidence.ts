import {
  CANDIDATE,
  type Canary,
  type CanaryComparison,
  type CanaryEvidence,
  deltaOfRule,
} from '../experiments/index.ts';
import type { ResultsReader } from './arrival-order.ts';
import type { LastStage } from './last-stage.ts';
import { auditEvidence, resultsSoFar } from './results.ts';

/** What the rules of one canary are judged by, gathered from the log. */
export interface CanaryEvidenceSoFar extends ResultsReader {
  /** @param stage from 0 @param standingFault why the candidate may not serve; undefined if it may */
  evidence(stage: number, standingFault: string | undefined): CanaryEvidence;
}

/** Which artifacts decide: an audit of a request that is not remembered any more is told by its artifact. */
export interface CanaryArtifacts {
  readonly candidate: () => string;
  readonly control: () => string;
}

/** @param startedMs what came before does not count */
export function canaryEvidence(
  canary: Canary,
  startedMs: number,
  artifacts: CanaryArtifacts,
): CanaryEvidenceSoFar {
  const { rules } = canary;
  const results = resultsSoFar(canary, startedMs, deltaOfRule(canary), {
    duration_ms: 1 + (rules.maxLatencyIncrease ?? 0),
    cost_usd: 1 + (rules.maxCostIncrease ?? 0),
  });
  const audits = auditEvidence(rules.maxAuditLoss);
  /** Requests of the candidate by its share at that time, which tells the stage. */
  const byShare = new Map<number, number>();

  function isCandidates(decisionId: string, artifact: string): boolean {
    if (artifact !== artifacts.candidate()) return false;
    const arm = results.armOf(decisionId);
    return arm === undefined ? artifact !== artifacts.control() : arm === CANDIDATE;
  }

  return {
    isCounted: results.isCounted,
    decision(record) {
      results.decision(record);
      if (!results.isCounted(record) || record.experiment?.arm !== CANDIDATE) return;
      const { propensity } = record.experiment;
      byShare.set(propensity, (byShare.get(propensity) ?? 0) + 1);
    },
    people: results.people,
    score: results.score,
    audit(decisionId, loss, artifact) {
      if (isCandidates(decisionId, artifact)) audits.observe(loss);
    },
    evidence(stage, standingFault) {
      const {
        arms: [control, candidate],
        lastStage,
      } = results.results();
      return {
        stageRequests: byShare.get(canary.stages[stage] ?? 1) ?? 0,
        controlRequests: control!.requests,
        ...comparisonOf(candidate!.differences),
        lastStage: comparisonOf(lastStage!),
        audits: audits.status(),
        standingFault,
      };
    },
  };
}

function comparisonOf(differences: LastStage): CanaryComparison {
  const { success, duration_ms: latency, cost_usd: cost, score } = differences;
  const errors = success && { estimate: -success.estimate, low: -success.high, high: -success.low };
  return { errors, latency, cost, score };
}
