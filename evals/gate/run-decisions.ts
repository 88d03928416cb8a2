import path from 'node:path';
import {
  type DecisionsVerdict,
  type Rung,
  sealedVerdict,
  sha256OfJson,
  worstOf,
} from '../../router/artifact/index.ts';
import { HUMAN, isHuman } from '../../router/catalog/index.ts';
import { openEncoder, parseEncoderSpec } from '../../router/encoders/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { replaceFile } from '../../router/files/index.ts';
import { VERSION } from '../../router/package.ts';
import { escalationRate } from '../../router/statistics/index.ts';
import type { ColumnMap } from '../case-files/index.ts';
import { type Case, type HardCase, hashCases } from '../cases/index.ts';
import { type MatchedDecisions, matchDecisions } from '../decisions/index.ts';
import { type Baseline, measureBaselines } from './baselines.ts';
import { sealedBets } from './bets.ts';
import {
  type CaseFingerprints,
  fingerprintCases,
  fingerprintHardCases,
  type HashedCases,
} from './case-fingerprints.ts';
import { decisionEvidence } from './decision-evidence.ts';
import { type GateReading, loadGateCases } from './gate-cases.ts';
import { requireAllRequests } from './label-plan.ts';
import type { LookPlan, LookRequest } from './look-plan.ts';
import { finishLook, type RecordPlace, takeLook } from './looks.ts';
import { collectEvidence } from './measure.ts';
import { judgeWalk, walkSealed } from './promise.ts';
import { pairedOutcomes } from './ranking.ts';
import { collectReplay, type ScoredCase } from './replay.ts';
import { describedAt, type Sealed, type Subject, subjectAt } from './subject.ts';
import { hashHardCases, type LoadedSuite, loadSuite, type Suite } from './suite.ts';
import { looksSection, sealedSection } from './verdict-sections.ts';
import { withSealedWeights } from './weights.ts';

/**
 * A ladder of models as rungs, cheapest first: two candidates are called cheap and strong, more by their models' names. Rungs stay as they are.
 * @throws PlimsollError `invalid-input`: fewer than two models, or one of them twice
 */
export function ladderRungs(ladder: readonly (string | Rung)[]): Rung[] {
  const models = ladder.map((rung) => (typeof rung === 'string' ? rung : rung.model));
  const twice = models.find((model, i) => models.indexOf(model) < i);
  if (ladder.length < 2 || twice !== undefined) {
    const what = twice === undefined ? '' : `, each once: ${twice} is given twice`;
    throw new PlimsollError('invalid-input', `A ladder has two or more models, cheapest first${what}.`);
  }
  return ladder.map((rung, i) => {
    if (typeof rung !== 'string') return rung;
    if (isHuman(rung)) return { candidate: HUMAN, model: rung };
    return { candidate: ladder.length > 2 ? rung : i === 0 ? 'cheap' : 'strong', model: rung };
  });
}

export interface DecisionsRequest {
  /** File of decisions: rows of id, key or prompt, and model; or predictions of RouterArena, or a log of LiteLLM or OpenRouter. */
  readonly decisions: string;
  /** File of the suite. */
  readonly suite: string;
  /** Models, cheapest first: all that the decisions choose from. */
  readonly ladder: readonly string[];
  /** Files of labelled cases, in place of those that the suite names. */
  readonly data?: readonly string[];
  /** How those files are written, and who is notified of the progress. */
  readonly reading?: GateReading;
  /** What the columns of the decisions are called in their file. */
  readonly columns?: ColumnMap;
  /** Leave out decisions of which the data have no case, in place of an error. Default false. */
  readonly ignoreUnknown?: boolean;
  /** The record of looks; by default `looks.jsonl` beside the decisions. */
  readonly looks?: string;
  /** Where the verdict is written, with `write`. One that lies there must rest on looks that are on record. */
  readonly out?: string;
  readonly issued?: Date;
  /** Put the look on record. Default false: nothing is written. */
  readonly write?: boolean;
  /** Only repeat a look that is on record, and write nothing. Default false. */
  readonly check?: boolean;
}

export interface DecisionsRun {
  readonly verdict: DecisionsVerdict;
  /** What a person should know about data and decisions, a line each. */
  readonly notes: readonly string[];
  /** Id of a case -> its text, for reports that are asked to show it; no verdict contains it. */
  readonly texts: ReadonlyMap<string, string>;
}

/** A decision has no threshold: at this one, of scores that say nothing but what was chosen, it is what it was. */
const AS_DECIDED = 0;
/** What the record of looks names as the policy. */
const POLICY = { name: 'decisions', version: 1 };
/** Embeds the texts for the baseline of nearest neighbours: no classifier names another one. */
const ENCODER = 'static';

/**
 * Gates decisions that were made elsewhere, by the same suites, tests and record of looks as an artifact: no classifier is asked and no model
 * is called. There is no threshold to find, so the walk has one step. The verdict names the decisions and no artifact; nothing serves by it.
 * @throws PlimsollError as matchDecisions; if the suite or the data are wrong, or the record of looks is damaged
 */
export async function gateDecisions(request: DecisionsRequest): Promise<DecisionsRun> {
  const ladder = ladderRungs(request.ladder);
  const loadedSuite = loadSuite(request.suite);
  requireNoSessions(loadedSuite);
  const { suite, notes: suiteNotes } = withoutClassifier(loadedSuite);
  const loaded = await loadGateCases(loadedSuite, ladder, request.data, request.reading);
  const cases = withSealedWeights(loaded.cases, suite);
  requireAllRequests(request.data ?? suite.cases.map(loadedSuite.resolve), cases);
  const { hardCases } = loadedSuite;
  const decided = await matchDecisions({
    file: request.decisions,
    cases,
    ladder: request.ladder,
    ...(hardCases && { hardCases }),
    ...(request.columns && { columns: request.columns }),
    ignoreUnknown: request.ignoreUnknown ?? false,
  });
  const fingerprints = fingerprintCases(cases, request.ladder);
  const sha256 = hashDecisions(decided, fingerprints, request.ladder);
  const issued = request.issued ?? new Date();
  const place = {
    file: request.looks ?? path.join(path.dirname(request.decisions), 'looks.jsonl'),
    ...(request.out !== undefined && { verdict: request.out }),
  };
  const hardDecided = decided.hardRungs === undefined ? undefined : hardCases;
  const look = lookAt(place, request, {
    sha256,
    cases: fingerprints,
    hardCases: hardDecided,
    suite: loadedSuite,
    issued,
  });
  const sealed = await sealedOf({ suite, ladder, cases, hardCases, decided, look, fingerprints });
  const walked = walkSealed(sealed, Float64Array.of(AS_DECIDED));
  const subject = subjectAt(sealed, AS_DECIDED);
  const { subject: described } = describedAt(sealed, AS_DECIDED);
  const conditions = judgeWalk(walked, subject, [], described);
  const evidence = collectEvidence(
    described,
    [],
    { ladder },
    await baselinesOf(described, cases),
    conditions,
    sealed.hard && hashHardCases(sealed.hard.cases),
  );
  const verdict = sealedVerdict({
    schema_version: 2,
    verdict: worstOf(conditions.map((condition) => condition.verdict)),
    issued: issued.toISOString(),
    decisions: {
      file: path.basename(request.decisions),
      form: decided.form.name,
      rows: decided.rows,
      file_sha256: decided.sha256,
      sha256,
      ladder: [...request.ladder],
    },
    suite: { name: suite.name, sha256: loadedSuite.sha256 },
    sealed: sealedSection(loaded, {
      subject,
      described,
      sha256: hashCases(cases),
      excluded: { seen: 0, seenCopies: 0, seenGroup: 0 },
      alike: 0,
    }),
    looks: looksSection(look, suite.confidence),
    conditions,
    evidence: decisionEvidence(evidence, conditions),
    tools: { plimsoll: VERSION },
  });
  if (request.write) {
    finishLook(place, look.record!, { verdict: verdict.verdict, threshold: null });
    if (request.out !== undefined) {
      replaceFile(request.out, `${JSON.stringify(verdict, null, 2)}\n`, { what: 'the verdict' });
    }
  }
  return {
    verdict,
    notes: [
      ...loadedSuite.notes,
      ...loaded.notes,
      ...look.notes,
      ...(request.looks === undefined && look.number === 1 ? [whatIsOnRecord(place.file)] : []),
      ...decisionNotes(request, decided),
      ...suiteNotes,
      ...(hardCases && decided.hardRungs === undefined ? [NO_HARD_CASES] : []),
    ],
    texts: new Map(cases.map(({ id, text }) => [id, text])),
  };
}

/** @throws PlimsollError `invalid-input`: what was decided elsewhere is not decided again */
function requireNoSessions({ suite, file }: LoadedSuite): void {
  if (suite.sessions === undefined) return;
  throw new PlimsollError(
    'invalid-input',
    `${file}: sessions are replayed by an artifact, and these decisions were made elsewhere. Leave "sessions" out; with "sampling: groups" and the session as the group of each row they are judged as they are.`,
    { place: { file, field: 'sessions' } },
  );
}

/** The suite without what only a classifier can meet, and a note that says so. */
function withoutClassifier({ suite }: LoadedSuite): { suite: Suite; notes: readonly string[] } {
  const { max_ece: ece, flip_rate: flips, ...rest } = suite;
  const left = [...(ece === undefined ? [] : ['max_ece']), ...(flips === undefined ? [] : ['flip_rate'])];
  if (left.length === 0) return { suite, notes: [] };
  return {
    suite: rest,
    notes: [
      `Not judged: ${left.join(' and ')} of the suite. ${left.length === 1 ? 'It asks' : 'They ask'} a classifier, and decisions that were made elsewhere come without one.`,
    ],
  };
}

/** Nothing ties cases to one place, as a store does the artifacts that were gated on them. */
function whatIsOnRecord(file: string): string {
  return `That this is the first look at these cases is so by ${file}. Looks from decisions in other folders are not on this record: name one by --looks for all that is gated on these cases.`;
}

const NO_HARD_CASES =
  'Not judged: hard_cases of the suite. The file has no decisions for them; send their prompts to the router and add what it chose.';

function decisionNotes(
  { decisions }: DecisionsRequest,
  { form, rows, skipped, unknown }: MatchedDecisions,
): string[] {
  return [
    `${decisions}: ${rows} ${rows === 1 ? 'row' : 'rows'}, read as ${form.title}.`,
    ...(skipped > 0 ? [`${skipped} of them are no decisions and were left out: ${form.skips}.`] : []),
    ...(unknown > 0
      ? [
          `${unknown} ${unknown === 1 ? 'decision is of no case in the data and was' : 'decisions are of no case in the data and were'} left out.`,
        ]
      : []),
    'Whether the router has learned from these cases is not known here: if it has, the verdict measures its memory.',
  ];
}

/**
 * What identifies decisions: the ladder, and which case got which model. Cases go by all that is known about them but their ids, so that neither
 * the order of rows nor names make others of them.
 */
function hashDecisions(
  { rungs, hardRungs = new Int32Array() }: MatchedDecisions,
  { keys, contents }: CaseFingerprints,
  ladder: readonly string[],
): string {
  const pairs = Array.from(rungs, (rung, row) => `${keys[row]} ${contents[row]} ${rung}`).sort();
  return sha256OfJson([ladder, pairs, Array.from(hardRungs)]);
}

interface Looked {
  readonly sha256: string;
  readonly cases: CaseFingerprints;
  /** Those that have decisions. */
  readonly hardCases: readonly HardCase[] | undefined;
  readonly suite: LoadedSuite;
  readonly issued: Date;
}

/** The look goes on record before any loss is added up: a gate that is stopped has looked. */
function lookAt(
  place: RecordPlace,
  { decisions, ...taking }: DecisionsRequest,
  { sha256, cases, hardCases, suite: { suite, sha256: suiteSha256 }, issued }: Looked,
): LookPlan {
  const look: LookRequest = {
    artifact: path.basename(decisions),
    artifactSha256: sha256,
    policy: POLICY,
    suite: suite.name,
    suiteSha256,
    confidence: suite.confidence,
    ...(suite.looks !== undefined && { plannedLooks: suite.looks }),
    cases,
    ...(hardCases && { hardCases: fingerprintHardCases(hardCases) }),
  };
  return takeLook(place, look, { ...taking, issued });
}

interface Decided {
  readonly suite: Suite;
  readonly ladder: readonly Rung[];
  readonly cases: readonly Case[];
  readonly hardCases: readonly HardCase[] | undefined;
  readonly decided: MatchedDecisions;
  readonly look: LookPlan;
  readonly fingerprints: HashedCases;
}

async function sealedOf(all: Decided): Promise<Sealed> {
  const { suite, ladder, cases, hardCases, decided, look, fingerprints } = all;
  const { rungs, hardRungs } = decided;
  const scored = cases.map(
    (one, row): ScoredCase => ({
      one,
      probabilities: asScores(rungs[row]!, ladder.length),
    }),
  );
  const heldOut = await collectReplay(scored, ladder, undefined, fingerprints);
  return {
    suite,
    candidates: ladder.map(({ candidate }) => candidate),
    heldOut,
    ...sealedBets(heldOut.traits, suite, { batchOf: look.batchOf, contents: fingerprints.contents }),
    delta: look.delta,
    ...(hardCases &&
      hardRungs && { hard: { cases: hardCases, probabilities: scoreColumns(hardRungs, ladder.length) } }),
  };
}

/** Scores by which the policy chooses what was chosen, at AS_DECIDED and at any threshold from there up to below 1. */
function asScores(chosen: number, rungs: number): Float64Array {
  return Float64Array.from({ length: rungs }, (_, rung) => Number(rung === chosen || rung === rungs - 1));
}

function scoreColumns(chosen: Int32Array, rungs: number): Float64Array[] {
  return Array.from({ length: rungs }, (_, rung) =>
    Float64Array.from(chosen, (one) => asScores(one, rungs)[rung]!),
  );
}

async function baselinesOf(
  { labelled: { replay, rungs } }: Subject,
  cases: readonly Case[],
): Promise<Baseline[]> {
  const textOf = new Map(cases.map(({ id, text }) => [id, text]));
  const encoder = await openEncoder(parseEncoderSpec(ENCODER));
  try {
    const texts = replay.traits.map(({ id }) => textOf.get(id)!);
    return await measureBaselines(replay, pairedOutcomes(replay), escalationRate(rungs), { texts, encoder });
  } finally {
    await encoder.close();
  }
}
