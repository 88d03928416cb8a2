import {
  asymptoticMean,
  boundedMean,
  type DifferenceInterval,
  differenceOfMeans,
  type MeanSequence,
} from '../statistics/index.ts';
import { byMetric, type ControlFactors, isBounded, type Metric } from './metrics.ts';

/** What is known of a candidate that has all requests, compared with the profile while it still had some. */
export type LastStage = Readonly<Record<Metric, DifferenceInterval | undefined>>;

/**
 * At the last stage nothing is drawn: nobody is left to compare with at the same time. So the candidate's requests of that stage are compared with the
 * profile's of all stages before.
 * @param delta of each difference
 */
export function lastStage(delta: number, factors: ControlFactors) {
  const sequences = () =>
    byMetric((metric): MeanSequence => (isBounded(metric) ? boundedMean : asymptoticMean)(delta / 2));
  const [control, candidate] = [sequences(), sequences()];
  return {
    observe(metric: Metric, isCandidate: boolean, value: number): void {
      if (isCandidate) candidate[metric].observe(value);
      else control[metric].observe(value * (factors[metric] ?? 1));
    },
    differences: (): LastStage => byMetric((metric) => differenceOfMeans(candidate[metric], control[metric])),
  };
}
