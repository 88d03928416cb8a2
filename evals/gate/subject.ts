import type { HardCase } from '../cases/index.ts';
import type { CalibrationCases } from '../threshold/index.ts';
import type { FlipCount } from './flips.ts';
import type { Replay } from './replay.ts';
import type { Suite } from './suite.ts';

/** Hard cases with the rung that the policy chose for each. */
export interface HardReplay {
  readonly cases: readonly HardCase[];
  readonly rungs: Int32Array;
}

/** What the gate judges: a policy's decisions on held-out cases, hard cases and edited prompts. */
export interface Subject {
  readonly suite: Suite;
  readonly candidates: readonly string[];
  readonly threshold: number;
  readonly heldOut: Replay;
  /** The rung of each held-out case. */
  readonly rungs: Int32Array;
  /** The seeded order in which the bounds take the held-out cases. */
  readonly order: Uint32Array;
  readonly hard?: HardReplay;
  readonly flips: readonly FlipCount[];
  /** The calibration cases that the artifact names, if they are available: its threshold can be set again. */
  readonly calibration?: CalibrationCases;
}

/** One minus the suite's confidence: the probability that a bound is allowed to be wrong with. */
export function errorProbability({ suite }: Pick<Subject, 'suite'>): number {
  return 1 - suite.confidence;
}

/** A column in the seeded order. */
export function reorder(column: Float64Array, order: Uint32Array): Float64Array {
  return Float64Array.from(order, (row) => column[row]!);
}
