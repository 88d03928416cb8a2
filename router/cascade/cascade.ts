import type { ReplyJudge } from './reply-judge.ts';

/**
 * How an artifact looks at the cheap model's reply before it escalates. Two limits decide a request:
 *
 * - the prompt's predicted loss (router/policy) above `skip`: straight up, and the cheap model is not called;
 * - the reply's predicted loss (judgeReply) at most the accept level: the reply goes out; else the request escalates.
 *
 * The accept level is the policy's threshold: the verdict's if there is one, else the manifest's preview. The limit that goes with it lies on
 * the path: `skipAt`.
 */
export interface Cascade {
  readonly judge: ReplyJudge;
  /** The limit that goes with the manifest's own threshold: as much of a preview as that is. */
  readonly skip: number;
  /**
   * From which accept level on which limit holds, both ascending: the looser the judge, the fewer prompts are not worth a cheap call. Fixed in
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

/**
 * The limit on the prompt's predicted loss at an accept level.
 * @param cascade with a path of at least one step
 */
export function skipAt({ path }: Pick<Cascade, 'path'>, accept: number): number {
  return (path.findLast((step) => step.accept <= accept) ?? path[0]!).skip;
}

/** No predicted loss is less, and no accept level. */
const LEAST = -1;

/**
 * The least accept level at which a request is kept: the reply is good enough, and the prompt is not skipped. So a cascade along its path is one
 * score with one threshold. Infinite if the prompt is skipped at each level.
 * @param promptLoss the prompt's predicted loss
 * @param replyLoss the reply's; left out if the reply is not known, and then the request counts as kept as soon as the prompt is not skipped
 */
export function keptFrom({ path }: Pick<Cascade, 'path'>, promptLoss: number, replyLoss = LEAST): number {
  const step = path.findIndex(({ skip }) => promptLoss <= skip);
  if (step === -1) return Number.POSITIVE_INFINITY;
  const unskipped = step === 0 ? LEAST : path[step]!.accept; // the first limit holds below its level too
  return Math.max(unskipped, replyLoss);
}
