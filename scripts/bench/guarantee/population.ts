import type { CalibrationCases } from '../../../evals/threshold/index.ts';
import { predictedLoss } from '../../../router/policy/index.ts';

/** All cases of a set with their scores. Samples are drawn from it, so that what is true of it is known exactly. */
export interface Population extends CalibrationCases {
  readonly set: string;
  /** Of the file that it was read from, in hex. */
  readonly sha256: string;
}

/** What a threshold does to the whole population. */
export interface Truth {
  /** Mean of q(strong) - q(cheap). */
  readonly gap: number;
  at(threshold: number): { readonly escalationRate: number; readonly loss: number };
}

/** Sorted once: O(n log n), then O(log n) a threshold. */
export function truthOf({ probabilities, quality }: CalibrationCases): Truth {
  const [cheap, strong] = [quality[0]!, quality[1]!];
  const n = cheap.length;
  const scores = Float64Array.from(cheap, (_, row) => scoreOf(probabilities, row));
  const order = Uint32Array.from(scores.keys()).sort((a, b) => scores[a]! - scores[b]!);
  const lost = new Float64Array(n + 1);
  order.forEach((row, i) => {
    lost[i + 1] = lost[i]! + strong[row]! - cheap[row]!;
  });
  const sorted = scores.sort();
  return {
    gap: lost[n]! / n,
    at(threshold) {
      const kept = countUpTo(sorted, threshold);
      return { escalationRate: 1 - kept / n, loss: lost[kept]! / n };
    },
  };
}

/** The cheap candidate's predicted loss of one case. */
export function scoreOf(probabilities: readonly Float64Array[], row: number): number {
  return predictedLoss([probabilities[0]![row]!, probabilities[1]![row]!], 0);
}

/** `n` rows drawn with replacement. */
export function drawRows(cases: CalibrationCases, n: number, random: () => number): Uint32Array {
  const among = cases.quality[0]!.length;
  const rows = new Uint32Array(n);
  for (let i = 0; i < n; i++) rows[i] = Math.floor(random() * among);
  return rows;
}

export function casesAt({ probabilities, quality }: CalibrationCases, rows: Uint32Array): CalibrationCases {
  return {
    probabilities: probabilities.map((column) => valuesAt(column, rows)),
    quality: quality.map((column) => valuesAt(column, rows)),
  };
}

export function valuesAt(column: Float64Array, rows: Uint32Array): Float64Array {
  const values = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) values[i] = column[rows[i]!]!;
  return values;
}

/** How many of the sorted values are at most `most`. */
function countUpTo(sorted: Float64Array, most: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= most) low = middle + 1;
    else high = middle;
  }
  return low;
}
