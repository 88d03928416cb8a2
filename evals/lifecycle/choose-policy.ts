import type { Manifest, Rung } from '../../router/artifact/index.ts';
import {
  clopperPearsonInterval,
  costSaved,
  costSavedInterval,
  countEscalated,
  differenceBound,
  mean,
  qualityLosses,
  shuffledOrder,
} from '../../router/statistics/index.ts';
import type { Case } from '../cases/index.ts';
import {
  amountsAt,
  chooseThreshold,
  decisionScores,
  rungsAt,
  strictestWorthwhile,
  type ThresholdRule,
} from '../threshold/index.ts';
import type { ScoredCases } from './calibration.ts';
import { outcome } from './labelled-data.ts';

const DEFAULT_CONFIDENCE = 0.95;

/** Two points of quality: what most teams would not notice, and the margin that the documentation uses throughout. */
export const DEFAULT_RULE = {
  rule: 'max-quality-loss',
  target: 0.02,
  confidence: DEFAULT_CONFIDENCE,
} as const satisfies ThresholdRule;

/** Seeds the order in which the betting bound takes the cases. */
const SEED = 1;

type ChosenPolicy = Pick<Manifest['policy'], 'threshold' | 'walk_from' | 'chosen_by' | 'expected'>;

/**
 * The threshold by the rule, and what it does to these cases, with bounds at the rule's confidence. Where the rule promises quality the
 * gate finds the threshold on other cases: this one is a preview, and the gate's walk begins where a few of these cases stay cheap.
 */
export function choosePolicy(
  calibration: ScoredCases,
  cases: readonly Case[],
  ladder: readonly Rung[],
  rule: ThresholdRule,
): ChosenPolicy {
  const scores = decisionScores(calibration);
  const { threshold } = chooseThreshold({ probabilities: scores, quality: calibration.quality }, rule);
  const confidence = rule.rule === 'max-quality-loss' ? rule.confidence : DEFAULT_CONFIDENCE;
  return {
    threshold,
    ...(rule.rule === 'max-quality-loss' && { walk_from: strictestWorthwhile(scores) }),
    chosen_by: rule,
    expected: expectation(threshold, confidence, calibration, cases, ladder),
  };
}

function expectation(
  threshold: number,
  confidence: number,
  scored: ScoredCases,
  cases: readonly Case[],
  ladder: readonly Rung[],
): NonNullable<ChosenPolicy['expected']> {
  const n = cases.length;
  const delta = 1 - confidence;
  const rungs = rungsAt(decisionScores(scored), threshold);
  const losses = qualityLosses(scored.quality, rungs);
  const escalated = countEscalated(rungs);
  const rate = clopperPearsonInterval(escalated, n, delta);
  const loss = differenceBound.interval(
    Float64Array.from(shuffledOrder(n, SEED), (row) => losses[row]!),
    delta,
  );
  return {
    n,
    escalation_rate: escalated / n,
    escalation_rate_bounds: { lower: rate.low, upper: rate.high, confidence },
    quality_loss: mean(losses),
    quality_loss_bounds: { lower: loss.low, upper: loss.high, confidence },
    ...savings(rungs, threshold, confidence, scored, cases, ladder),
  };
}

/** Against always the strongest; nothing unless every case's cost is known on every rung. */
function savings(
  rungs: Int32Array,
  threshold: number,
  confidence: number,
  { cascade }: ScoredCases,
  cases: readonly Case[],
  ladder: readonly Rung[],
): Pick<NonNullable<ChosenPolicy['expected']>, 'cost_saved' | 'cost_saved_interval'> {
  const costs = ladder.map(({ model }) =>
    Float64Array.from(cases, (one) => outcome(one, model).costUsd ?? Number.NaN),
  );
  if (costs.some((column) => column.some(Number.isNaN))) return {};
  const served = amountsAt(costs, threshold, cascade);
  const routed = Float64Array.from(rungs, (rung, row) => served[rung]![row]!);
  const strong = costs.at(-1)!;
  const saved = costSaved(routed, strong);
  const interval = costSavedInterval(routed, strong, confidence);
  return {
    ...(saved !== undefined && { cost_saved: saved }),
    ...(interval && { cost_saved_interval: { lower: interval.low, upper: interval.high, confidence } }),
  };
}
