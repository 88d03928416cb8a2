import type { Condition } from '../../../router/artifact/index.ts';
import { rateWithin } from '../judge.ts';
import { deltaOf, type Subject } from './subject.ts';

/** The share above the cheapest rung lies inside the band: a router that sends all to one side has collapsed. */
export function escalationRateCondition(subject: Subject): Condition {
  const { rungs, suite } = subject;
  const escalated = rungs.reduce((count, rung) => count + (rung > 0 ? 1 : 0), 0);
  // two bounds must hold at once: half of delta for each
  return rateWithin('escalation-rate', escalated, rungs.length, suite.escalation_rate, deltaOf(subject) / 2);
}
