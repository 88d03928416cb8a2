import { PlimsollError } from './errors.ts';
import type { Choosing, Policy } from './policy/index.ts';
import type { RouteOptions } from './router.ts';
import { boundedRungs } from './rules/index.ts';

/** @throws PlimsollError `invalid-input` if the threshold or the rungs are not ones that may be used */
export function choosingOf(
  { threshold, allowedRungs, pinnedRung, session, rule, slowRungs }: RouteOptions,
  policy: Policy,
  candidates: readonly string[],
  allowUngated: boolean,
  checks: readonly boolean[],
): Choosing {
  const rungs = candidates.length;
  if (allowedRungs !== undefined) assertRungs(allowedRungs, rungs);
  if (pinnedRung !== undefined) assertRungs([pinnedRung], rungs, 'pinnedRung');
  if (session !== undefined) assertRungs([session.rung], rungs, 'session.rung');
  if (slowRungs !== undefined) assertRungs(slowRungs.rungs, rungs, 'slowRungs.rungs');
  if (threshold !== undefined) assertThreshold(threshold, policy, allowUngated);
  const bounded = rule && boundedRungs(rule, candidates, allowedRungs);
  return {
    rungs,
    allowed: allowedRungs,
    bounded,
    requestedThreshold: threshold,
    pinned: pinnedRung,
    session,
    slow: slowRungs,
    checks,
  };
}

function assertRungs(allowed: readonly number[], rungs: number, field = 'allowedRungs'): void {
  const ascending = allowed.every((rung, i) => Number.isInteger(rung) && (i === 0 || rung > allowed[i - 1]!));
  if (ascending && (allowed[0] ?? -1) >= 0 && (allowed.at(-1) ?? rungs) < rungs) return;
  throw new PlimsollError(
    'invalid-input',
    field === 'pinnedRung' || field === 'session.rung'
      ? `${field} must be a rung from 0 to ${rungs - 1}.`
      : `${field} must be at least one rung from 0 to ${rungs - 1}, in ascending order.`,
    { place: { field } },
  );
}

function assertThreshold(threshold: number, policy: Policy, allowUngated: boolean): void {
  const why = faultOfThreshold(threshold, policy, allowUngated);
  if (why !== undefined) throw new PlimsollError('invalid-input', why, { place: { field: 'threshold' } });
}

function faultOfThreshold(threshold: number, policy: Policy, allowUngated: boolean): string | undefined {
  if (policy.kind === 'fixed') return `The policy ${policy.name} has no threshold. Leave it out.`;
  if (!(threshold >= -1 && threshold <= 1)) return `The threshold must be from -1 to 1, not ${threshold}.`;
  if (allowUngated || threshold === policy.threshold) return undefined;
  return `The threshold ${threshold} has not passed the gate; ${policy.threshold} has. Leave it out, or let the operator set allow_ungated.`;
}
