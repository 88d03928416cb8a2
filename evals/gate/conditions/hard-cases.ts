import type { Condition } from '../../../router/artifact/index.ts';
import { rateWithin } from '../judge.ts';
import { deltaOf, type HardReplay, type Subject } from './subject.ts';

/** What must be escalated is; and, where the suite asks, what looks hard and is easy stays cheap. */
export function hardCaseConditions(subject: Subject): Condition[] {
  const { suite, hard } = subject;
  if (suite.hard_cases === undefined || hard === undefined) return [];
  const { min_recall: minRecall, min_kept_cheap: minKept } = suite.hard_cases;
  const strong = decided(hard, 'strong');
  const cheap = decided(hard, 'cheap');
  const delta = deltaOf(subject);
  return [
    rateWithin('hard-cases/recall', strong.escalated, strong.n, { min: minRecall }, delta),
    ...(minKept === undefined
      ? []
      : [rateWithin('hard-cases/kept-cheap', cheap.n - cheap.escalated, cheap.n, { min: minKept }, delta)]),
  ];
}

/** How many cases of a tier there are, in one slice or in all, and how many of them are escalated. */
export function decided({ cases, rungs }: HardReplay, tier: 'cheap' | 'strong', slice?: string) {
  let n = 0;
  let escalated = 0;
  cases.forEach((one, row) => {
    if (one.tier !== tier || (slice !== undefined && one.slice !== slice)) return;
    n++;
    if (rungs[row]! > 0) escalated++;
  });
  return { n, escalated };
}
