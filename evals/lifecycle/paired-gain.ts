import { pairedBootstrapInterval } from '../../router/statistics/index.ts';
import { measureRanking, type PairedOutcomes } from '../gate/index.ts';

export interface Interval {
  readonly low: number;
  readonly high: number;
  readonly level: number;
}

/** APGR of one score less that of another on the same cases, and its paired percentile bootstrap over questions. */
export interface Gain extends Interval {
  readonly difference: number;
}

/** @param groups cases of one number are drawn together. Undefined if APGR is, or its interval */
export function pairedGain(
  of: Float64Array,
  over: Float64Array,
  routed: PairedOutcomes,
  groups: Int32Array,
): Gain | undefined {
  const { cheapQuality, strongQuality } = routed;
  const paired = pairedBootstrapInterval(of, over, cheapQuality, strongQuality, { groups });
  const [own, other] = [of, over].map((scores) => measureRanking(scores, routed).apgr);
  if (!paired || own === undefined || other === undefined) return undefined;
  return { difference: own - other, low: paired.low, high: paired.high, level: paired.level };
}
