import type { MeanTest } from '../../../evals/threshold/index.ts';
import { bettingPValue, compensatedSum, hoeffdingBentkusPValue } from '../../../router/statistics/index.ts';
import { bootstrapCounts, bootstrapTest } from './bootstrap-test.ts';

/** A way to certify, by name. Each walk and each single question begins a test of its own. */
export interface Method {
  readonly name: string;
  begin(): MeanTest;
}

/** The one that the gate uses: the others are there to be compared with it. */
export const DEFAULT_METHOD = 'betting';

export const BOOTSTRAP_RESAMPLES = 1000;

/** Fixed beforehand: see bootstrapTest. */
const BOOTSTRAP_SEED = 1;

/** Betting, Hoeffding-Bentkus, the percentile bootstrap and no bound at all, for samples of n cases. */
export function methodsFor(n: number): readonly Method[] {
  const counts = bootstrapCounts(n, BOOTSTRAP_RESAMPLES, BOOTSTRAP_SEED);
  return [
    { name: DEFAULT_METHOD, begin: () => bettingPValue },
    { name: 'hoeffding-bentkus', begin: () => hoeffdingBentkusPValue },
    { name: 'bootstrap', begin: () => bootstrapTest(counts) },
    { name: 'point-estimate', begin: () => pointEstimate },
  ];
}

/** Believes the sample: a mean at or below the limit counts as proof. */
const pointEstimate: MeanTest = (values, limit) =>
  compensatedSum(values) <= limit * values.length + 1e-9 ? 0 : 1;
