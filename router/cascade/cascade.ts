import type { ReplyJudge } from './reply-judge.ts';

/**
 * How an artifact looks at the replies of all rungs but the strongest before they go out. Two limits decide on each of them:
 *
 * - the prompt's predicted loss on the rung (router/policy) above its `skip`: its model is not called;
 * - the reply's predicted loss (judgeReply) at most the accept level: the reply goes out; else the request goes on to the next rung.
 *
 * The accept level is the policy's threshold, and the same for all rungs: the verdict's if there is one, else the manifest's preview. The limit that
 * goes with it lies on the rung's path: `skipAt`.
 *
 * The cascade itself is the cheapest rung.
 */
export interface Cascade extends CheckedRung {
  /** The rungs between the cheapest and the strongest, in order; left out of a ladder of two. */
  readonly middle?: readonly CheckedRung[] | undefined;
}

/** A rung whose replies are judged. */
export interface CheckedRung extends RungPath {
  readonly judge: ReplyJudge;
  /** The limit that goes with the manifest's own threshold: as much of a preview as that is. */
  readonly skip: number;
}

export interface RungPath {
  /**
   * From which accept level on which limit holds, both ascending: the looser the judge, the fewer prompts are not worth a call. Fixed in
   * training, so that the gate walks over the accept level alone.
   */
  readonly path: readonly CascadeStep[];
}

export interface CascadeStep {
  /** -1..1. */
  readonly accept: number;
  /** At least -1 and below 1. */
  readonly skip: number;
}

/** For each checked rung, cheapest first: what a cascade of two rungs has for the cheap one. */
export function checkedRungs<Rung extends RungPath>(
  cascade: Rung & { readonly middle?: readonly Rung[] | undefined },
): readonly Rung[] {
  return [cascade, ...(cascade.middle ?? [])];
}

/** The paths of a cascade, and whatever else. */
export type CascadePaths = RungPath & { readonly middle?: readonly RungPath[] | undefined };

/**
 * The limit on the prompt's predicted loss at an accept level.
 * @param rung with a path of at least one step
 */
export function skipAt({ path }: RungPath, accept: number): number {
  return (path.findLast((step) => step.accept <= accept) ?? path[0]!).skip;
}

/** No predicted loss is less, and no accept level. */
const LEAST = -1;

/**
 * The least accept level at which a rung keeps a request that comes to it: its reply is good enough, and the prompt is not skipped. The request is on
 * the first rung that keeps it. So a cascade along its paths is one score a rung with one threshold. Infinite if the prompt is skipped at each level.
 * @param promptLoss the prompt's predicted loss on the rung
 * @param replyLoss the reply's; left out if the reply is not known, and then the request counts as kept as soon as the prompt is not skipped
 */
export function keptFrom({ path }: RungPath, promptLoss: number, replyLoss = LEAST): number {
  const step = path.findIndex(({ skip }) => promptLoss <= skip);
  if (step === -1) return Number.POSITIVE_INFINITY;
  const unskipped = step === 0 ? LEAST : path[step]!.accept; // the first limit holds below its level too
  return Math.max(unskipped, replyLoss);
}
