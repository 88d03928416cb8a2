import { createHash } from 'node:crypto';
import { predictedLoss } from '../../router/policy/index.ts';
import type { TextHashes } from './case-fingerprints.ts';
import { STEPS_PER_UNIT } from './label-plan.ts';

/** The highest limit, in steps: at 1 also texts that the classifier cannot read would stay cheap. */
const LAST_STEP = STEPS_PER_UNIT - 1;

/** A prompt of the pool, without its text. */
export interface ScoredPrompt extends TextHashes {
  /** Its place among the prompts of the files. */
  readonly index: number;
  readonly key: string;
  readonly group?: string;
  readonly seen: boolean;
  /** One a rung, cheapest first. */
  readonly probabilities: readonly number[];
  /** What the threshold is compared with, one a rung (rungScores). */
  readonly scores: ArrayLike<number>;
  /** The threshold from which on it may stay below the strongest rung. */
  readonly score: number;
}

/** The threshold from which on a request may stay below the strongest rung. @param scores one a rung (rungScores) */
export function escalationScore(scores: ArrayLike<number>): number {
  let least = Number.POSITIVE_INFINITY;
  for (let rung = 0; rung < scores.length - 1; rung++) {
    least = Math.min(least, predictedLoss(scores, rung));
  }
  return least;
}

/**
 * The smallest step at which the predicted loss of the prompts up to it, summed and divided by the whole pool, reaches a mean loss; the last
 * step below 1 if none does. With middle rungs a prompt counts with its smallest predicted loss, which errs towards a higher limit.
 */
export function stepReaching(pool: readonly Pick<ScoredPrompt, 'score'>[], meanLoss: number): number {
  const rising = pool.map(({ score }) => score).sort((a, b) => a - b);
  let lost = 0;
  let next = 0;
  for (let step = -STEPS_PER_UNIT; step < LAST_STEP; step++) {
    while (next < rising.length && rising[next]! <= step / STEPS_PER_UNIT) lost += rising[next++]!;
    if (lost / pool.length >= meanLoss) return step / STEPS_PER_UNIT;
  }
  return LAST_STEP / STEPS_PER_UNIT;
}

/** The first n up to the limit, in the order of their hashes: also a part of them, from the top, is a random sample. */
export function drawPrompts(pool: readonly ScoredPrompt[], limit: number, n: number): ScoredPrompt[] {
  const repeats = new Map<string, number>();
  const hashed = pool.flatMap((prompt) => {
    const repeat = repeats.get(prompt.key) ?? 0;
    repeats.set(prompt.key, repeat + 1);
    return prompt.score <= limit ? [{ prompt, hash: drawHash(prompt.key, repeat) }] : [];
  });
  hashed.sort((a, b) => (a.hash < b.hash ? -1 : 1));
  return hashed.slice(0, n).map(({ prompt }) => prompt);
}

/** Each repeat of a question has its own: were they drawn together, the sample would be one of questions and not of requests. */
function drawHash(key: string, repeat: number): string {
  return createHash('sha256').update(`plan-labels\n${repeat}\n${key}`).digest('hex');
}

export function countScores(below: readonly ScoredPrompt[]): { first_step: number; counts: number[] } {
  const steps = below.map(({ score }) => stepAbove(score));
  const first = steps.reduce((a, b) => Math.min(a, b));
  const last = steps.reduce((a, b) => Math.max(a, b));
  const counts = new Array<number>(last - first + 1).fill(0);
  for (const step of steps) counts[step - first]! += 1;
  return { first_step: first, counts };
}

/** The smallest step that is at least the score, by the comparison that the policy makes. */
function stepAbove(score: number): number {
  const step = Math.floor(score * STEPS_PER_UNIT);
  return [step - 1, step, step + 1].find((one) => score <= one / STEPS_PER_UNIT) ?? step + 2;
}
