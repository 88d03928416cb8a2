import type { FrontierPoint } from '../../router/artifact/index.ts';
import { ascendingOrder, escalationRate, mean } from '../../router/statistics/index.ts';
import { decisionScores, predictedLosses, walkSteps } from '../threshold/index.ts';
import { lossesAt, WORST } from './losses.ts';
import { measureCosts } from './measure.ts';
import type { PromiseCondition } from './promise-conditions.ts';
import { describedAt, type Sealed, type Subject, subjectAt } from './subject.ts';

const MOST_POINTS = 41;
const FEWEST_POINTS = 9;
/** Bounds the work of the bounds: fewer points if there are very many cases. */
const BOUNDED_CASES = 1e6;
/** As far as the walk goes. */
const [STRICTEST, LOOSEST] = [-1, 0.999];

/**
 * What thresholds from the strictest to the loosest do with the sealed cases, at even steps of the share that stays cheap. A description for people: the walk alone
 * proves a threshold.
 * @param loss the condition of the mean loss
 * @param served the threshold of the verdict, which is one of the points
 */
export function measureFrontier(sealed: Sealed, loss: PromiseCondition, served: number): FrontierPoint[] {
  return thresholds(sealed, served).map((threshold) => pointAt(sealed, loss, threshold));
}

/** Steps of the walk next to quantiles of the predicted losses, ascending. */
function thresholds({ heldOut }: Sealed, served: number): number[] {
  const scores = predictedLosses(decisionScores(heldOut));
  const order = ascendingOrder(scores);
  const steps = walkSteps(STRICTEST, LOOSEST);
  const points = Math.max(FEWEST_POINTS, Math.min(MOST_POINTS, Math.floor(BOUNDED_CASES / heldOut.n)));
  const last = heldOut.n - 1;
  const found = Array.from({ length: points }, (_, i) => {
    const score = scores[order[Math.round((i / (points - 1)) * last)]!]!;
    return steps.find((step) => step >= score) ?? LOOSEST;
  });
  return [...new Set([STRICTEST, ...found, served])].sort((a, b) => a - b);
}

function pointAt(sealed: Sealed, loss: PromiseCondition, threshold: number): FrontierPoint {
  const subject = subjectAt(sealed, threshold);
  const { value, bounds } = loss.describe(subject);
  const described = describedAt(sealed, threshold).subject;
  return {
    threshold,
    escalation_rate: sealed.below?.escalated(threshold) ?? escalationRate(described.labelled.rungs),
    quality_loss: value,
    loss_upper: bounds.upper,
    loss_variance: Math.min(1, lossVariance(subject)),
    cost_usd: sealed.below === undefined ? (measureCosts(described)?.routed_usd ?? null) : null,
  };
}

/** The variance of the cases' losses, with the worst loss for cases without a label. */
function lossVariance({ heldOut, rungs }: Subject): number {
  const losses = lossesAt(heldOut, rungs, WORST);
  const average = mean(losses);
  return mean(losses.map((one) => (one - average) ** 2));
}
