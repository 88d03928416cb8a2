import { PlimsollError } from '../errors.ts';
import { eProcess } from './e-process.ts';
import { requireNumbers } from './input-checks.ts';

/** How a reference sample falls into bins: shape [bins], whole numbers. */
export type BinCounts = ArrayLike<number>;

/** Whether a stream still comes from where a reference sample came from. */
export interface DriftTest {
  /** @param bin of the value, 0 to bins - 1. @param random in [0, 1), independent of all values: it breaks ties */
  observe(bin: number, random: number): void;
  /** The e-value now, as a natural logarithm. */
  logValue(): number;
  /** Values seen, by bin. */
  seen(): BinCounts;
}

const UNIT = { low: 0, high: 1 };

/** What is bet on of a p-value, each with mean 1/2 if it is uniform: low or high ones, those at both ends or in the middle. */
const BETS: readonly ((p: number) => number)[] = [
  (p) => p,
  (p) => 1 - p,
  (p) => Math.abs(2 * p - 1),
  (p) => 1 - Math.abs(2 * p - 1),
];

/**
 * A conformal test martingale. Of each value a p-value is taken among the reference and all values before it,
 *
 *   p = (values in higher bins + random (values in the same bin, itself among them)) / (values so far, itself among them)
 *
 * While reference and stream are exchangeable, these are independent and uniform, however small the reference. So the mean of four e-processes on them
 * ever passes 1/delta with probability at most delta; and it grows when the values move up, down, apart or together.
 * The bins must not depend on the sample that is counted in them. O(bins) a value.
 *
 * @param reference counts of the reference sample by bin, at least 2 bins
 * @throws PlimsollError `invalid-input`: fewer than 2 bins, counts that are none
 * @see Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2nd edition (2022), chapter 8; Vovk et al., Retrain or not retrain, arXiv 2102.10439
 */
export function driftTest(reference: BinCounts): DriftTest {
  requireCounts('reference', reference);
  const seen = new Float64Array(reference.length);
  const bets = BETS.map(() => eProcess(0.5, UNIT));
  return {
    observe(bin, random) {
      requireNumbers('bin', [bin], { min: 0, max: reference.length - 1 });
      let above = 0;
      let all = 1;
      for (let i = 0; i < reference.length; i++) {
        const count = reference[i]! + seen[i]!;
        all += count;
        if (i > bin) above += count;
      }
      const p = (above + random * (reference[bin]! + seen[bin]! + 1)) / all;
      seen[bin]!++;
      BETS.forEach((of, i) => {
        bets[i]!.observe(of(p));
      });
    },
    logValue: () => meanOfLogs(bets.map((bet) => bet.logValue())),
    seen: () => seen,
  };
}

/** The logarithm of the mean of e-values: again an e-value, whatever ties them. @param logs not empty */
export function meanOfLogs(logs: readonly number[]): number {
  const highest = Math.max(...logs);
  return highest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - highest), 0) / logs.length);
}

/** Added to each count, so that an empty bin has a logarithm. */
const HALF_A_VALUE = 0.5;

/**
 * Population stability index, sum over bins of (a - e) ln(a / e) with the shares e of the reference and a of the stream, each count raised by 1/2.
 * By convention below .1 is stable and above .25 a shift; it is a description and no test: on n values it is about (bins - 1) (1/n + 1/reference) without any shift.
 *
 * @returns 0 or more
 * @throws PlimsollError `invalid-input`: counts that are none, or of other bins
 * @see Siddiqi, Credit Risk Scorecards (2006), chapter 8 (system stability report)
 */
export function populationStabilityIndex(reference: BinCounts, stream: BinCounts): number {
  requireCounts('reference', reference);
  requireCounts('stream', stream, reference.length);
  const [expected, actual] = [shares(reference), shares(stream)];
  return expected.reduce((sum, e, i) => sum + (actual[i]! - e) * Math.log(actual[i]! / e), 0);
}

function shares(counts: BinCounts): number[] {
  const raised = Array.from(counts, (count) => count + HALF_A_VALUE);
  const all = raised.reduce((sum, count) => sum + count, 0);
  return raised.map((count) => count / all);
}

function requireCounts(name: string, counts: BinCounts, length = counts.length): void {
  requireNumbers(name, counts, { length, min: 0, max: Number.MAX_SAFE_INTEGER });
  if (counts.length < 2)
    throw new PlimsollError('invalid-input', `${name} has one bin: at least two are needed.`);
}
