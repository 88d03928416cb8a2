import type { EarlierLook } from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import {
  type CaseFingerprints,
  CaseIndex,
  copiesOf,
  countIn,
  type HardCaseFingerprints,
  overlaps,
  questionsOf,
} from './case-fingerprints.ts';
import type { LookRecord, RecordedLook } from './look-record.ts';

/** Who wants to look at which cases, by what. */
export interface LookRequest {
  readonly artifact: string;
  /** Hash of its manifest, which binds ladder and classifier. */
  readonly artifactSha256: string;
  readonly policy: { readonly name: string; readonly version: number };
  readonly suite: string;
  /** Hash of the suite's content: margins, confidence, slices. */
  readonly suiteSha256: string;
  /** The confidence of a single look at fresh cases; above 0, below 1. */
  readonly confidence: number;
  /** How many looks share 1 - confidence evenly. Without it there is no last one, and the k-th gets 6 / (pi k)^2 of it. */
  readonly plannedLooks?: number;
  /** Hash of the plan by which the labels were drawn: its share scales the limits. */
  readonly labelPlanSha256?: string;
  /** The sealed cases that the look bets on, in any order. */
  readonly cases: CaseFingerprints;
  /** The hard cases of which recall is promised. */
  readonly hardCases?: HardCaseFingerprints;
}

/** What a look may spend, and how its cases are ordered. */
export interface LookPlan {
  /** 1 for the first look at the cases. */
  readonly number: number;
  /** The error that this look may spend: tests are at this level. */
  readonly delta: number;
  /** The batch of each case of the request: those of batch 0 are bet on first. */
  readonly batchOf: Uint32Array;
  readonly batches: number;
  /** The other looks that count: `number` - 1 of them, oldest first. */
  readonly earlier: readonly EarlierLook[];
  /** Hash of the last line that began or continued a look, this one if it is on record; null if there is none. */
  readonly head: string | null;
  /** It is a look on record, with the same cases or more. */
  readonly continues: boolean;
  /** Hash of its line, if it is on record with these very cases. */
  readonly record: string | null;
  /** What a person should know about the record. */
  readonly notes: readonly string[];
}

export interface Planned {
  readonly plan: LookPlan;
  /** The look that is continued. */
  readonly same?: RecordedLook;
  /** Indices of the cases that are new to it; of all of them for another look. */
  readonly added: Uint32Array;
}

/** @throws PlimsollError `insufficient-data`, see planLook */
export function planOf(record: LookRecord, request: LookRequest): Planned {
  const { looks, begun, notes } = record;
  const { same, notes: whyNot } = findContinued(looks, request);
  const before = same === undefined ? looks : looks.slice(0, looks.indexOf(same.look));
  const hasSeenSealed = touching(request.cases);
  const ofSealed = new Set(before.filter(hasSeenSealed));
  const hasSeenHard = touchingHard(request);
  const counted = before.filter((look) => ofSealed.has(look) || hasSeenHard(look));
  const ofHardAlone = counted.length - ofSealed.size;
  const number = counted.length + 1;
  const batchOf = same?.batchOf ?? new Uint32Array(request.cases.contents.length);
  const old = same?.look.latest?.batches.length ?? 0;
  const added = indicesOf(batchOf, old);
  return {
    added,
    ...(same && { same: same.look }),
    plan: {
      number,
      delta: spending(number, counted, request),
      batchOf,
      batches: added.length > 0 ? old + 1 : old,
      earlier: counted.map(({ shown }) => shown),
      head: [...begun].at(-1) ?? null,
      continues: same !== undefined,
      record: added.length === 0 ? (same?.look.latest?.record ?? null) : null,
      notes: [...notes, ...whyNot, ...(ofHardAlone > 0 ? [hardNote(ofHardAlone, number)] : [])],
    },
  };
}

function hardNote(looks: number, number: number): string {
  const at = looks === 1 ? 'An earlier look was' : `${looks} earlier looks were`;
  return `${at} at hard cases of this suite, changed or not, and at other sealed cases. Recall of hard cases is promised too, so this is look ${number}. Write fresh hard cases, under ids of their own, for a first look.`;
}

interface Continued {
  readonly same?: { readonly look: RecordedLook; readonly batchOf: Uint32Array };
  /** Why it does not continue a look to which cases were appended. */
  readonly notes: readonly string[];
}

/** The oldest look that the request is, with the same cases or with cases of fresh questions besides. */
function findContinued(looks: readonly RecordedLook[], request: LookRequest): Continued {
  const alike = looks.filter((look) => isAlike(look, request));
  const notes: string[] = [];
  if (alike.length === 0) return { notes };
  const index = new CaseIndex(request.cases);
  for (const look of alike) {
    const batches = look.latest!.batches;
    const batchOf = index.batchOf(batches.map(({ contents }) => contents));
    if (batchOf === undefined) continue;
    const seen = touching(request.cases, indicesOf(batchOf, batches.length));
    // Appended cases of which a look has seen the question, this one included, were perhaps chosen by what it saw, or are copies of it.
    if (!looks.some((other) => other.latest !== undefined && seen(other)))
      return { same: { look, batchOf }, notes: [] };
    notes.push(
      `Cases were appended to the look of ${look.shown.issued}, and some of them have the key or the text of a case that was looked at, or many are copies of such cases but for a number: so this is no continuation of it, but a further look.`,
    );
  }
  return { notes };
}

function isAlike({ latest }: RecordedLook, request: LookRequest): boolean {
  if (latest === undefined) return false;
  const { line } = latest;
  return (
    line.artifact_sha256 === request.artifactSha256 &&
    line.policy.name === request.policy.name &&
    line.policy.version === request.policy.version &&
    line.suite_sha256 === request.suiteSha256 &&
    line.confidence === request.confidence &&
    line.planned_looks === (request.plannedLooks ?? null) &&
    line.label_plan_sha256 === request.labelPlanSha256
  );
}

/** With fewer copies among its cases a look is at fresh ones: some come about by chance, as in what templates make. */
const MANY_COPIES = 0.05;

/**
 * Whether a look has seen one of the questions, or enough of the cases are copies of its questions. For a look of version 1 nobody can
 * know. @param chosen indices of the cases; all of them unless given
 */
function touching(cases: CaseFingerprints, chosen?: Uint32Array): (look: RecordedLook) => boolean {
  const questions = questionsOf(cases, chosen);
  const copies = copiesOf(cases, chosen);
  const known = new Map<string, { readonly seen: boolean; readonly copied: number }>();
  return ({ latest }) => {
    if (latest === undefined) return true;
    let copied = 0;
    const { batches, hardCases } = latest;
    for (const { sha256, questions: others } of hardCases ? [...batches, hardCases] : batches) {
      const found = known.get(sha256) ?? {
        seen: overlaps(questions, others),
        copied: countIn(copies, others),
      };
      known.set(sha256, found);
      copied += found.copied;
      if (found.seen || (copied > 0 && copied >= MANY_COPIES * copies.length)) return true;
    }
    return false;
  };
}

/**
 * Whether a look has seen one of the hard cases, by id, text or copy: one is enough, since recall is a share of few. A line from before they were kept has seen them if it
 * is of the same suite, to which they belong.
 */
function touchingHard({ hardCases, suiteSha256 }: LookRequest): (look: RecordedLook) => boolean {
  if (hardCases === undefined) return () => false;
  const { ids, questions } = hardCases;
  return ({ latest }) => {
    if (latest === undefined) return true;
    if (latest.batches.some((batch) => overlaps(questions, batch.questions))) return true;
    const seen = latest.hardCases;
    if (seen === undefined) return latest.line.suite_sha256 === suiteSha256;
    return overlaps(ids, seen.contents) || overlaps(questions, seen.questions);
  };
}

function indicesOf(batchOf: Uint32Array, batch: number): Uint32Array {
  const indices = new Uint32Array(batchOf.length);
  let n = 0;
  batchOf.forEach((one, i) => {
    if (one === batch) indices[n++] = i;
  });
  return indices.subarray(0, n);
}

function spending(number: number, earlier: readonly RecordedLook[], request: LookRequest): number {
  const { confidence, plannedLooks } = request;
  const planned = plannedLooks ?? null;
  const other = earlier.find(({ latest }) => latest !== undefined && latest.line.planned_looks !== planned);
  if (other !== undefined) {
    throw new PlimsollError(
      'insufficient-data',
      `These ${whatOf(request)} were looked at before, on ${other.shown.issued}, with ${planWords(other.latest!.line.planned_looks)}; the suite ${request.suite} has ${planWords(planned)}. A plan must be made before the first look: go back to that one, or take fresh ones.`,
    );
  }
  if (planned === null) return deltaOfLook(number, confidence);
  if (number <= planned) return (1 - confidence) / planned;
  throw new PlimsollError(
    'insufficient-data',
    `The suite ${request.suite} plans ${planned} ${planned === 1 ? 'look' : 'looks'} at these ${whatOf(request)}, and this would be number ${number}: the planned looks are spent. Take fresh ones; with them a new plan can be made.`,
  );
}

function whatOf({ hardCases }: LookRequest): string {
  return hardCases === undefined ? 'sealed cases' : 'sealed cases or hard cases';
}

/** What the k-th look at some cases may spend without a plan: over all k these add up to 1 - confidence. */
export function deltaOfLook(number: number, confidence: number): number {
  return ((1 - confidence) * 6) / (Math.PI * number) ** 2;
}

function planWords(planned: number | null): string {
  if (planned === null) return 'no plan of looks';
  return `a plan of ${planned} ${planned === 1 ? 'look' : 'looks'}`;
}
