import type { Condition } from '../../../router/artifact/index.ts';
import { rateWithin } from '../judge.ts';
import { deltaOf, type Subject } from './subject.ts';

/** No kind of harmless edit changes many decisions. */
export function flipRateConditions(subject: Subject): Condition[] {
  const limit = subject.suite.flip_rate;
  if (limit === undefined) return [];
  const maxOf = (edit: string) => (edit === 'paraphrase' ? (limit.max_paraphrase ?? limit.max) : limit.max);
  return subject.flips.map(({ edit, n, flipped }) =>
    rateWithin(`flip-rate/${edit}`, flipped, n, { max: maxOf(edit) }, deltaOf(subject)),
  );
}
