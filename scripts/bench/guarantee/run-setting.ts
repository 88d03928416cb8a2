import type { CalibrationCases } from '../../../evals/threshold/index.ts';
import { seededRandom } from '../../../router/statistics/index.ts';
import { stepsOfWalk } from './gate.ts';
import { type Method, methodsFor } from './methods.ts';
import {
  casesInRows,
  drawRows,
  type KnownPolicy,
  knownPolicies,
  type Population,
  populationTruth,
  type Truth,
  valuesInRows,
} from './population.ts';
import { type Certification, type GateResult, SCHEMA_VERSION, type SettingResult } from './results.ts';
import { type Repeats, type Setting, settingSeed } from './settings.ts';

/**
 * Draws samples of n cases from the population, with replacement. On each sample every method certifies a threshold and judges policies
 * of known loss; all methods see the same samples. Deterministic.
 *
 * @param methods by default those of methodsFor
 */
export function runSetting(
  population: Population,
  setting: Setting,
  { resamples, seed }: Repeats,
  methods: readonly Method[] = methodsFor(setting.n, stepsOfWalk(population.probabilities)),
): SettingResult {
  const truth = populationTruth(population);
  const policies = knownPolicies(population, truth, setting.maxQualityLoss);
  const certifying = methods.map((method) => certificationTally(method, setting, truth));
  const judging = policies.map((policy) => gateTally(policy, setting, methods));
  const random = seededRandom(settingSeed(setting, seed));
  for (let resample = 0; resample < resamples; resample++) {
    const rows = drawRows(population, setting.n, random);
    const sample = casesInRows(population, rows);
    for (const tally of certifying) tally.add(sample);
    for (const tally of judging) tally.add(rows);
  }
  return {
    schema_version: SCHEMA_VERSION,
    set: setting.set,
    data_sha256: population.sha256,
    n: setting.n,
    max_quality_loss: setting.maxQualityLoss,
    confidence: setting.confidence,
    resamples,
    seed,
    certification: certifying.map((tally) => tally.result(resamples)),
    gate: judging.map((tally) => tally.result()),
  };
}

function certificationTally(method: Method, setting: Setting, truth: Truth) {
  const counts = { violations: 0, certified: 0, cheaper_than_random: 0 };
  const sums = { escalation: 0, loss: 0, randomNeeds: 0 };
  return {
    add(sample: CalibrationCases): void {
      const threshold = method.certify(sample, setting);
      const { escalationRate, loss } =
        threshold === undefined ? { escalationRate: 1, loss: 0 } : truth.at(threshold);
      const randomNeeds = 1 - loss / truth.gap;
      if (threshold !== undefined) counts.certified++;
      if (loss > setting.maxQualityLoss) counts.violations++;
      if (escalationRate < randomNeeds) counts.cheaper_than_random++;
      sums.escalation += escalationRate;
      sums.loss += loss;
      sums.randomNeeds += randomNeeds;
    },
    result: (resamples: number): Certification => ({
      method: method.name,
      ...counts,
      escalation_rate: sums.escalation / resamples,
      true_loss: sums.loss / resamples,
      random_escalation_rate: sums.randomNeeds / resamples,
    }),
  };
}

/** PASS means that the sample proves that the policy keeps to the margin. */
function gateTally(policy: KnownPolicy, setting: Setting, methods: readonly Method[]) {
  const passes = methods.map(({ name }) => ({ method: name, passes: 0 }));
  return {
    add(rows: Uint32Array): void {
      const losses = valuesInRows(policy.losses, rows);
      methods.forEach((method, i) => {
        if (method.passes(losses, setting)) passes[i]!.passes++;
      });
    },
    result: (): GateResult => ({
      times_margin: policy.timesMargin,
      threshold: policy.threshold,
      true_loss: policy.trueLoss,
      escalation_rate: policy.escalationRate,
      passes,
    }),
  };
}
