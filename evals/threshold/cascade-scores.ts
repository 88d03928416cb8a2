import {
  type CascadePaths,
  type CascadeStep,
  checkedRungs,
  keptFrom,
  skipAt,
} from '../../router/cascade/index.ts';
import { predictedLosses } from './threshold-path.ts';
import { walkSteps } from './walk.ts';

/** What a cascade makes of some cases at every accept level at once: `[rung][case]`, for each checked rung, cheapest first. */
export interface CascadeScores {
  /** The least accept level at which the rung's model is called for a case that comes to it. Infinite if the prompt is skipped at each. */
  readonly checkedFrom: readonly Float64Array[];
  /** The least at which its reply goes out too. A reply that is not known counts as good enough. The case is on the first rung that keeps it. */
  readonly keptFrom: readonly Float64Array[];
}

/**
 * @param probabilities calibrated, of every rung: `[rung][case]`
 * @param replyLosses predicted from the reply of each checked rung; NaN if it is not known. `[rung][case]`
 */
export function cascadeScores(
  cascade: CascadePaths,
  probabilities: readonly ArrayLike<number>[],
  replyLosses: readonly Float64Array[],
): CascadeScores {
  const checkedFrom = checkedRungs(cascade).map((limits, rung) =>
    predictedLosses(probabilities, rung).map((loss) => keptFrom(limits, loss)),
  );
  return {
    checkedFrom,
    keptFrom: checkedFrom.map((levels, rung) =>
      levels.map((level, row) => {
        const loss = replyLosses[rung]![row]!;
        return Number.isNaN(loss) ? level : Math.max(level, loss);
      }),
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
 * These are the probabilities; of a cascade, whose accept level is the threshold, the levels from which on each rung keeps the case.
 */
export function decisionScores({ probabilities, cascade }: ScoredColumns): readonly Float64Array[] {
  if (cascade === undefined) return probabilities;
  const { keptFrom } = cascade;
  return [...keptFrom.map((levels) => levels.map((level) => -level)), new Float64Array(keptFrom[0]!.length)];
}

/**
 * What a request takes on each rung of something that adds up, such as US dollars or time: of a cascade also what the calls of the rungs below
 * took, if they were made.
 * @param amounts of each model alone, `[rung][case]`; undefined if unknown
 * @returns the same columns without a cascade
 */
export function amountsAt<Column extends Float64Array | undefined>(
  amounts: readonly Column[],
  threshold: number,
  cascade?: Pick<CascadeScores, 'checkedFrom'>,
): readonly Column[] {
  if (cascade === undefined) return amounts;
  const { checkedFrom } = cascade;
  return amounts.map((own, rung) => {
    const below = amounts.slice(0, rung);
    if (own === undefined || below.includes(undefined as Column)) return undefined as Column;
    const whole = own.map((amount, row) =>
      below.reduce(
        (sum, column, called) => sum + (checkedFrom[called]![row]! <= threshold ? column![row]! : 0),
        amount,
      ),
    );
    return whole as Column;
  });
}

/** Cases from which the paths of a cascade follow: `[rung][case]`. */
export interface PathCases {
  /** One array per checked rung, by fits that had not seen the case. */
  readonly promptLosses: readonly Float64Array[];
  readonly replyLosses: readonly Float64Array[];
  /** US dollars, of every rung; undefined if it is not known. */
  readonly costUsd: readonly ArrayLike<number | undefined>[];
}

/** No step of a walk is looser, and a text that cannot be read has a predicted loss of 1. */
const NEVER_SKIP = 0.999;

/** Predicted losses closer than this are not told apart: serving computes in float32. */
const ROUNDING = 1e-6;

/**
 * For each checked rung and accept level the limit that makes these cases cheapest, from the top down: what a case costs that a rung does not keep is
 * what the rungs above, with their limits at that level, cost in all. A call that is skipped saves its cost, and takes that way up where the reply
 * would have been accepted:
 *
 *   saved(skipped cases) = sum of cost(call) - [reply loss <= accept] cost(way up at accept)
 *
 * Skipped are always those with the largest predicted loss, so the best limit is a maximum of prefix sums. Among equally cheap limits the one that skips
 * least is taken. Below the strongest rung the way up always costs the same: with the accept level each summand can only fall, so that the best limit
 * only rises (Topkis), and requests are kept one after the other along the path. Further down a looser level makes the way up cheaper too, and the
 * best limit may fall; then the one before it stays, since no request may be given up again. Without a cost, a case has no say; without any, nothing
 * is skipped.
 *
 * O(n log n), and O(rungs n) for each of the 2,001 levels and each rung.
 *
 * @returns for each checked rung a step wherever the limit changes, ascending, the first at -1
 */
export function cascadePaths({ promptLosses, replyLosses, costUsd }: PathCases): CascadeStep[][] {
  const priced = Array.from(promptLosses[0]!.keys()).filter((row) =>
    costUsd.every((column) => column[row] !== undefined),
  );
  const paths: CascadeStep[][] = [];
  for (let rung = promptLosses.length - 1; rung >= 0; rung--) {
    const [prompt, reply, cost] = [promptLosses[rung]!, replyLosses[rung]!, costUsd[rung]!];
    const falling = [...priced].sort((a, b) => prompt[b]! - prompt[a]!);
    const above = [...paths];
    const path = pathOf((accept) => {
      const skips = above.map((steps) => skipAt({ path: steps }, accept));
      return cheapestLimit(falling, prompt, (row) =>
        reply[row]! <= accept ? cost[row]! - wayUpUsd(row, accept, skips) : cost[row]!,
      );
    });
    paths.unshift(path);
  }
  return paths;

  /** @param skips of the checked rungs above */
  function wayUpUsd(row: number, accept: number, skips: readonly number[]): number {
    let usd = 0;
    const first = promptLosses.length - skips.length;
    for (let rung = first; rung < promptLosses.length; rung++) {
      if (promptLosses[rung]![row]! > skips[rung - first]!) continue;
      usd += costUsd[rung]![row]!;
      if (replyLosses[rung]![row]! <= accept) return usd;
    }
    return usd + costUsd.at(-1)![row]!;
  }
}

/** The limits along the accept levels, never below one before. */
function pathOf(limitAt: (accept: number) => number): CascadeStep[] {
  const path: CascadeStep[] = [];
  for (const accept of walkSteps(-1, 1)) {
    const last = path.at(-1)?.skip ?? -1;
    const skip = Math.max(limitAt(accept), last);
    if (skip !== last || path.length === 0) path.push({ accept, skip });
  }
  return path;
}

/** @param falling rows by falling loss @param saving of a row that is skipped */
function cheapestLimit(
  falling: readonly number[],
  losses: Float64Array,
  saving: (row: number) => number,
): number {
  let [limit, most, saved] = [NEVER_SKIP, 0, 0];
  falling.forEach((row, i) => {
    saved += saving(row);
    const loss = losses[row]!;
    const next = i + 1 < falling.length ? losses[falling[i + 1]!]! : undefined;
    if (saved <= most || (next !== undefined && loss - next < ROUNDING)) return;
    most = saved;
    limit = next === undefined ? -1 : Math.min(NEVER_SKIP, (loss + next) / 2);
  });
  return limit;
}
