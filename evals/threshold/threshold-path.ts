import { PlimsollError } from '../../router/errors.ts';
import { predictedLoss } from '../../router/policy/index.ts';

/** Calibration cases: `probabilities[rung][case]` and `quality[rung][case]`, cheapest rung first. */
export interface CalibrationCases {
  readonly probabilities: readonly Float64Array[];
  readonly quality: readonly Float64Array[];
}

/** What a threshold does to the calibration cases. */
export interface ThresholdPoint {
  readonly threshold: number;
  /** Share of cases above the cheapest rung, 0..1. */
  readonly escalationRate: number;
  /** Mean of q(strongest) - q(routed), in [-1, 1]. */
  readonly qualityLoss: number;
}

/** Below every predicted loss: everything goes to the strongest candidate. */
const ALWAYS_STRONG = -1;

/** Predicted losses closer than this are one step: the ONNX graph computes in float32 and may order them otherwise. */
const ROUNDING = 1e-6;

/**
 * Every different routing of the cases by one threshold, from always-strong to always-cheapest. As the threshold
 * rises a case moves to a cheaper rung where that rung's predicted loss comes within it. Each threshold lies halfway
 * between two predicted losses, so that rounding cannot move a case. O(n r log(n r)) for n cases and r rungs.
 */
export function thresholdPath({ probabilities, quality }: CalibrationCases): ThresholdPoint[] {
  const n = quality[0]?.length ?? 0;
  if (n === 0) throw new PlimsollError('invalid-input', 'There are no calibration cases.');
  const strongest = quality.length - 1;
  const moves = movesOf(probabilities);
  const rungOf = new Int32Array(n).fill(strongest);
  let escalated = n;
  let loss = 0;
  const path: ThresholdPoint[] = [{ threshold: ALWAYS_STRONG, escalationRate: 1, qualityLoss: 0 }];
  for (let i = 0; i < moves.length; i++) {
    const { case: row, rung, at } = moves[i]!;
    if (rung < rungOf[row]!) {
      loss += quality[rungOf[row]!]![row]! - quality[rung]![row]!;
      if (rung === 0) escalated--;
      rungOf[row] = rung;
    }
    const next = moves[i + 1]?.at;
    if (next !== undefined && next - at <= ROUNDING) continue;
    const threshold = next === undefined ? 1 : (at + next) / 2;
    path.push({ threshold, escalationRate: escalated / n, qualityLoss: loss / n });
  }
  return path;
}

/** One case that comes within reach of a cheaper rung. */
export interface Move {
  readonly case: number;
  readonly rung: number;
  /** The predicted loss from which on the case may go to the rung. */
  readonly at: number;
}

/** All moves, by rising threshold: of one case and threshold the dearer rung first. */
export function movesOf(probabilities: readonly Float64Array[]): Move[] {
  const moves: Move[] = [];
  const own = new Float64Array(probabilities.length);
  for (let row = 0; row < probabilities[0]!.length; row++) {
    probabilities.forEach((column, rung) => {
      own[rung] = column[row]!;
    });
    for (let rung = 0; rung < own.length - 1; rung++)
      moves.push({ case: row, rung, at: predictedLoss(own, rung) });
  }
  return moves.sort((a, b) => a.at - b.at || a.case - b.case || b.rung - a.rung);
}
