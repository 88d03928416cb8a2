import { deltaOfLook, type Sealed, suiteSchema, walkSealed } from '../../../evals/gate/index.ts';
import {
  type Bets,
  type CalibrationCases,
  strictestWorthwhile,
  walkSteps,
} from '../../../evals/threshold/index.ts';
import type { Setting } from './settings.ts';

/** What a sample is asked to prove. */
export type QualityPromise = Pick<Setting, 'maxQualityLoss' | 'confidence'>;

/** The gate as `plimsoll gate` runs it: its walk over labelled cases, with a suite that asks for the quality loss alone. */
export interface Gate {
  /**
   * @param bets by default one batch in the order of the cases, which were drawn independently: no order is better than another
   * @returns the threshold of a PASS; undefined without a PASS
   */
  judge(cases: CalibrationCases, delta?: number, bets?: Bets): number | undefined;
}

/** @param steps of the walk, fixed before any outcome is seen: one for a policy whose threshold is fixed */
export function openGate({ maxQualityLoss, confidence }: QualityPromise, steps: Float64Array): Gate {
  const suite = suiteSchema.parse({ name: 'coverage', max_quality_loss: maxQualityLoss, confidence });
  return {
    judge(cases, delta = deltaOfLook(1, confidence), bets = drawnOrder(cases.quality[0]!.length)) {
      const { proved, threshold } = walkSealed({ ...sealedCases(cases), suite, delta, bets }, steps);
      return proved ? threshold : undefined;
    },
  };
}

/** The cases as the gate takes them, each a question of its own. */
export function sealedCases({
  probabilities,
  quality,
}: CalibrationCases): Pick<Sealed, 'candidates' | 'heldOut'> {
  const n = quality[0]!.length;
  const traits = Array.from({ length: n }, (_, i) => ({
    id: `${i}`,
    key: `${i}`,
    characters: 1,
    textHash: i,
    copyHash: i,
    numberlessHash: i,
  }));
  const costUsd = quality.map(() => undefined);
  return { candidates: ['cheap', 'strong'], heldOut: { n, traits, probabilities, quality, costUsd } };
}

/** From where training scores keep a hundredth of the requests cheap, as in an artifact, to the end of the gate's walk. */
export function stepsOfWalk(probabilities: CalibrationCases['probabilities']): Float64Array {
  return walkSteps(strictestWorthwhile(probabilities), LOOSEST);
}

/** As in `runGate`. */
const LOOSEST = 0.999;

/** Cases that were drawn independently, in the order of their draws, as bets of one each. */
export function drawnOrder(n: number, batches: readonly number[] = [n]): Bets {
  return { rows: Uint32Array.from({ length: n }, (_, i) => i), largestUnit: 1, batches };
}
