import { type Cascade, type CascadeStep, keptFrom } from '../../router/cascade/index.ts';
import { walkSteps } from './walk.ts';

/** What a cascade makes of some cases at every accept level at once. */
export interface CascadeScores {
  /** The least accept level at which the cheap model is called. Infinite if the prompt is skipped at each. Shape [n] */
  readonly checkedFrom: Float64Array;
  /** The least at which its reply goes out too. A reply that is not known counts as good enough. Shape [n] */
  readonly keptFrom: Float64Array;
}

/**
 * @param promptLosses predicted from the prompt alone. Shape [n]
 * @param replyLosses predicted from the cheap reply; NaN if it is not known. Shape [n]
 */
export function cascadeScores(
  cascade: Pick<Cascade, 'path'>,
  promptLosses: Float64Array,
  replyLosses: Float64Array,
): CascadeScores {
  const checkedFrom = promptLosses.map((loss) => keptFrom(cascade, loss));
  return {
    checkedFrom,
    keptFrom: replyLosses.map((loss, row) =>
      Number.isNaN(loss) ? checkedFrom[row]! : Math.max(checkedFrom[row]!, loss),
    ),
  };
}

/** Cases as a classifier scores them, and a cascade if it looks at replies. */
export interface ScoredColumns {
  /** Calibrated, [rung][case], cheapest rung first. */
  readonly probabilities: readonly Float64Array[];
  readonly cascade?: Pick<CascadeScores, 'keptFrom'>;
}

/**
 * What a threshold is compared with, [rung][case]: of a case the strongest rung's less that of another is what must be within the threshold.
 * These are the probabilities; a cascade has two rungs, and its accept level is the threshold.
 */
export function decisionScores({ probabilities, cascade }: ScoredColumns): readonly Float64Array[] {
  if (cascade === undefined) return probabilities;
  return [cascade.keptFrom.map((level) => -level), new Float64Array(cascade.keptFrom.length)];
}

/**
 * What a request takes on each rung of something that adds up, such as US dollars or time: of a cascade, on the stronger one also what the cheap
 * call took, if there was one.
 * @param amounts of each model alone, `[rung][case]`; undefined if unknown
 * @returns the same columns without a cascade
 */
export function amountsAt<Column extends Float64Array | undefined>(
  amounts: readonly Column[],
  threshold: number,
  cascade?: Pick<CascadeScores, 'checkedFrom'>,
): readonly Column[] {
  const [cheap, strong] = amounts;
  if (cascade === undefined || strong === undefined) return amounts;
  const { checkedFrom } = cascade;
  const withCheap =
    cheap && strong.map((own, row) => own + (checkedFrom[row]! <= threshold ? cheap[row]! : 0));
  return [cheap as Column, withCheap as Column];
}

/** Cases from which the path of a cascade follows. Shape [n] each. */
export interface PathCases {
  /** By fits that had not seen the case. */
  readonly promptLosses: Float64Array;
  readonly replyLosses: Float64Array;
  /** US dollars; undefined if it is not known. */
  readonly cheapCostUsd: ArrayLike<number | undefined>;
  readonly strongCostUsd: ArrayLike<number | undefined>;
}

/** No step of a walk is looser, and a text that cannot be read has a predicted loss of 1. */
const NEVER_SKIP = 0.999;

/** Predicted losses closer than this are not told apart: serving computes in float32. */
const ROUNDING = 1e-6;

/**
 * For each accept level the limit that makes these cases cheapest. A cheap call that is skipped saves its cost, and costs the strong model's
 * where the reply would have been accepted:
 *
 *   saved(skipped cases) = sum of cost(cheap) - [reply loss <= accept] cost(strong)
 *
 * Skipped are always those with the largest predicted loss, so the best limit is a maximum of prefix sums. With the accept level each summand can
 * only fall, so that the best limit only rises (Topkis): requests are kept one after the other along the path, and none is given up again. Among equally
 * cheap limits the one that skips least is taken. Without the costs of a case, it has no say; without any, nothing is skipped.
 *
 * O(n log n), and O(n) for each of the 2,001 levels at which a reply becomes good enough.
 *
 * @returns a step wherever the limit changes, ascending, the first at -1
 */
export function cascadePath({
  promptLosses,
  replyLosses,
  cheapCostUsd,
  strongCostUsd,
}: PathCases): CascadeStep[] {
  const priced = Array.from(promptLosses.keys())
    .filter((row) => cheapCostUsd[row] !== undefined && strongCostUsd[row] !== undefined)
    .sort((a, b) => promptLosses[b]! - promptLosses[a]!);
  const accepted = priced.map((row) => replyLosses[row]!).sort((a, b) => a - b);
  const path: CascadeStep[] = [];
  let [good, before] = [0, -1];
  for (const accept of walkSteps(-1, 1)) {
    while (good < accepted.length && accepted[good]! <= accept) good++;
    if (good === before) continue;
    before = good;
    const last = path.at(-1)?.skip ?? -1;
    const skip = Math.max(cheapestLimit(accept), last);
    if (skip !== last || path.length === 0) path.push({ accept, skip });
  }
  return path;

  function cheapestLimit(accept: number): number {
    let [limit, most, saved] = [NEVER_SKIP, 0, 0];
    priced.forEach((row, i) => {
      saved += cheapCostUsd[row]! - (replyLosses[row]! <= accept ? strongCostUsd[row]! : 0);
      const loss = promptLosses[row]!;
      const next = i + 1 < priced.length ? promptLosses[priced[i + 1]!]! : undefined;
      if (saved <= most || (next !== undefined && loss - next < ROUNDING)) return;
      most = saved;
      limit = next === undefined ? -1 : Math.min(NEVER_SKIP, (loss + next) / 2);
    });
    return limit;
  }
}
