import type { DifferenceInterval } from '../statistics/index.ts';
import type { Canary, CanaryRules } from './experiment.ts';
import type { ExperimentState } from './experiment-state.ts';

/** What is known about a candidate compared with the profile whose place it is to take, since the canary was started. */
export interface CanaryEvidence {
  /** Requests of the candidate since the stage began. */
  readonly stageRequests: number;
  /** Candidate minus the profile itself; of latency and cost with the profile's own times (1 + what is allowed). Undefined: nothing can be said yet. */
  readonly errors: DifferenceInterval | undefined;
  readonly latency: DifferenceInterval | undefined;
  readonly cost: DifferenceInterval | undefined;
  readonly score: DifferenceInterval | undefined;
  readonly audits: {
    readonly n: number;
    readonly mean: number | undefined;
    /** P-value of "the mean loss is within the limit": at most the error probability of one rule if the limit is broken. */
    readonly pValue: number;
  };
  /** Why the candidate may not serve now; undefined if it may. */
  readonly standingFault: string | undefined;
}

export type CanaryMove =
  | { readonly kind: 'stay'; readonly reason: string }
  | { readonly kind: 'advance' | 'promote' | 'roll-back'; readonly stage: number; readonly reason: string };

/** The error probability that each rule of a canary may spend: all together spend 1 - confidence. */
export function deltaOfRule({ rules, confidence }: Pick<Canary, 'rules' | 'confidence'>): number {
  return (1 - confidence) / Math.max(1, Object.values(rules).filter((limit) => limit !== undefined).length);
}

/**
 * What follows from the evidence. Back as soon as one rule is surely broken; on when the stage has lasted and no estimate is beyond its limit; else it stays.
 * Pure: the same evidence gives the same move on every instance.
 */
export function canaryMove(
  canary: Canary,
  { stage, stage_since: since }: Pick<ExperimentState, 'stage' | 'stage_since'>,
  evidence: CanaryEvidence,
  nowMs: number,
): CanaryMove {
  const { stageRequests, audits, standingFault } = evidence;
  if (standingFault !== undefined)
    return {
      kind: 'roll-back',
      stage,
      reason: `the candidate may not serve any more: ${standingFault.replace(/\.$/, '')}`,
    };
  const checks = checksOf(canary, evidence);
  const broken = checks.find(({ isBroken }) => isBroken);
  if (broken !== undefined) return { kind: 'roll-back', stage, reason: broken.text };
  const stay = (reason: string): CanaryMove => ({ kind: 'stay', reason });
  const leftMs = Date.parse(since) + canary.holdMs - nowMs;
  if (stageRequests < canary.minRequests)
    return stay(`${stageRequests} of ${canary.minRequests} requests of this stage`);
  if (audits.n < canary.minAudits) return stay(`${audits.n} of ${canary.minAudits} audits`);
  if (leftMs > 0) return stay(`this stage lasts ${Math.ceil(leftMs / 60_000)} more minutes at least`);
  const doubtful = checks.find(({ isBeyond }) => isBeyond);
  if (doubtful !== undefined) return stay(`not decided yet: ${doubtful.text}`);
  const reason = `${stageRequests} requests of this stage within all rules`;
  return stage >= canary.stages.length - 1
    ? { kind: 'promote', stage, reason }
    : { kind: 'advance', stage: stage + 1, reason };
}

interface Check {
  /** Surely. */
  readonly isBroken: boolean;
  /** By the estimate. */
  readonly isBeyond: boolean;
  readonly text: string;
}

function checksOf(canary: Canary, { errors, latency, cost, score, audits }: CanaryEvidence): Check[] {
  const { maxErrorIncrease, maxLatencyIncrease, maxCostIncrease, maxScoreDecrease, maxAuditLoss } =
    canary.rules;
  const above = (
    what: string,
    limit: number | undefined,
    interval: DifferenceInterval | undefined,
    most = 0,
  ) =>
    limit === undefined || interval === undefined
      ? []
      : [
          {
            isBroken: interval.low > most,
            isBeyond: interval.estimate > most,
            text: textOf(what, interval, limit),
          },
        ];
  const negated = score && { low: -score.high, estimate: -score.estimate, high: -score.low };
  return [
    ...above('the share of failed replies is higher', maxErrorIncrease, errors, maxErrorIncrease),
    ...above('replies take longer than allowed, by ms', maxLatencyIncrease, latency),
    ...above('replies cost more than allowed, by usd', maxCostIncrease, cost),
    ...above('the mean score of feedback is lower', maxScoreDecrease, negated, maxScoreDecrease),
    ...auditCheck(canary, maxAuditLoss, audits),
  ];
}

function textOf(what: string, { estimate, low, high }: DifferenceInterval, limit: number): string {
  return `${what}: ${digits(estimate)} (${digits(low)} to ${digits(high)}), allowed ${limit}`;
}

function auditCheck(
  canary: Canary,
  limit: CanaryRules['maxAuditLoss'],
  { n, mean, pValue }: CanaryEvidence['audits'],
): Check[] {
  if (limit === undefined || mean === undefined) return [];
  const text = `${n} audited requests of the candidate lose ${digits(mean)} in the mean, allowed ${limit}`;
  return [{ isBroken: pValue <= deltaOfRule(canary), isBeyond: mean > limit, text }];
}

function digits(value: number): string {
  return Number(value.toPrecision(3)).toString();
}

/** `stage 2 of 4 (5 %)`. @param stage from 0 */
export function stageText({ stages }: Pick<Canary, 'stages'>, stage: number): string {
  return `stage ${stage + 1} of ${stages.length} (${100 * (stages[stage] ?? 1)} %)`;
}
