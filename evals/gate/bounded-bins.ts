import { bettingLowerBound, bettingUpperBound, equalMassBins } from '../../router/statistics/index.ts';
import { mean } from './mean.ts';

/** One bin of the reliability diagram, with bounds of what was observed. */
export interface BoundedBin {
  readonly n: number;
  /** Mean probability, 0..1. */
  readonly predicted: number;
  /** Mean label, 0..1. */
  readonly observed: number;
  readonly low: number;
  readonly high: number;
}

const BINS = 10;

/**
 * Ten bins of equal mass, each with a lower and an upper betting bound of its mean label at 1 - delta.
 * @param probabilities, labels in an order that does not depend on them; inside a bin that order is kept
 */
export function boundedBins(probabilities: Float64Array, labels: Float64Array, delta: number): BoundedBin[] {
  return equalMassBins(probabilities, BINS).map((bin) => {
    const rows = bin.slice().sort();
    const observed = Float64Array.from(rows, (row) => labels[row]!);
    return {
      n: rows.length,
      predicted: mean(Float64Array.from(rows, (row) => probabilities[row]!)),
      observed: mean(observed),
      low: bettingLowerBound(observed, delta),
      high: bettingUpperBound(observed, delta),
    };
  });
}
