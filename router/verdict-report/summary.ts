import type { Condition, DecisionsVerdict, StoredVerdict } from '../artifact/index.ts';
import { capitalised, conditionSentence, demandWords } from './condition-sentence.ts';
import { type Evidence, evidenceSchema } from './evidence.ts';
import { confidenceWords, count, points, wholePercent } from './figures-in-words.ts';

/** Any verdict: of an artifact, of either version, or of decisions that were made elsewhere. */
export type AnyVerdict = StoredVerdict | DecisionsVerdict;

const WARNING = 'WARNING: ';

/** A verdict's evidence; undefined if another version wrote it in another shape. */
export function readEvidence({ evidence }: Pick<AnyVerdict, 'evidence'>): Evidence | undefined {
  return evidenceSchema.safeParse(evidence).data;
}

/**
 * A verdict in one sentence for whoever pays, and in further ones what limits it: labels of a judge, an operator's word, earlier looks, that
 * it is of no artifact.
 * Says only what the verdict knows: no saving without prices, no date of the requests.
 *
 * Quality is in points, hundredths of its scale. The loss is the upper bound, rounded up; shares and the saving are estimates.
 */
export function verdictSummary(verdict: AnyVerdict): string {
  const evidence = readEvidence(verdict);
  return [
    mainSentence(verdict, evidence),
    ...rivalSentences(verdict),
    ...labelSentences(verdict),
    ...lookSentences(verdict),
    ...bindingSentences(verdict),
  ].join(' ');
}

function mainSentence(verdict: AnyVerdict, evidence: Evidence | undefined): string {
  if (verdict.verdict === 'PASS') return passSentence(verdict, evidence);
  return verdict.verdict === 'FAIL' ? failSentence(verdict, evidence) : undecidedSentence(verdict, evidence);
}

function passSentence(verdict: AnyVerdict, evidence: Evidence | undefined): string {
  const loss = lossOf(verdict);
  const upper = loss?.bounds.upper;
  const subject = evidence === undefined ? bareSubject(verdict) : routesWords(verdict, evidence);
  const sure = loss === undefined ? '' : `, with ${confidenceWords(verdict, loss)} confidence`;
  const lost =
    upper == null
      ? 'meets what is demanded of it'
      : upper <= 0
        ? `gains at least ${points(-upper, 'down')} points of quality`
        : `loses at most ${points(upper, 'up')} points of quality`;
  const saved = evidence === undefined ? undefined : savingWords(verdict, evidence);
  if (saved === undefined || saved.isUnknown) {
    const unknown = saved === undefined ? '' : `; ${saved.words}`;
    return `${subject} ${lost} against always using ${strongest(evidence)}${sure}, on ${casesWords(verdict)}${unknown}.`;
  }
  return `${subject} ${saved.words} and ${lost}${sure}, on ${casesWords(verdict)}.`;
}

function failSentence(verdict: AnyVerdict, evidence: Evidence | undefined): string {
  const failed = verdict.conditions.filter(({ verdict: word }) => word === 'FAIL');
  const more =
    failed.length > 1
      ? ` ${failed.length === 2 ? 'Another demand is' : `${failed.length - 1} more demands are`} broken too.`
      : '';
  return `Do not use ${judged(verdict)}: on ${casesWords(verdict)} ${failed.length > 1 ? 'demands are' : 'a demand is'} broken. ${conditionSentence(failed[0]!, verdict)}${more}${measuredSentence(verdict, evidence)}`;
}

function undecidedSentence(verdict: AnyVerdict, evidence: Evidence | undefined): string {
  const open = verdict.conditions.filter(({ verdict: word }) => word === 'INCONCLUSIVE');
  if (foundNoThreshold(verdict)) {
    const blocked = verdict.conditions.find(({ name }) => name === verdict.walk.stopped_by);
    const what = blocked === undefined ? 'what is demanded' : `this: ${demandWords(blocked)}`;
    return `Nothing is proved yet: at no threshold do ${casesWords(verdict)} show that ${judged(verdict)} keeps to ${what}.${neededSentence(blocked, open)}`;
  }
  const others = open.length - 1;
  const more = others > 0 ? `, and ${others === 1 ? 'one more demand' : `${others} more demands`}` : '';
  const keep = 'decisions' in verdict ? 'keep' : 'keeps';
  return `Not decided yet: ${casesWords(verdict)} do not show that ${judged(verdict)} ${keep} to this: ${demandWords(open[0]!)}${more}.${neededSentence(open[0], open)}${measuredSentence(verdict, evidence)}`;
}

/** A lower limit on the further cases, or that none can be named, as the gate's note of a condition has it. */
const NOTED_NEED = /(?:^|; )(too (?:few|near) [^;]+)/;

/** How many further cases it takes: as the note of the condition that is named says, else the most that any open one would need. */
function neededSentence(named: Condition | undefined, open: readonly Condition[]): string {
  const noted = NOTED_NEED.exec(named?.note ?? '')?.[1];
  if (noted !== undefined) return ` ${capitalised(noted)}.`;
  const further = Math.max(0, ...open.map(({ further_cases: cases = 0 }) => cases));
  return further > 0 ? ` About ${count(further)} more would probably decide.` : '';
}

function foundNoThreshold(verdict: AnyVerdict): verdict is Extract<AnyVerdict, { walk: unknown }> {
  if (!('walk' in verdict)) return false;
  const { from, to, steps, stopped_by: stopped } = verdict.walk;
  return from !== to && (steps === 0 || (steps === 1 && stopped !== null));
}

/** What was measured, for a verdict that promises nothing. */
function measuredSentence(verdict: AnyVerdict, evidence: Evidence | undefined): string {
  if (evidence === undefined) return '';
  const { quality_loss: loss } = evidence;
  const saved = savingWords(verdict, evidence);
  const lost = loss < 0 ? `gains ${points(-loss)}` : `loses ${points(loss)}`;
  const cost = saved.isUnknown ? '' : `${saved.words} and `;
  return ` As measured, which promises nothing: ${lowered(routesWords(verdict, evidence))} ${cost}${lost} points of quality.`;
}

/** What the policy does, as the subject of a sentence. */
function routesWords(verdict: AnyVerdict, { rungs, candidates, cascade }: Evidence): string {
  const modelOf = (candidate: string) =>
    candidates.find((one) => one.candidate === candidate)?.model ?? candidate;
  if (cascade !== undefined) {
    const kept = cascade.rungs ?? [
      { candidate: rungs[0]!.candidate, share_accepted: cascade.share_accepted },
    ];
    const parts = kept.map(
      ({ candidate, share_accepted: share }) => `${modelOf(candidate)}'s reply for ${wholePercent(share)}`,
    );
    return `Judging replies and keeping ${listed(parts)} of requests`;
  }
  const parts = rungs
    .slice(0, -1)
    .filter(({ share }) => share > 0)
    .map(
      ({ candidate, share }, i) =>
        `${wholePercent(share)}${i === 0 ? ' of requests' : ''} to ${modelOf(candidate)}`,
    );
  const as = 'decisions' in verdict ? `, as ${judged(verdict)} do,` : '';
  if (parts.length === 0) return `Sending every request to ${modelOf(rungs.at(-1)!.candidate)}${as}`;
  return `Sending ${listed(parts)}${as}`;
}

interface Saving {
  readonly words: string;
  readonly isUnknown: boolean;
}

function savingWords({ sealed }: AnyVerdict, evidence: Evidence): Saving {
  const share = evidence.cost?.saved_against_strong;
  if (share === undefined || share === null) {
    const why =
      'below_limit' in sealed && sealed.below_limit !== undefined
        ? 'only a part of the requests was labelled'
        : 'not every cost is known';
    return { words: `what it saves cannot be said, as ${why}`, isUnknown: true };
  }
  const always = `the cost of always using ${strongest(evidence)}`;
  if (share < 0)
    return { words: `costs about ${wholePercent(-share)} more than ${always}`, isUnknown: false };
  return { words: `saves about ${wholePercent(share)} of ${always}`, isUnknown: false };
}

function strongest(evidence: Evidence | undefined): string {
  return evidence?.candidates.at(-1)?.model ?? 'the strongest model';
}

function judged(verdict: AnyVerdict): string {
  return 'decisions' in verdict
    ? `the decisions in ${verdict.decisions.file}`
    : `the router ${verdict.artifact.name}`;
}

/** What a verdict is of, as the subject of a sentence in the singular. */
function bareSubject(verdict: AnyVerdict): string {
  return 'decisions' in verdict ? `Routing as ${judged(verdict)} do` : capitalised(judged(verdict));
}

function casesWords({ sealed }: AnyVerdict): string {
  const n = `${count(sealed.n)} test requests`;
  if (!('units' in sealed)) return n;
  if (sealed.sessions !== undefined) return `${n} in ${count(sealed.units)} whole sessions`;
  if (sealed.sampling === 'groups') return `${n} in ${count(sealed.units)} groups`;
  if (sealed.below_limit !== undefined) return `${n} drawn from ${count(sealed.below_limit.pool)}`;
  return sealed.weights === undefined ? n : `${n}, weighted to stand for the traffic`;
}

/** A ladder may pass that is as good as a mix of its models: whoever pays for a router wants to know. */
function rivalSentences({ verdict, conditions }: AnyVerdict): string[] {
  const rival = conditions.find(({ name, method }) => name === 'beats-random' && method === 'bootstrap');
  if (verdict !== 'PASS' || rival === undefined || rival.bounds.lower === null || rival.bounds.lower > 0)
    return [];
  return ['It cannot be told from a random mix of the single models at the same cost.'];
}

function labelSentences(verdict: AnyVerdict): string[] {
  const { sealed } = verdict;
  if ('labels' in sealed && sealed.labels !== undefined) {
    const { judged: byJudge, people } = sealed.labels;
    return [
      people === 0
        ? `A model judged ${count(byJudge)} of them and people none: this is true only as far as that judge is right.`
        : `A model judged ${count(byJudge)} of them and people ${count(people)} of these too, and the bound allows for the judge's mistakes.`,
    ];
  }
  const note = lossOf(verdict)?.note;
  return note?.startsWith(WARNING) ? [`Note: ${note.slice(WARNING.length)}.`] : [];
}

function lookSentences(verdict: AnyVerdict): string[] {
  if (!('looks' in verdict) || verdict.looks.number === 1) return [];
  return [
    `It is look ${verdict.looks.number} at some of these requests, and the confidence is that of all looks together.`,
  ];
}

/** Whoever reads the first line alone must not take it for a verdict by which something serves. */
function bindingSentences(verdict: AnyVerdict): string[] {
  if (!('decisions' in verdict)) return [];
  return [
    'No artifact was judged: nothing binds this to what is served, and whether the router has learned from these requests is not known.',
  ];
}

function lossOf({ conditions }: AnyVerdict): Condition | undefined {
  return conditions.find(({ name }) => name === 'quality-loss');
}

function listed(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

function lowered(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
