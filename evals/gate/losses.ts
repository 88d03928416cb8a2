import type { VerdictWord } from '../../router/artifact/index.ts';
import type { Bounds, Further } from './judge.ts';
import type { Replay } from './replay.ts';
import type { Sealed } from './subject.ts';

/** What is not known counts as the worst that it can be. */
export const WORST = 1;

/** What routing gives away against always-strong on each case; `unknown` if an outcome that this needs is missing. Shape [n] */
export function lossesAt(
  heldOut: Pick<Replay, 'quality' | 'n'>,
  rungs: ArrayLike<number>,
  unknown: number,
): Float64Array {
  return Float64Array.from({ length: heldOut.n }, (_, row) => lossOf(heldOut, row, rungs[row]!, unknown));
}

/** A case on the strongest rung loses nothing, whether or not anybody labelled it. */
export function lossOf(
  { quality }: Pick<Replay, 'quality'>,
  row: number,
  rung: number,
  unknown: number,
): number {
  const strongest = quality.length - 1;
  if (rung === strongest) return 0;
  const loss = quality[strongest]![row]! - quality[rung]![row]!;
  return Number.isNaN(loss) ? unknown : loss;
}

/** Cases with the outcome of every candidate. */
export function countLabelled({ quality }: Replay, rows: ArrayLike<number>): number {
  let labelled = 0;
  const isKnown = (row: number) => {
    for (const column of quality) if (Number.isNaN(column[row]!)) return false;
    return true;
  };
  for (let i = 0; i < rows.length; i++) labelled += Number(isKnown(rows[i]!));
  return labelled;
}

/**
 * What a limit on all requests demands of the cases that have labels. All of them, as a rule; where only those were labelled that may stay
 * cheap, the mean over all is at most the upper bound of their share times theirs.
 */
export function scaleOf({ delta, below }: Sealed, max: number) {
  if (below === undefined) {
    return {
      delta,
      limit: max,
      ofAll: { value: (mean: number) => mean, bounds: (bounds: Bounds) => bounds },
    };
  }
  const { value, lower, upper } = below.share;
  const largest = (bound: number) => bound * (bound > 0 ? upper : lower);
  const smallest = (bound: number) => bound * (bound > 0 ? lower : upper);
  return {
    delta: below.delta,
    limit: Math.min(1, max / upper),
    ofAll: {
      value: (mean: number) => value * mean,
      bounds: (bounds: Bounds) => ({ lower: smallest(bounds.lower), upper: largest(bounds.upper) }),
    },
  };
}

/** Without the noise that scaling a limit to the labelled part and back adds. */
export function agreeing(verdict: VerdictWord, { lower, upper }: Bounds, max: number): Bounds {
  return { lower, upper: verdict === 'PASS' ? Math.min(upper, max) : upper };
}

/** Several findings as one, their notes joined. */
export function withNotes(parts: readonly Further[]): Further {
  const notes = parts.flatMap(({ note }) => note ?? []);
  return Object.assign({}, ...parts, notes.length > 0 && { note: notes.join('; ') });
}

/** @param labels that the cases lack, in words */
export function unsureNote(cases: number, labels: string): string {
  return `${cases} cases do not say their ${labels} and may be of the slice: each counts as a loss of at least the margin`;
}
