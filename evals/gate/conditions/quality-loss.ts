import type { Condition } from '../../../router/artifact/index.ts';
import { meanAtMost } from '../judge.ts';
import { lossesOf } from '../replay.ts';
import { deltaOf, inOrder, type Subject } from './subject.ts';

/** The promise itself: the mean loss against always-strong is at most the margin. */
export function qualityLossCondition(subject: Subject): Condition {
  const { suite, sealed, rungs, order } = subject;
  const losses = inOrder(lossesOf(sealed, rungs), order);
  const condition = meanAtMost('quality-loss', losses, suite.max_quality_loss, { delta: deltaOf(subject) });
  const questions = new Set(sealed.traits.map(({ key }) => key)).size;
  if (questions === sealed.n) return condition;
  const note = `${sealed.n} cases of ${questions} questions: cases of one question are not independent, so the bounds are a little too narrow`;
  return { ...condition, note };
}
