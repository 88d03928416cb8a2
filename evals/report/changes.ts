import {
  type Condition,
  type GateVerdict,
  type StoredVerdict,
  VERDICTS,
} from '../../router/artifact/index.ts';
import type { ComparedEvidence } from '../../router/verdict-report/index.ts';
import { DASH, formatCost, formatDifference, formatLoss, formatRate } from '../format.ts';
import { formatterFor, formatValue } from './condition-text.ts';
import { parseEarlierEvidence, parseEvidence } from './verdict-text.ts';

/** By verdict: PASS is better than INCONCLUSIVE, which is better than FAIL. */
type Change = 'better' | 'same' | 'worse' | 'new' | 'gone';

interface ConditionChange {
  readonly name: string;
  readonly before?: Condition;
  readonly now?: Condition;
  readonly change: Change;
}

interface FigureChange {
  readonly name: string;
  readonly unit: 'share' | 'loss' | 'usd';
  readonly before: number | null;
  readonly now: number | null;
}

interface VerdictChanges {
  readonly verdict: { readonly before: GateVerdict['verdict']; readonly now: GateVerdict['verdict'] };
  /** What a reader of the comparison must know first, such as other held-out cases. */
  readonly caveats: readonly string[];
  /** In the new verdict's order, then those that are gone. */
  readonly conditions: readonly ConditionChange[];
  /** Empty if the earlier evidence has another shape. */
  readonly figures: readonly FigureChange[];
}

/** Two verdicts side by side, condition by condition and figure by figure. */
export function compareVerdicts(previous: StoredVerdict, verdict: GateVerdict): VerdictChanges {
  const before = parseEarlierEvidence(previous);
  return {
    verdict: { before: previous.verdict, now: verdict.verdict },
    caveats: caveats(previous, verdict),
    conditions: conditionChanges(previous.conditions, verdict.conditions),
    figures: before ? figureChanges(before, parseEvidence(verdict)) : [],
  };
}

/** One row per condition, after the heading. */
export function conditionChangeRows({ conditions }: VerdictChanges): string[][] {
  return [
    ['condition', 'before', 'now', 'change', 'verdict'],
    ...conditions.map((one) => [
      one.name,
      one.before ? formatValue(one.before) : DASH,
      one.now ? formatValue(one.now) : DASH,
      formatDifference(one.before?.value, one.now?.value, formatterFor(one.name)),
      verdictChange(one),
    ]),
  ];
}

/** One row per figure that either verdict knows, after the heading. */
export function figureChangeRows({ figures }: VerdictChanges): string[][] {
  return [
    ['figure', 'before', 'now', 'change'],
    ...figures.filter(({ before, now }) => before !== null || now !== null).map(figureRow),
  ];
}

/** `FAIL before, PASS now.` */
export function verdictChangeSentence({ verdict: { before, now } }: VerdictChanges): string {
  return before === now ? `${now}, as before.` : `${before} before, ${now} now.`;
}

function caveats(before: StoredVerdict, now: GateVerdict): string[] {
  const same =
    'artifact' in now &&
    before.artifact.sha256 === now.artifact.sha256 &&
    before.policy.threshold === now.policy.threshold;
  return [
    ...(before.sealed.sha256 === now.sealed.sha256
      ? []
      : ['The sealed cases are others than before: a difference may come from the cases.']),
    ...(before.suite.sha256 === now.suite.sha256 ? [] : ['The suite has changed: limits may differ.']),
    ...(same ? ['Artifact and threshold are the same as before.'] : []),
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

function figureChanges(before: ComparedEvidence, now: ComparedEvidence): FigureChange[] {
  const figure = (
    name: string,
    unit: FigureChange['unit'],
    value: (evidence: ComparedEvidence) => number | null,
  ) => ({
    name,
    unit,
    before: value(before),
    now: value(now),
  });
  return [
    figure('quality loss', 'loss', ({ quality_loss }) => quality_loss),
    figure('quality, routed', 'share', ({ quality }) => quality.routed),
    figure('escalated', 'share', ({ escalation_rate }) => escalation_rate),
    figure('silent downgrades', 'share', ({ silent_downgrades }) => silent_downgrades.rate),
    figure('cost of 1,000', 'usd', ({ cost }) => cost?.routed_usd ?? null),
    figure('saved against strong', 'share', ({ cost }) => cost?.saved_against_strong ?? null),
    figure('PGR', 'loss', ({ pgr }) => pgr),
    figure('APGR', 'loss', ({ apgr }) => apgr),
    figure('AIQ', 'loss', ({ aiq }) => aiq),
    figure('CPT50', 'share', ({ cpt50 }) => cpt50),
    figure('CPT80', 'share', ({ cpt80 }) => cpt80),
  ];
}

const FORMATS = { share: formatRate, loss: formatLoss, usd: formatCost } as const;

function figureRow({ name, unit, before, now }: FigureChange): string[] {
  const format = FORMATS[unit];
  return [name, format(before), format(now), formatDifference(before, now, format)];
}

function verdictChange({ before, now, change }: ConditionChange): string {
  if (before && now && change !== 'same') return `${before.verdict} -> ${now.verdict} (${change})`;
  const { verdict } = (now ?? before) as Condition;
  return change === 'same' ? verdict : `${verdict} (${change})`;
}
