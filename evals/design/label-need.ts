import { DEFAULT_SHARES } from '../cases/index.ts';
import { deltaOfLook, labelsToCertify } from '../gate/index.ts';
import { routedAt, type TaskOnLadder, thresholdAtLoss } from './routing-model.ts';

/** What it takes to prove a design. */
export interface LabelNeed {
  /** Requests to label; null above what the planning tries. */
  readonly needed: number | null;
  /** Those of them that the gate gets; the others train the router. */
  readonly sealed: number | null;
  /** Calls of models: each request is asked of each model of the ladder. */
  readonly calls: number | null;
  /** US dollars of these calls, without judges. */
  readonly cost_usd: number | null;
  /** Shares of the sealed cases that are assumed to do worse, and better, than with the strongest model. */
  readonly lost: number;
  readonly gained: number;
}

interface ProvedLadder {
  readonly ladder: readonly TaskOnLadder[];
  readonly delta: number;
  /** The mean loss at which the policy is assumed to stand. */
  readonly target: number;
  readonly margin: number;
  readonly confidence: number;
  /** Cases that a cheaper model alone gets right, as a part of what independent models would have. */
  readonly agreement: number;
}

/** Below this no router is learned that is worth its verdict. */
const FEWEST_LABELS = 500;

/**
 * How many labels make the gate's bound fall to the margin, at its first look, if the policy loses `target`: by the gate's own planning, for
 * qualities of 0 and 1.
 */
export function labelNeed({ ladder, delta, target, margin, confidence, agreement }: ProvedLadder): LabelNeed {
  const gained = agreement * independentGains(ladder, delta, thresholdAtLoss(ladder, delta, target));
  const lost = Math.min(1 - gained, gained + target);
  const found = labelsToCertify({ lost, gained }, margin, deltaOfLook(1, confidence));
  if (found === undefined) return { needed: null, sealed: null, calls: null, cost_usd: null, lost, gained };
  const needed = roundUp(Math.max(FEWEST_LABELS, found / DEFAULT_SHARES.test));
  const each = ladder.reduce(
    (sum, { share, costUsd }) => sum + share * costUsd.reduce((total, one) => total + one, 0),
    0,
  );
  return {
    needed,
    sealed: Math.round(DEFAULT_SHARES.test * needed),
    calls: needed * (ladder[0]?.costUsd.length ?? 0),
    cost_usd: needed * each,
    lost,
    gained,
  };
}

/** Requests that the rung they are routed to gets right and the strongest does not, if models failed independently. */
export function independentGains(ladder: readonly TaskOnLadder[], delta: number, threshold: number): number {
  return ladder.reduce((sum, task) => {
    const { shares } = routedAt([{ ...task, share: 1 }], delta, threshold);
    const best = task.quality.at(-1)!;
    const gains = shares
      .slice(0, -1)
      .reduce((total, share, rung) => total + share * task.quality[rung]! * (1 - best), 0);
    return sum + task.share * gains;
  }, 0);
}

/** To two digits: it is a forecast. */
function roundUp(count: number): number {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(count)) - 1);
  return Math.ceil(count / step) * step;
}
