import type { Condition, StoredVerdict, Verdict } from '../../router/artifact/index.ts';

/**
 * What an earlier PASS demanded of an artifact and a new one that takes its place does not: limits that are wider, demands that are gone, a
 * lower confidence, a longer validity. Each in words; none if one of the two is no PASS.
 */
export function looserDemands(before: StoredVerdict, now: Verdict): string[] {
  if (before.verdict !== 'PASS' || now.verdict !== 'PASS') return [];
  const later = new Map(now.conditions.map((condition) => [condition.name, condition]));
  return [
    ...before.conditions.flatMap((condition) => looserCondition(condition, later.get(condition.name))),
    ...looserConfidence(before, now),
    ...(now.valid_for_days > before.valid_for_days
      ? [`valid for ${now.valid_for_days} days, before ${before.valid_for_days}`]
      : []),
  ];
}

function looserConfidence(before: StoredVerdict, { looks: { confidence: now } }: Verdict): string[] {
  const earlier = before.schema_version === 2 ? before.looks.confidence : undefined;
  if (earlier === undefined || now === undefined || now >= earlier) return [];
  return [`confidence ${now} over all looks, before ${earlier}`];
}

function looserCondition({ name, limits }: Condition, now: Condition | undefined): string[] {
  if (now === undefined) return GONE_FROM_THE_GATE.has(name) ? [] : [`${name} is not demanded any more`];
  const { min, max } = now.limits;
  return [
    ...(limits.max !== undefined && (max === undefined || max > limits.max)
      ? [`${name} at most ${max ?? 'any'}, before ${limits.max}`]
      : []),
    ...(limits.min !== undefined && (min === undefined || min < limits.min)
      ? [`${name} at least ${min ?? 'any'}, before ${limits.min}`]
      : []),
  ];
}

/** Verdicts of version 1 have it; no suite can demand it any more. */
const GONE_FROM_THE_GATE = new Set(['as-calibrated']);
