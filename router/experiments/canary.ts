import type { DifferenceInterval } from '../statistics/index.ts';
import type { Canary, CanaryRules } from './experiment.ts';
import type { ExperimentState } from './experiment-state.ts';

/**
 * Candidate minus the profile itself; of latency and cost with the profile's own times (1 + what is allowed). Undefined: nothing can be said yet.
 * Each end is wrong with half of a rule's error at most.
 */
export interface CanaryComparison {
  readonly errors: DifferenceInterval | undefined;
  readonly latency: DifferenceInterval | undefined;
  readonly cost: DifferenceInterval | undefined;
  readonly score: DifferenceInterval | undefined;
}

/** What is known about a candidate compared with the profile whose place it is to take, since the canary was started: over all stages at which both had requests. */
export interface CanaryEvidence extends CanaryComparison {
  /** Requests of the candidate since the stage began. */
  readonly stageRequests: number;
  /** Requests of the profile itself since the start: what the last stage is compared with. */
  readonly controlRequests: number;
  /** The candidate since it has all requests, compared with the profile at the stages before: of different times. */
  readonly lastStage: CanaryComparison;
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
  const { stageRequests, controlRequests, audits, standingFault } = evidence;
  if (standingFault !== undefined)
    return {
      kind: 'roll-back',
      stage,
      reason: `the candidate may not serve any more: ${standingFault.replace(/\.$/, '')}`,
    };
  const isLast = stage >= canary.stages.length - 1;
  const audited = auditCheck(canary, canary.rules.maxAuditLoss, audits);
  const atRandom = checksOf(canary, evidence);
  const alone = isLast ? checksOf(canary, evidence.lastStage, ' at the stages before') : [];
  const broken = [...atRandom, ...alone, ...audited].find(({ isBroken }) => isBroken);
  if (broken !== undefined) return { kind: 'roll-back', stage, reason: broken.text };
  const stay = (reason: string): CanaryMove => ({ kind: 'stay', reason });
  const leftMs = Date.parse(since) + canary.holdMs - nowMs;
  if (stageRequests < canary.minRequests)
    return stay(`${stageRequests} of ${canary.minRequests} requests of this stage`);
  if (stage === canary.stages.length - 2 && controlRequests < canary.minRequests)
    return stay(
      `${controlRequests} of ${canary.minRequests} requests of the profile itself, which the last stage is compared with`,
    );
  if (audits.n < canary.minAudits) return stay(`${audits.n} of ${canary.minAudits} audits`);
  if (leftMs > 0) return stay(`this stage lasts ${Math.ceil(leftMs / 60_000)} more minutes at least`);
  if (isLast && canary.rules.maxErrorIncrease !== undefined && evidence.lastStage.errors === undefined)
    return stay('nothing is known of the profile that the candidate could be compared with');
  const doubtful = [...(isLast ? alone : atRandom), ...audited].find(({ isBeyond }) => isBeyond);
  if (doubtful !== undefined) return stay(`not decided yet: ${doubtful.text}`);
  const reason = `${stageRequests} requests of this stage within all rules`;
  return isLast ? { kind: 'promote', stage, reason } : { kind: 'advance', stage: stage + 1, reason };
}

interface Check {
  /** Surely. */
  readonly isBroken: boolean;
  /** By the estimate. */
  readonly isBeyond: boolean;
  readonly text: string;
}

/** @param when the profile was as it is compared with; empty: at the same time */
function checksOf(
  { rules }: Pick<Canary, 'rules'>,
  { errors, latency, cost, score }: CanaryComparison,
  when = '',
): Check[] {
  const { maxErrorIncrease, maxLatencyIncrease, maxCostIncrease, maxScoreDecrease } = rules;
  const above = (
    interval: DifferenceInterval | undefined,
    limit: number | undefined,
    most: number,
    text: (interval: DifferenceInterval, limit: number) => string,
    unknown?: string,
  ): Check[] => {
    if (limit === undefined) return [];
    if (interval === undefined)
      return unknown === undefined ? [] : [{ isBroken: false, isBeyond: true, text: unknown }];
    const { estimate, low } = interval;
    return [{ isBroken: low > most, isBeyond: estimate > most, text: text(interval, limit) }];
  };
  const share = (what: string) => (interval: DifferenceInterval, limit: number) =>
    `${what}${when && ` than the profile's${when}`}: ${rangeText(interval)}, allowed ${limit}`;
  const amount = (what: string, unit: string) => (interval: DifferenceInterval, limit: number) =>
    `${what}${when} and the allowed ${digits(100 * limit)} % more: by ${rangeText(interval, unit)}`;
  const tooFew = (what: string) => `too little is known yet of ${what}${when && `, here and${when}`}`;
  const negated = score && { low: -score.high, estimate: -score.estimate, high: -score.low };
  return [
    ...above(errors, maxErrorIncrease, maxErrorIncrease ?? 0, share('the share of failed replies is higher')),
    ...above(
      latency,
      maxLatencyIncrease,
      0,
      amount("replies take longer than the profile's", ' ms'),
      tooFew('how long replies take'),
    ),
    ...above(
      cost,
      maxCostIncrease,
      0,
      amount("replies cost more than the profile's", ' USD'),
      tooFew('what replies cost'),
    ),
    ...above(negated, maxScoreDecrease, maxScoreDecrease ?? 0, share('the mean score of feedback is lower')),
  ];
}

/** An interval without ends is left out. */
function rangeText({ estimate, low, high }: DifferenceInterval, unit = ''): string {
  const ends = Number.isFinite(low) && Number.isFinite(high) ? ` (${digits(low)} to ${digits(high)})` : '';
  return `${digits(estimate)}${unit}${ends}`;
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
