import { PlimsollError } from '../../router/errors.ts';
import { chooseRung, predictedLoss } from '../../router/policy/index.ts';

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

/** The rung that the policy chooses for each case at a threshold. Shape [n] */
export function rungsAt(probabilities: readonly ArrayLike<number>[], threshold: number): Int32Array {
  const rungs = new Int32Array(probabilities[0]?.length ?? 0);
  eachCase(probabilities, (own, row) => {
    rungs[row] = chooseRung(own, threshold);
  });
  return rungs;
}

/** The predicted loss of the cheapest candidate on each case: what is compared with the threshold, and ranks the cases. Shape [n] */
export function predictedLosses(probabilities: readonly ArrayLike<number>[]): Float64Array {
  const losses = new Float64Array(probabilities[0]?.length ?? 0);
  eachCase(probabilities, (own, row) => {
    losses[row] = predictedLoss(own, 0);
  });
  return losses;
}

/**
 * Every different routing of the cases by one threshold, from always-strong to always-cheapest. As the threshold
 * rises a case moves to a cheaper rung as soon as that rung's predicted loss comes within it. Each threshold lies halfway
 * between two predicted losses, so that rounding cannot move a case. O(n r log(n r)) for n cases and r rungs.
 */
export function thresholdPath(cases: CalibrationCases): ThresholdPoint[] {
  const routing = replayRising(cases);
  const path: ThresholdPoint[] = [routing.pointAt(ALWAYS_STRONG)];
  for (const [i, move] of routing.moves.entries()) {
    routing.apply(move);
    const next = routing.moves[i + 1]?.at;
    if (next !== undefined && next - move.at <= ROUNDING) continue;
    path.push(routing.pointAt(next === undefined ? 1 : (move.at + next) / 2));
  }
  return path;
}

/** One case that comes within reach of a cheaper rung. */
export interface Move {
  readonly row: number;
  readonly rung: number;
  /** The predicted loss from which on the case may go to the rung. */
  readonly at: number;
}

/** The cases while the threshold rises from always-strong. */
export interface RisingReplay {
  readonly n: number;
  /** By rising threshold: of one case and threshold the more expensive rung first. */
  readonly moves: readonly Move[];
  /** Takes a move, each once and in their order. False if the case has reached a cheaper rung before. */
  apply(move: Move): boolean;
  pointAt(threshold: number): ThresholdPoint;
}

/** @throws PlimsollError `invalid-input`: no cases */
export function replayRising({ probabilities, quality }: CalibrationCases): RisingReplay {
  const n = quality[0]?.length ?? 0;
  if (n === 0) throw new PlimsollError('invalid-input', 'There are no calibration cases.');
  const rungs = new Int32Array(n).fill(quality.length - 1);
  let escalated = n;
  let loss = 0;
  return {
    n,
    moves: listMoves(probabilities),
    apply({ row, rung }) {
      const before = rungs[row]!;
      if (rung >= before) return false;
      loss += quality[before]![row]! - quality[rung]![row]!;
      if (rung === 0) escalated--;
      rungs[row] = rung;
      return true;
    },
    pointAt: (threshold) => ({ threshold, escalationRate: escalated / n, qualityLoss: loss / n }),
  };
}

function listMoves(probabilities: readonly Float64Array[]): Move[] {
  const moves: Move[] = [];
  eachCase(probabilities, (own, row) => {
    for (let rung = 0; rung < own.length - 1; rung++) moves.push({ row, rung, at: predictedLoss(own, rung) });
  });
  return moves.sort((a, b) => a.at - b.at || a.row - b.row || b.rung - a.rung);
}

/** Visits the probabilities of each case, one a rung, in an array that all cases share. */
function eachCase(
  probabilities: readonly ArrayLike<number>[],
  visit: (own: Float64Array, row: number) => void,
): void {
  const own = new Float64Array(probabilities.length);
  const n = probabilities[0]?.length ?? 0;
  for (let row = 0; row < n; row++) {
    for (let rung = 0; rung < own.length; rung++) own[rung] = probabilities[rung]![row]!;
    visit(own, row);
  }
}
