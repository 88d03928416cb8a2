import { driftTest, meanOfLogs, populationStabilityIndex } from '../statistics/index.ts';
import { binOf, type Population } from './population.ts';

/** How requests compare with those that the verdict is of. */
export interface DriftStatus {
  /** Requests since the watch began. */
  readonly n: number;
  /** Natural logarithm of the evidence that they come from elsewhere. */
  readonly logEvidence: number;
  /** The evidence passed 1 / (1 - confidence). */
  readonly isAlarmed: boolean;
  /** Those that moved the most come first. */
  readonly features: readonly FeatureDrift[];
}

export interface FeatureDrift {
  readonly name: string;
  readonly logEvidence: number;
  /** Population stability index: below .1 is stable, above .25 a shift. */
  readonly psi: number;
}

export interface DriftWatch {
  /** @param values of one request, in the order of the names; NaN for what is not known */
  observe(values: ArrayLike<number>): void;
  /** The evidence passed 1 / (1 - confidence), now or before. */
  isAlarmed(): boolean;
  status(): DriftStatus;
}

/**
 * Watches whether requests still are like those that the verdict is of, after each of them. Without a change the probability of ever raising an alarm
 * is at most 1 - confidence, over all features together: the evidence is the mean of their e-values.
 * @param names of the values that `observe` gets
 * @param random in [0, 1): breaks ties
 */
export function createDriftWatch(
  population: Population,
  names: readonly string[],
  confidence: number,
  random: () => number = Math.random,
): DriftWatch {
  const known = new Map(population.features.map((feature) => [feature.name, feature]));
  const watched = names.flatMap((name, column) => {
    const feature = known.get(name);
    return feature === undefined ? [] : [{ ...feature, column, test: driftTest(feature.counts) }];
  });
  const limit = -Math.log(1 - confidence);
  let n = 0;
  let isAlarmed = false;
  const logEvidence = () =>
    watched.length === 0 ? 0 : meanOfLogs(watched.map(({ test }) => test.logValue()));

  return {
    observe(values) {
      n++;
      for (const { column, edges, test } of watched) {
        const value = values[column]!;
        if (!Number.isNaN(value)) test.observe(binOf(edges, value), random());
      }
      isAlarmed ||= logEvidence() >= limit;
    },
    isAlarmed: () => isAlarmed,
    status: () => ({
      n,
      logEvidence: logEvidence(),
      isAlarmed,
      features: watched
        .map(({ name, counts, test }) => ({
          name,
          logEvidence: test.logValue(),
          psi: populationStabilityIndex(counts, test.seen()),
        }))
        .sort((a, b) => b.logEvidence - a.logEvidence),
    }),
  };
}
