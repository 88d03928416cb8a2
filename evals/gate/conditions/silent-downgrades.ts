import type { Condition } from '../../../router/artifact/index.ts';
import { QUALITY_TOLERANCE } from '../../../router/statistics/index.ts';
import { rateWithin } from '../judge.ts';
import { lossesOf } from '../replay.ts';
import { deltaOf, type Subject } from './subject.ts';

/** Few cases are much worse off: a mean can hide them. */
export function silentDowngradesCondition(subject: Subject): Condition[] {
  const { suite, sealed, rungs } = subject;
  if (suite.silent_downgrades === undefined) return [];
  const { margin, max_rate: max } = suite.silent_downgrades;
  const losses = lossesOf(sealed, rungs);
  const downgraded = losses.reduce((count, loss) => count + (loss > margin + QUALITY_TOLERANCE ? 1 : 0), 0);
  return [rateWithin('silent-downgrades', downgraded, sealed.n, { max }, deltaOf(subject))];
}
