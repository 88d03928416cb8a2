import path from 'node:path';
import {
  type ArtifactFiles,
  type Manifest,
  readArtifact,
  resolveArtifact,
  sealedVerdict,
  type Verdict,
  type VerdictContent,
  worstOf,
} from '../../router/artifact/index.ts';
import type { Classifier } from '../../router/classifier/index.ts';
import { openEncoder, parseEncoderSpec } from '../../router/encoders/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { VERSION } from '../../router/package.ts';
import { chooseRung } from '../../router/policy/index.ts';
import { escalationRate, shuffledOrder } from '../../router/statistics/index.ts';
import {
  type Case,
  type HardCase,
  hashCases,
  loadHardCases,
  loadParaphrases,
  questionKey,
  seenQuestions,
} from '../cases/index.ts';
import { rungsAt } from '../threshold/index.ts';
import { type Baseline, measureBaselines } from './baselines.ts';
import { judgeConditions } from './conditions.ts';
import type { Evidence } from './evidence.ts';
import { countFlips, countParaphraseFlips, type Decide, type FlipCount } from './flips.ts';
import { type GateCases, type GateReading, loadGateCases } from './gate-cases.ts';
import { type HeldOutCases, heldOutCases } from './held-out-cases.ts';
import { earlierLooks } from './looks.ts';
import { collectEvidence } from './measure.ts';
import { pairedOutcomes } from './ranking.ts';
import { openArtifactClassifier, type Replay, replayCases } from './replay.ts';
import type { HardReplay, Subject } from './subject.ts';
import { type LoadedSuite, loadSuite } from './suite.ts';

export interface GateRequest {
  /** Folder of the artifact, or of a store: then its current one. */
  readonly artifact: string;
  /** File of the suite. */
  readonly suite: string;
  /** Files of labelled cases, in place of those that the suite names. */
  readonly data?: readonly string[];
  /** How those files are written, and who is notified of the progress. */
  readonly reading?: GateReading;
  readonly issued?: Date;
  readonly allowHub?: boolean;
  /** Called with how many of the held-out cases are replayed. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface GateRun {
  /** Folder of the artifact that was judged. */
  readonly folder: string;
  readonly verdict: Verdict;
  /** What a person should know about the data: rejected rows by kind, how files were read, a ladder in the wrong order. A line each. */
  readonly notes: readonly string[];
  /** Id of a held-out case -> its text, for reports that are asked to show it; no verdict contains it. */
  readonly texts: ReadonlyMap<string, string>;
}

/** Texts that harmless edits are tried on, besides the hard cases. */
const MOST_EDITED = 2_000;

/**
 * Gates an artifact: replays its decisions on held-out cases, hard cases and edited prompts, and judges them by the suite. No model is
 * called and nothing is written.
 * @throws PlimsollError if the artifact is not whole, the suite or the data are wrong, or no case is left that training never saw
 */
export async function runGate(request: GateRequest): Promise<GateRun> {
  const artifact = readArtifact(resolveArtifact(request.artifact));
  const suite = loadSuite(request.suite);
  const loaded = await loadGateCases(suite, artifact.manifest.ladder, request.data, request.reading);
  const { heldOut, calibration, sha256, excluded } = heldOutCases(loaded.cases, artifact);
  const hard = loadUnseenHardCases(suite, artifact);
  const classifier = await openArtifactClassifier(artifact, request.allowHub ?? false);
  try {
    const replay = await replayCases(heldOut, artifact, classifier, request.onProgress);
    const calibrated = calibration && (await replayCases(calibration, artifact, classifier));
    const subject = await buildSubject({ suite, artifact, replay, calibrated, hard, classifier, heldOut });
    const baselines = await baselinesWithTexts(artifact, subject, heldOut, request.allowHub ?? false);
    const evidence = collectEvidence(
      subject,
      artifact.manifest.ladder,
      baselines,
      hard && hashHardCases(hard),
    );
    const verdict = issueVerdict(subject, evidence, {
      artifact: { name: artifact.manifest.name, sha256: artifact.sha256 },
      policy: artifact.manifest.policy,
      suite: { name: suite.suite.name, sha256: suite.sha256 },
      sealed: heldOutSection(loaded, excluded, replay.n, sha256, artifact),
      issued: (request.issued ?? new Date()).toISOString(),
    });
    const { notes } = loaded;
    return {
      folder: artifact.folder,
      verdict,
      notes,
      texts: new Map(heldOut.map(({ id, text }) => [id, text])),
    };
  } finally {
    await classifier.close();
  }
}

/** What a verdict is bound to. */
interface Provenance {
  readonly artifact: VerdictContent['artifact'];
  readonly policy: Manifest['policy'];
  readonly suite: VerdictContent['suite'];
  readonly sealed: VerdictContent['sealed'];
  /** ISO time. */
  readonly issued: string;
}

/**
 * The verdict: PASS if every condition passes, else the worst of them. A policy that is unfit passes with probability at most
 * 1 - confidence, for it would have to pass the very condition that it breaks; how many others there are does not matter
 * (an intersection-union test: Berger, Technometrics 24, 1982).
 */
function issueVerdict(subject: Subject, evidence: Evidence, provenance: Provenance): Verdict {
  const { name, version, threshold, chosen_by: chosenBy } = provenance.policy;
  const conditions = judgeConditions(subject, chosenBy);
  return sealedVerdict({
    schema_version: 1,
    verdict: worstOf(conditions.map(({ verdict }) => verdict)),
    issued: provenance.issued,
    valid_for_days: subject.suite.valid_for_days,
    artifact: provenance.artifact,
    policy: { name, version, threshold },
    suite: provenance.suite,
    sealed: provenance.sealed,
    conditions,
    evidence,
    tools: { plimsoll: VERSION },
  });
}

/** @throws PlimsollError `invalid-input` if a hard case was learned from: it would measure memory */
function loadUnseenHardCases(
  { suite, resolve }: LoadedSuite,
  artifact: ArtifactFiles,
): HardCase[] | undefined {
  if (suite.hard_cases === undefined) return undefined;
  const cases = loadHardCases(resolve(suite.hard_cases.file));
  const seen = seenQuestions(artifact.seenQuestions);
  const known = cases.find(({ text }) => seen({ key: questionKey(text), text }));
  if (known === undefined) return cases;
  throw new PlimsollError(
    'invalid-input',
    `The hard case ${JSON.stringify(known.id)} was seen in training or calibration of ${artifact.manifest.name}: hard cases measure and are never learned from.`,
  );
}

interface Parts {
  readonly suite: LoadedSuite;
  readonly artifact: ArtifactFiles;
  readonly replay: Replay;
  readonly calibrated: Replay | undefined;
  readonly hard: HardCase[] | undefined;
  readonly classifier: Classifier;
  readonly heldOut: readonly Case[];
}

async function buildSubject(parts: Parts): Promise<Subject> {
  const { suite, artifact, replay, calibrated, hard, classifier, heldOut } = parts;
  const { threshold } = artifact.manifest.policy;
  const strongest = artifact.manifest.ladder.length - 1;
  const decide: Decide = async (text) =>
    classifier.reads(text) ? chooseRung(await classifier.score(text), threshold) : strongest;
  const rungs = rungsAt(replay.probabilities, threshold);
  const order = shuffledOrder(replay.n, suite.suite.seed);
  const hardReplay = hard && { cases: hard, rungs: await decideAll(hard, decide) };
  return {
    suite: suite.suite,
    candidates: artifact.manifest.ladder.map(({ candidate }) => candidate),
    threshold,
    heldOut: replay,
    rungs,
    order,
    ...(hardReplay && { hard: hardReplay }),
    flips: await measureFlips(suite, heldOut, rungs, order, hardReplay, decide),
    ...(calibrated && { calibration: calibrated }),
  };
}

async function decideAll(cases: readonly { text: string }[], decide: Decide): Promise<Int32Array> {
  const rungs = new Int32Array(cases.length);
  for (const [row, { text }] of cases.entries()) rungs[row] = await decide(text);
  return rungs;
}

async function measureFlips(
  { suite, resolve }: LoadedSuite,
  heldOut: readonly Case[],
  rungs: Int32Array,
  order: Uint32Array,
  hard: HardReplay | undefined,
  decide: Decide,
): Promise<FlipCount[]> {
  const limit = suite.flip_rate;
  if (limit === undefined) return [];
  const rows = [...order].slice(0, MOST_EDITED);
  const texts = [...rows.map((row) => heldOut[row]!.text), ...(hard?.cases.map(({ text }) => text) ?? [])];
  const decided = [...rows.map((row) => rungs[row]!), ...(hard?.rungs ?? [])];
  const counts = await countFlips(texts, decided, limit.edits, decide);
  if (limit.paraphrases === undefined) return counts;
  return [...counts, await countParaphraseFlips(loadParaphrases(resolve(limit.paraphrases)), decide)];
}

async function baselinesWithTexts(
  { manifest }: ArtifactFiles,
  { heldOut: replay, rungs, suite }: Subject,
  heldOut: readonly Case[],
  allowHub: boolean,
): Promise<Baseline[]> {
  const encoder = await openEncoder(parseEncoderSpec(manifest.encoder.id, { allowHub }));
  try {
    const texts = heldOut.map(({ text }) => text);
    const rate = escalationRate(rungs);
    return await measureBaselines(replay, pairedOutcomes(replay), rate, suite.seed, { texts, encoder });
  } finally {
    await encoder.close();
  }
}

function heldOutSection(
  { files, excluded, rejected }: GateCases,
  { seen, seenGroup }: HeldOutCases['excluded'],
  n: number,
  sha256: string,
  artifact: ArtifactFiles,
): Verdict['sealed'] {
  return {
    n,
    sha256,
    excluded: {
      missing_outcome: excluded.missingOutcome,
      duplicates: excluded.duplicates,
      rejected,
      ...(seen > 0 && { seen }),
      ...(seenGroup > 0 && { seen_group: seenGroup }),
    },
    files: files.map(({ file, sha256: hash, rows }) => ({ file: path.basename(file), sha256: hash, rows })),
    earlier_looks: earlierLooks(artifact.folder, sha256, artifact.sha256),
  };
}

function hashHardCases(cases: readonly HardCase[]): string {
  return hashCases(cases.map(({ id, text }) => ({ id, key: questionKey(text) })));
}
