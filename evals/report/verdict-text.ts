import type { Condition, Verdict, VerdictWord } from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { type Evidence, evidenceSchema } from '../gate/index.ts';
import { DASH, formatCost, formatCount, formatLoss, formatRate } from './format.ts';

/* What every report says about a verdict, as plain sentences and table rows. Nothing is escaped here: each report does it its own way. */

/** Distinguishes the verdicts by shape, without colour. */
export const VERDICT_SIGNS: Readonly<Record<VerdictWord, string>> = {
  PASS: '✓',
  INCONCLUSIVE: '?',
  FAIL: '✗',
};

const MS_PER_DAY = 86_400_000;
/** Conditions on a share of cases. All others limit a loss, a gain or a calibration error. */
const SHARES = /^(escalation-rate|flip-rate|silent-downgrades?|hard-cases|recall|kept-cheap)(\/|$)/;

/**
 * A verdict's evidence, validated.
 *
 * @throws PlimsollError `invalid-artifact`: the evidence is not what the gate writes
 */
export function parseEvidence(verdict: Verdict): Evidence {
  const { success, data, error } = evidenceSchema.safeParse(verdict.evidence);
  if (success) return data;
  const { path = [], message = '' } = error.issues[0] ?? {};
  throw new PlimsollError(
    'invalid-artifact',
    `The verdict's evidence is wrong at ${path.join('.') || 'its root'}: ${message}. Run the gate again: this version writes it anew.`,
  );
}

/** The evidence, or undefined if an earlier version wrote it: then only the conditions can be compared. */
export function parseEarlierEvidence(verdict: Verdict): Evidence | undefined {
  return evidenceSchema.safeParse(verdict.evidence).data;
}

/** What was judged: `starter, policy default version 3, threshold 0.1200, suite everyday, 2,747 sealed cases`. */
export function verdictSubject({ artifact, policy, suite, sealed }: Verdict): string {
  return [
    artifact.name,
    `policy ${policy.name} version ${policy.version}`,
    `threshold ${formatLoss(policy.threshold)}`,
    `suite ${suite.name}`,
    `${formatCount(sealed.n)} sealed cases`,
  ].join(', ');
}

/** When the verdict was issued, and how long a PASS is valid. */
export function issuedSentence({ issued, valid_for_days: days, verdict }: Verdict): string {
  const until = new Date(Date.parse(issued) + days * MS_PER_DAY).toISOString();
  return `Issued ${dayOf(issued)}${verdict === 'PASS' ? `, counts until ${dayOf(until)}` : ''}.`;
}

/** Whether the held-out cases were still unseen. Reports show it as a warning if `earlier_looks` has any. */
export function looksSentence({ sealed: { earlier_looks: looks } }: Verdict): string {
  if (looks.length === 0) return 'First look at these sealed cases: the confidence is what it says.';
  const times = looks.length === 1 ? 'once' : `${looks.length} times`;
  return `These sealed cases were looked at ${times} before, with another classifier or threshold. The confidence is no longer what it says: take fresh cases.`;
}

/** One row per look, after the heading. */
export function lookRows({ sealed }: Verdict): string[][] {
  return [
    ['earlier look', 'artifact', 'threshold', 'suite', 'verdict'],
    ...sealed.earlier_looks.map(({ issued, artifact, threshold, suite, verdict }) => [
      dayOf(issued),
      artifact,
      formatLoss(threshold),
      suite,
      verdict,
    ]),
  ];
}

/** Which rows and cases were not judged, by reason. */
export function excludedSentence({ sealed: { excluded } }: Verdict): string {
  const { missing_outcome, duplicates, rejected, seen = 0, seen_group = 0 } = excluded;
  if (missing_outcome + duplicates + rejected + seen + seen_group === 0) return 'No case was excluded.';
  const parts = [
    ...(seen > 0 ? [`${formatCount(seen)} seen in training or calibration`] : []),
    ...(seen_group > 0 ? [`${formatCount(seen_group)} in one group with a seen question`] : []),
    `${formatCount(missing_outcome)} without an outcome`,
    `${formatCount(duplicates)} duplicates`,
    `${formatCount(rejected)} rejected rows`,
  ];
  return `Excluded: ${parts.join(', ')}.`;
}

/** One row per condition, after the heading. */
export function conditionRows(conditions: readonly Condition[]): string[][] {
  return [
    ['condition', 'value', 'bound', 'limit', 'n', 'verdict'],
    ...conditions.map((condition) => [
      condition.name,
      formatValue(condition),
      formatBound(condition),
      formatLimit(condition),
      formatCount(condition.n),
      condition.verdict,
    ]),
  ];
}

/** The format of a condition's numbers: a share in percent, all else with four decimals. */
export function formatterFor(condition: string): (value: number | null | undefined) => string {
  return SHARES.test(condition) ? formatRate : formatLoss;
}

export function formatValue({ name, value }: Condition): string {
  return formatterFor(name)(value);
}

/** The finite-sample bounds: `0.0051 to 0.0188`, or the only one. */
export function formatBound({ name, bounds: { lower, upper } }: Condition): string {
  return formatRange(name, lower ?? undefined, upper ?? undefined);
}

export function formatLimit({ name, limits: { min, max } }: Condition): string {
  return formatRange(name, min, max);
}

/** One line per condition that has a note from the gate or needs more cases for a decision. */
export function noteLines(conditions: readonly Condition[]): string[] {
  return conditions.flatMap((condition) => {
    const notes = [furtherCasesNote(condition), condition.note].filter((note) => note !== undefined);
    return notes.length === 0 ? [] : [`${condition.name}: ${notes.join('; ')}`];
  });
}

export function furtherCasesNote({ further_cases: further }: Condition): string | undefined {
  return further === undefined
    ? undefined
    : `about ${formatCount(further)} further cases would probably decide`;
}

/** The policy and its baselines, one row each, after the heading. */
export function baselineRows(evidence: Evidence): string[][] {
  const { escalation_rate, quality, cost, apgr, cpt50, cpt80 } = evidence;
  const policy = { name: 'this policy', escalation_rate, quality: quality.routed, apgr, cpt50, cpt80 };
  return [
    ['baseline', 'escalated', 'quality', 'cost of 1,000', 'APGR', 'CPT50', 'CPT80'],
    ...[{ ...policy, cost_usd: cost?.routed_usd ?? null }, ...evidence.baselines].map((one) => [
      one.name,
      formatRate(one.escalation_rate),
      formatRate(one.quality),
      formatCost(one.cost_usd),
      formatLoss(one.apgr),
      formatRate(one.cpt50),
      formatRate(one.cpt80),
    ]),
  ];
}

function formatRange(condition: string, low: number | undefined, high: number | undefined): string {
  const format = formatterFor(condition);
  if (low !== undefined && high !== undefined) return `${format(low)} to ${format(high)}`;
  if (low !== undefined) return `at least ${format(low)}`;
  return high === undefined ? DASH : `at most ${format(high)}`;
}

function dayOf(instant: string): string {
  return instant.slice(0, 10);
}
