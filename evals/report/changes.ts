import { type Condition, VERDICTS, type Verdict } from '../../router/artifact/index.ts';
import type { Evidence } from '../gate/index.ts';
import { earlierEvidenceOf, evidenceOf } from './evidence-of.ts';

/** By the word of the verdict: PASS is better than INCONCLUSIVE, which is better than FAIL. */
export type Change = 'better' | 'same' | 'worse' | 'new' | 'gone';

export interface ConditionChange {
  readonly name: string;
  readonly before?: Condition;
  readonly now?: Condition;
  readonly change: Change;
}

export interface FigureChange {
  readonly name: string;
  readonly unit: 'share' | 'loss' | 'usd';
  readonly before: number | null;
  readonly now: number | null;
}

export interface Changes {
  readonly verdict: { readonly before: Verdict['verdict']; readonly now: Verdict['verdict'] };
  /** What must be known before the columns are compared, such as other sealed cases. */
  readonly caveats: readonly string[];
  /** In the new verdict's order, then what is gone. */
  readonly conditions: readonly ConditionChange[];
  /** Empty where the earlier evidence has another shape. */
  readonly figures: readonly FigureChange[];
}

/** Two verdicts side by side, condition by condition and figure by figure. */
export function changesSince(previous: Verdict, verdict: Verdict): Changes {
  const before = earlierEvidenceOf(previous);
  return {
    verdict: { before: previous.verdict, now: verdict.verdict },
    caveats: caveatsOf(previous, verdict),
    conditions: conditionChanges(previous.conditions, verdict.conditions),
    figures: before ? figureChanges(before, evidenceOf(verdict)) : [],
  };
}

function caveatsOf(before: Verdict, now: Verdict): string[] {
  const sameArtifact = before.artifact.sha256 === now.artifact.sha256;
  return [
    ...(before.sealed.sha256 === now.sealed.sha256
      ? []
      : ['The sealed cases are others than before: a difference may come from the cases.']),
    ...(before.suite.sha256 === now.suite.sha256 ? [] : ['The suite has changed: limits may differ.']),
    ...(sameArtifact && before.policy.threshold === now.policy.threshold
      ? ['Artifact and threshold are the same as before.']
      : []),
  ];
}

function conditionChanges(before: readonly Condition[], now: readonly Condition[]): ConditionChange[] {
  const earlier = new Map(before.map((one) => [one.name, one]));
  const names = new Set(now.map(({ name }) => name));
  return [
    ...now.map((one) => conditionChange(one, earlier.get(one.name))),
    ...before
      .filter(({ name }) => !names.has(name))
      .map((one) => ({ name: one.name, before: one, change: 'gone' as const })),
  ];
}

function conditionChange(now: Condition, before: Condition | undefined): ConditionChange {
  if (!before) return { name: now.name, now, change: 'new' };
  const steps = VERDICTS.indexOf(now.verdict) - VERDICTS.indexOf(before.verdict);
  return { name: now.name, before, now, change: steps === 0 ? 'same' : steps < 0 ? 'better' : 'worse' };
}

function figureChanges(before: Evidence, now: Evidence): FigureChange[] {
  const row = (name: string, unit: FigureChange['unit'], of: (evidence: Evidence) => number | null) => ({
    name,
    unit,
    before: of(before),
    now: of(now),
  });
  return [
    row('quality loss', 'loss', ({ quality_loss }) => quality_loss),
    row('quality, routed', 'share', ({ quality }) => quality.routed),
    row('escalated', 'share', ({ escalation_rate }) => escalation_rate),
    row('silent downgrades', 'share', ({ silent_downgrades }) => silent_downgrades.rate),
    row('cost of 1,000', 'usd', ({ cost }) => cost?.routed_usd ?? null),
    row('saved against strong', 'share', ({ cost }) => cost?.saved_against_strong ?? null),
    row('PGR', 'loss', ({ pgr }) => pgr),
    row('APGR', 'loss', ({ apgr }) => apgr),
    row('AIQ', 'loss', ({ aiq }) => aiq),
    row('CPT50', 'share', ({ cpt50 }) => cpt50),
    row('CPT80', 'share', ({ cpt80 }) => cpt80),
  ];
}
