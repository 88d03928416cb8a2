import type { GateVerdict, StoredVerdict } from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import {
  type ComparedEvidence,
  comparedEvidenceSchema,
  type Evidence,
  evidenceSchema,
} from '../../router/verdict-report/index.ts';
import { DASH, formatCost, formatCount, formatLoss, formatRate } from '../format.ts';

/* What every report says about a verdict, as plain sentences and table rows. Nothing is escaped here: each report does it its own way. */

const MS_PER_DAY = 86_400_000;
/**
 * A verdict's evidence, validated.
 *
 * @throws PlimsollError `invalid-artifact`: the evidence is not what the gate writes
 */
export function parseEvidence(verdict: GateVerdict): Evidence {
  const { success, data, error } = evidenceSchema.safeParse(verdict.evidence);
  if (success) return data;
  const { path = [], message = '' } = error.issues[0] ?? {};
  throw new PlimsollError(
    'invalid-artifact',
    `The verdict's evidence is wrong at ${path.join('.') || 'its root'}: ${message}. Run the gate again: this version writes it anew.`,
  );
}

/** What a cascade does with the requests, what it saves and how long it takes. No line of other policies. */
export function cascadeLines({ cascade, cost }: Evidence): string[] {
  if (cascade === undefined) return [];
  const { accept, skip, latency, unknown_replies: unknown, rungs } = cascade;
  const saved =
    cost === null
      ? 'costs are not known'
      : `saves ${formatRate(cost.saved_against_strong)} of the cost of always-strong, cheap calls counted`;
  const [cheap, look, limits] =
    rungs === undefined
      ? ['the cheap reply', 'a look at it', `, ${skip.toFixed(4)} of a prompt`]
      : ['a cheaper reply', 'looks at them', ''];
  return [
    `Cascade: ${formatRate(cascade.share_accepted)} get ${cheap}, ${formatRate(cascade.share_escalated)} escalate after ${look}, ${formatRate(cascade.share_skipped)} go straight up (predicted loss at most ${accept.toFixed(4)} of a reply${limits}); ${saved}.`,
    ...(rungs ?? []).map(
      (rung) =>
        `${rung.candidate}: called for ${formatRate(rung.share_called)} (predicted loss of a prompt at most ${rung.skip.toFixed(4)}), its reply goes out to ${formatRate(rung.share_accepted)}.`,
    ),
    ...(latency === null
      ? []
      : [
          `Latency against always-strong, on ${formatCount(latency.n)} cases: ${added(latency.added_ms.p50)} at p50, ${added(latency.added_ms.p95)} at p95, ${added(latency.added_ms.mean)} on average; p50 ${milliseconds(latency.routed_ms.p50)} against ${milliseconds(latency.strong_ms.p50)}, p95 ${milliseconds(latency.routed_ms.p95)} against ${milliseconds(latency.strong_ms.p95)}.`,
        ]),
    ...(unknown === 0
      ? []
      : [
          `Of ${formatCount(unknown)} cases ${rungs === undefined ? 'the cheap reply' : 'a cheaper reply'} is not known: unless its prompt is skipped, each counts as kept with a loss of 1.`,
        ]),
  ];
}

function milliseconds(ms: number): string {
  return `${formatCount(Math.round(ms))} ms`;
}

function added(ms: number): string {
  return `${milliseconds(Math.abs(ms))} ${ms < 0 ? 'less' : 'more'}`;
}

/** The figures of an earlier verdict, or undefined if they have another shape: then only the conditions can be compared. */
export function parseEarlierEvidence(verdict: StoredVerdict): ComparedEvidence | undefined {
  return comparedEvidenceSchema.safeParse(verdict.evidence).data;
}

/** What a verdict is of. */
interface Judged {
  /** Name of the artifact, or of the file of decisions. */
  readonly name: string;
  readonly what: 'artifact' | 'decisions';
  readonly sha256: string;
  /** Who decided, as a name: `default`, or `decisions`. */
  readonly decider: string;
  /** The same for a person: `policy default version 3, threshold 0.1200`. */
  readonly words: readonly string[];
}

export function judgedBy(verdict: GateVerdict): Judged {
  if ('decisions' in verdict) {
    const { file, sha256, ladder } = verdict.decisions;
    const words = [`decisions made elsewhere between ${ladder.join(' < ')}`];
    return { name: file, what: 'decisions', sha256, decider: 'decisions', words };
  }
  const { artifact, policy } = verdict;
  const words = [
    `policy ${policy.name} version ${policy.version}`,
    `threshold ${formatLoss(policy.threshold)}`,
  ];
  return { ...artifact, what: 'artifact', decider: policy.name, words };
}

/** What was judged: `starter, policy default version 3, threshold 0.1200, suite everyday, 2,747 sealed cases`. */
export function verdictSubject(verdict: GateVerdict): string {
  const { name, words } = judgedBy(verdict);
  const { suite, sealed } = verdict;
  return [name, ...words, `suite ${suite.name}`, `${formatCount(sealed.n)} sealed cases`].join(', ');
}

/** When the verdict was issued, and how long a PASS is valid. */
export function issuedSentence(verdict: GateVerdict): string {
  const issued = `Issued ${dayOf(verdict.issued)}`;
  if ('decisions' in verdict) return `${issued}. It is of these decisions alone: nothing serves by it.`;
  if (verdict.verdict !== 'PASS') return `${issued}.`;
  const until = new Date(Date.parse(verdict.issued) + verdict.valid_for_days * MS_PER_DAY).toISOString();
  return `${issued}, counts until ${dayOf(until)}.`;
}

/** Which look this is, and what it may spend of the promised confidence. Reports show it as a warning from the second look on. */
export function looksSentence({ looks, evidence }: Pick<GateVerdict, 'looks' | 'evidence'>): string {
  const { number, delta, record, head } = looks;
  const spent = `each demand of the promise was tested at a confidence of ${formatConfidence(1 - delta)}`;
  // the last look on record is another one: this one was taken before
  if (record !== null && typeof head === 'string' && head !== record)
    return `This repeats look ${number} at these sealed cases, as it is on record: ${spent}. Others were taken since, and repeating an earlier one adds none.`;
  if (number === 1) return `First look at these sealed cases: ${spent}, so that later looks have some left.`;
  return `Look ${number} at these sealed cases, or at some of them: ${spent}. The promise holds over all looks, and each further one costs more cases: take fresh ones.${evidence['hard_cases'] ? ' An earlier look at one of the hard cases counts too.' : ''}`;
}

/** A confidence as a percentage: `96.96 %`. */
export function formatConfidence(confidence: number): string {
  return `${Number((100 * confidence).toPrecision(5))} %`;
}

/** One row per look, after the heading. */
export function lookRows({ looks }: GateVerdict): string[][] {
  return [
    ['earlier look', 'artifact', 'threshold', 'suite', 'verdict'],
    ...looks.earlier.map(({ issued, artifact, threshold, suite, verdict }) => [
      dayOf(issued),
      artifact,
      formatLoss(threshold),
      suite,
      verdict ?? 'stopped',
    ]),
  ];
}

/** Which rows and cases were not judged, by reason. */
export function excludedSentence({ sealed }: GateVerdict): string {
  const { duplicates, rejected, seen, seen_copies: copies = 0, seen_group } = sealed.excluded;
  const parts = [
    ...(seen > 0 ? [`${formatCount(seen)} seen in training or calibration`] : []),
    ...(copies > 0
      ? [
          `${formatCount(copies)} that ${copies === 1 ? 'is a copy' : 'are copies'} of what was seen, but for case, white space, punctuation and numbers at either end`,
        ]
      : []),
    ...(seen_group > 0 ? [`${formatCount(seen_group)} in one group with a seen question`] : []),
    ...(duplicates > 0 ? [`${formatCount(duplicates)} duplicates`] : []),
    ...(rejected > 0 ? [`${formatCount(rejected)} rejected rows`] : []),
  ];
  const excluded = parts.length === 0 ? 'No case was excluded.' : `Excluded: ${parts.join(', ')}.`;
  const below = sealed.below_limit;
  if (sealed.weights !== undefined) return `${excluded} ${weightsSentence(sealed)}`;
  if (below !== undefined) {
    return `${excluded} Labels were drawn from the ${formatRate(below.share)} of ${formatCount(below.pool)} requests whose predicted loss is at most ${formatLoss(below.limit)}: the promise is about all requests. A dash stands for what takes the outcomes of both ends of the ladder on all of them: baselines, APGR, costs, and whether it beats a random choice. ${formatCount(sealed.unknown_losses)} of the kept ones lack a label and count as a loss of 1.`;
  }
  const unlabelled = sealed.n - sealed.labelled;
  if (unlabelled === 0) return excluded;
  return `${excluded} ${formatCount(unlabelled)} cases lack a label: those that the policy escalates lose nothing, and ${formatCount(sealed.unknown_losses)} that it keeps cheap count as a loss of 1. The tables of rungs, costs and baselines are about the ${formatCount(sealed.labelled)} others, which may be another mix of requests.`;
}

/** What weighted cases stand for, and what is measured on which of them. */
function weightsSentence({ n, weights, unknown_losses: unknown }: GateVerdict['sealed']): string {
  const { from, to, largest, described } = weights!;
  const lost =
    unknown === 0 ? '' : ` ${formatCount(unknown)} of the kept ones lack a label and count as a loss of 1.`;
  return `The ${formatCount(n)} cases stand for ${formatNumber(from)} to ${formatNumber(to)} requests each (at most ${formatNumber(largest)}): the promise is weighted, and all other figures are about ${formatCount(described)} of them, each kept in proportion to its weight.${lost}`;
}

function formatNumber(value: number): string {
  return String(Number(value.toPrecision(4)));
}

/** Whose labels the verdict rests on, if a judge gave some of them; a warning if no labels of people correct those. */
export function labelsLine({
  sealed,
}: GateVerdict): { readonly text: string; readonly isWarning: boolean } | undefined {
  if (sealed.labels === undefined) return undefined;
  const { judged, people } = sealed.labels;
  const by = `A judge labelled ${formatCount(judged)} of ${formatCount(sealed.n)} cases`;
  if (people === 0) {
    const text = `${by}, and people none of them: the verdict is true only as far as the judge is right.`;
    return { text, isWarning: true };
  }
  const text = `${by}, and people ${formatCount(people)} of them too: what is promised is what people see, and all other figures are the judge's. It holds if these ${formatCount(people)} are a random part of the judged ones.`;
  return { text, isWarning: false };
}

/** One row per language, after the heading; undefined if the cases name fewer than two. */
export function languageRows({ slices }: Evidence): string[][] | undefined {
  const rows = slices.flatMap(({ name, ...row }) =>
    name.startsWith(LANGUAGE) ? { ...row, language: name.slice(LANGUAGE.length) } : [],
  );
  if (rows.length < 2) return undefined;
  const unscored = unscoredColumns(rows);
  return [
    ['language', 'n', 'escalated', 'loss', 'interval', ...unscored.heading],
    ...rows.map(({ language, n, escalation_rate, quality_loss, low, high, ...counts }) => [
      language,
      formatCount(n),
      formatRate(escalation_rate),
      formatLoss(quality_loss),
      `${formatLoss(low)} to ${formatLoss(high)}`,
      ...unscored.cells({ n, ...counts }),
    ]),
  ];
}

type UnscoredCounts = Pick<Evidence['slices'][number], 'n' | 'unreadable' | 'nothing_similar'>;

/** The shares of cases that are not scored; that of an artifact that abstains only if a row has one. */
export function unscoredColumns(rows: readonly UnscoredCounts[]): {
  readonly heading: readonly string[];
  readonly cells: (row: UnscoredCounts) => readonly string[];
} {
  const abstains = rows.some((row) => row.nothing_similar !== undefined);
  const rate = (count: number | undefined, n: number) => (count === undefined ? DASH : formatRate(count / n));
  return {
    heading: ['unreadable', ...(abstains ? ['nothing similar'] : [])],
    cells: ({ n, unreadable, nothing_similar }) => [
      rate(unreadable, n),
      ...(abstains ? [rate(nothing_similar, n)] : []),
    ],
  };
}

/** How many cases an artifact abstained from, as a sentence; none if there are none. */
export function abstainedLines({ nothing_similar }: Evidence, { sealed }: GateVerdict): string[] {
  if (nothing_similar === undefined) return [];
  return [
    `Nothing similar was labelled to ${formatCount(nothing_similar)} of ${formatCount(sealed.n)} sealed cases (${formatRate(nothing_similar / sealed.n)}): the strongest model gets them unscored.`,
  ];
}

/** How the slices of languages are named. */
const LANGUAGE = 'language: ';

/** What the column of unreadable texts says. */
export const UNREADABLE_NOTE =
  "Unreadable: texts in a script that the encoder's vocabulary lacks. They are not scored; the strongest model gets them.";

/** What each rung gets, reaches and costs, and what its model reaches and costs on all cases, after the heading. */
export function rungRows({ rungs, candidates }: Evidence): string[][] {
  return [
    [
      'rung',
      'model',
      'share',
      'quality there',
      'quality on all',
      'cost of 1,000 there',
      'cost of 1,000 of all',
    ],
    ...rungs.map(({ candidate, share, quality, cost_usd }, rung) => [
      candidate,
      candidates[rung]?.model ?? DASH,
      formatRate(share),
      formatRate(quality),
      formatRate(candidates[rung]?.quality),
      formatCost(cost_usd),
      formatCost(candidates[rung]?.cost_usd),
    ]),
  ];
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

function dayOf(instant: string): string {
  return instant.slice(0, 10);
}
