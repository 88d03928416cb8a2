import {
  type ArtifactFiles,
  isWalked,
  readArtifact,
  resolveArtifact,
  sealedVerdict,
  type Verdict,
  worstOf,
  writeFrontier,
  writeVerdict,
} from '../../router/artifact/index.ts';
import { openEncoder, parseEncoderSpec } from '../../router/encoders/index.ts';
import { VERSION } from '../../router/package.ts';
import { clopperPearsonLower, clopperPearsonUpper, escalationRate } from '../../router/statistics/index.ts';
import { type Case, givenOutcomes, givenSentence, type HardCase } from '../cases/index.ts';
import { walkSteps } from '../threshold/index.ts';
import { type Baseline, measureBaselines } from './baselines.ts';
import { sealedBets } from './bets.ts';
import { type CaseFingerprints, fingerprintCases, fingerprintHardCases } from './case-fingerprints.ts';
import { measureFrontier } from './frontier.ts';
import { type GateReading, loadGateCases } from './gate-cases.ts';
import { keptInSessions, loadPlan, requireReplies, requireScaleOf } from './gate-demands.ts';
import { loadUnseenHardCases, measureFlips, replayHardCases } from './gate-hard-cases.ts';
import { type HeldOutCases, heldOutCases } from './held-out-cases.ts';
import { escalatedShare, type LabelPlan, repeatsInPool, requireAllRequests } from './label-plan.ts';
import type { LookPlan, LookRequest } from './look-plan.ts';
import { finishLook, type Taking, takeLook } from './looks.ts';
import { collectEvidence } from './measure.ts';
import { type HashedRequest, measurePopulation } from './population.ts';
import { judgeWalk, walkSealed } from './promise.ts';
import { pairedOutcomes } from './ranking.ts';
import { passInFolder, replacedPassNotes } from './replaced-pass.ts';
import { openArtifactClassifier, type Replay, replayCases } from './replay.ts';
import { pricedLadder, replaySessions, type SessionReplay, sessionsOf } from './session-replay.ts';
import { describedAt, type LabelledBelow, type Sealed, type Subject, subjectAt } from './subject.ts';
import { hashHardCases, type LoadedSuite, loadSuite } from './suite.ts';
import { belowSection, looksSection, sealedSection } from './verdict-sections.ts';
import { withSealedWeights } from './weights.ts';

export interface GateRequest {
  /** Folder of the artifact, or of a store: then its current one. */
  readonly artifact: string;
  /** File of the suite. */
  readonly suite: string;
  /** Files of labelled cases, in place of those that the suite names. */
  readonly data?: readonly string[];
  /** The plan by which the labels were drawn, if only requests whose score may stay cheap were labelled (`planLabels`). */
  readonly labelPlan?: string;
  /** How those files are written, and who is notified of the progress. */
  readonly reading?: GateReading;
  readonly issued?: Date;
  readonly allowHub?: boolean;
  /** Put the look on record and write the verdict into the artifact's folder. Default false: nothing is written, and nothing serves. */
  readonly write?: boolean;
  /** Only repeat a look that is on record, and write nothing. Default false: a look that is not on record is a look nevertheless. */
  readonly check?: boolean;
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

/** At a threshold of 1 nothing would be escalated, not even a text that the classifier cannot read. */
const LOOSEST = 0.999;

/**
 * Gates an artifact. One walk over the held-out cases, from strict thresholds to loose ones, chooses the threshold and proves it: every
 * demand of the promise holds at each step, and the walk stops at the first at which one does not. What else the suite asks for is judged
 * once, at the threshold that was reached. No model is called.
 * @throws PlimsollError if the artifact is not whole, the suite or the data are wrong, or no case is left that training never saw;
 *   `invalid-input` if a label plan drew the cases and is not given, or a check would be another look than those on record
 */
export async function runGate(request: GateRequest): Promise<GateRun> {
  const artifact = readArtifact(resolveArtifact(request.artifact));
  const suite = loadSuite(request.suite);
  const { ladder, cascade } = artifact.manifest;
  requireScaleOf(artifact, request.reading?.qualityScale);
  const loaded = await loadGateCases(suite, ladder, request.data, {
    ...request.reading,
    keepReplies: cascade !== undefined,
  });
  const bySession =
    suite.suite.sessions === undefined ? loaded.cases : keptInSessions(loaded.cases, artifact, suite);
  const held = heldOutCases(bySession, artifact);
  const { hashes, sha256, excluded, alike } = held;
  const heldOut = withSealedWeights(held.heldOut, suite.suite);
  if (cascade !== undefined) requireReplies(heldOut, artifact, suite);
  const hardCases = loadUnseenHardCases(suite, artifact);
  const plan =
    request.labelPlan === undefined ? undefined : loadPlan(request.labelPlan, artifact, suite, heldOut);
  if (plan === undefined) {
    const files = request.data ?? suite.suite.cases.map(suite.resolve);
    requireAllRequests(files, heldOut, (found) => `Give --label-plan ${found}, or cases`);
  }
  const issued = request.issued ?? new Date();
  const fingerprints = fingerprintCases(heldOut, modelsOf(artifact), hashes);
  const look = lookAt({ fingerprints, hardCases, artifact, suite, plan }, { ...request, issued });
  const given = givenSentence(givenOutcomes(ladder));
  const classifier = await openArtifactClassifier(artifact, request.allowHub ?? false);
  try {
    const { onProgress } = request;
    const replay = await replayCases(heldOut, artifact, classifier, { fingerprints, onProgress });
    const sealed: Sealed = {
      suite: suite.suite,
      candidates: artifact.manifest.ladder.map(({ candidate }) => candidate),
      heldOut: replay,
      ...sealedBets(replay.traits, suite.suite, { batchOf: look.batchOf, contents: fingerprints.contents }),
      delta: look.delta,
      ...(given !== undefined && { given }),
      ...(suite.suite.sessions && { sessions: sessionReplay(suite, heldOut, replay, artifact) }),
      ...(plan && { below: labelledBelow(plan, look.delta) }),
      ...(hardCases && {
        hard: await replayHardCases(hardCases, classifier, artifact.manifest),
      }),
    };
    const walked = walkSealed(sealed, walkOf(artifact.manifest.policy, plan?.limit));
    const { threshold } = walked;
    const subject = subjectAt(sealed, threshold);
    const { subject: described, rows } = describedAt(sealed, threshold);
    const describedCases = rows === undefined ? heldOut : Array.from(rows, (row) => heldOut[row]!);
    const flips = await measureFlips(suite, described, describedCases, classifier, artifact);
    const baselines = await baselinesWithTexts(artifact, described, heldOut, request.allowHub ?? false);
    const conditions = judgeWalk(walked, subject, flips, described);
    const evidence = {
      ...collectEvidence(
        described,
        flips,
        artifact.manifest,
        baselines,
        conditions,
        hardCases && hashHardCases(hardCases),
      ),
      ...(plan === undefined && {
        population: await measurePopulation(
          rows === undefined ? held.requests : requestsIn(rows, held),
          classifier,
          artifact.manifest,
        ),
      }),
    };
    const { name, version } = artifact.manifest.policy;
    const verdict = sealedVerdict({
      schema_version: 2,
      verdict: worstOf(conditions.map((condition) => condition.verdict)),
      issued: issued.toISOString(),
      valid_for_days: suite.suite.valid_for_days,
      artifact: { name: artifact.manifest.name, sha256: artifact.sha256 },
      policy: { name, version, threshold },
      suite: { name: suite.suite.name, sha256: suite.sha256 },
      walk: walked.walk,
      sealed: {
        ...sealedSection(loaded, { subject, described, sha256, excluded, alike }),
        ...(plan && { below_limit: belowSection(plan) }),
      },
      looks: looksSection(look, suite.suite.confidence),
      conditions,
      evidence,
      tools: { plimsoll: VERSION },
    });
    const before = request.write === true ? passInFolder(artifact, issued) : undefined;
    if (request.write) {
      finishLook(artifact.folder, look.record!, {
        verdict: verdict.verdict,
        threshold: walked.proved ? threshold : null,
      });
      writeVerdict(artifact.folder, verdict);
      writeFrontier(artifact.folder, verdict, measureFrontier(sealed, walked.promised[0]!, threshold));
    }
    return {
      folder: artifact.folder,
      verdict,
      notes: [
        ...suite.notes,
        ...loaded.notes,
        ...held.notes,
        ...look.notes,
        ...(before === undefined ? [] : replacedPassNotes(artifact.folder, before, verdict)),
      ],
      texts: new Map(heldOut.map(({ id, text }) => [id, text])),
    };
  } finally {
    await classifier.close();
  }
}

/** Copies of training questions are left out: their weight among the other requests is not known. */
function requestsIn(rows: Uint32Array, { heldOut, hashes }: HeldOutCases): HashedRequest[] {
  return Array.from(rows, (row) => ({ text: heldOut[row]!.text, copyHash: hashes[row]!.copyHash }));
}

function modelsOf({ manifest }: ArtifactFiles): string[] {
  return manifest.ladder.map(({ model }) => model);
}

interface Looked {
  readonly fingerprints: CaseFingerprints;
  readonly hardCases: readonly HardCase[] | undefined;
  readonly artifact: ArtifactFiles;
  readonly suite: LoadedSuite;
  readonly plan: LabelPlan | undefined;
}

/** The look goes on record before any outcome is read: a gate that is stopped has looked. */
function lookAt(
  { fingerprints, hardCases, artifact, suite: loadedSuite, plan }: Looked,
  taking: Taking,
): LookPlan {
  const { folder, manifest, sha256 } = artifact;
  const { suite, sha256: suiteSha256 } = loadedSuite;
  const look: LookRequest = {
    artifact: manifest.name,
    artifactSha256: sha256,
    policy: { name: manifest.policy.name, version: manifest.policy.version },
    suite: suite.name,
    suiteSha256,
    confidence: suite.confidence,
    ...(suite.looks !== undefined && { plannedLooks: suite.looks }),
    ...(plan && { labelPlanSha256: plan.sha256 }),
    cases: fingerprints,
    ...(hardCases && { hardCases: fingerprintHardCases(hardCases) }),
  };
  return takeLook(folder, look, taking);
}

function sessionReplay(
  { suite, file }: LoadedSuite,
  heldOut: readonly Case[],
  replay: Replay,
  { manifest: { ladder } }: ArtifactFiles,
): SessionReplay {
  const { settings, prices } = suite.sessions!;
  return replaySessions({
    replay,
    sessions: sessionsOf(heldOut, ladder, settings),
    ladder: pricedLadder(ladder, prices, settings, file),
    settings,
  });
}

/** A policy that promises no quality has one threshold, and that is judged. */
function walkOf(policy: ArtifactFiles['manifest']['policy'], to = LOOSEST): Float64Array {
  const { threshold, walk_from: from = -1 } = policy;
  return isWalked(policy) ? walkSteps(Math.min(from, to), to) : Float64Array.of(threshold);
}

/** Part of the look's delta that the bounds of the share may spend. */
const SHARE_OF_DELTA = 0.05;

function labelledBelow(plan: LabelPlan, delta: number): LabelledBelow {
  const { limit, pool, below_limit: below } = plan;
  const spent = SHARE_OF_DELTA * delta;
  const repeats = repeatsInPool(plan);
  return {
    limit,
    pool: pool.rows,
    ...(repeats !== undefined && { repeats }),
    share: {
      value: below.share,
      lower: clopperPearsonLower(below.rows, pool.rows, spent),
      upper: clopperPearsonUpper(below.rows, pool.rows, spent),
    },
    delta: delta - spent,
    escalated: (threshold) => escalatedShare(plan, threshold),
  };
}

/** On the labelled cases: a baseline needs the outcomes of both ends of the ladder. */
async function baselinesWithTexts(
  { manifest }: ArtifactFiles,
  { labelled: { replay, rungs } }: Subject,
  heldOut: readonly Case[],
  allowHub: boolean,
): Promise<Baseline[]> {
  const textOf = new Map(heldOut.map(({ id, text }) => [id, text]));
  const encoder = await openEncoder(parseEncoderSpec(manifest.encoder.id, { allowHub }));
  try {
    const texts = replay.traits.map(({ id }) => textOf.get(id)!);
    return await measureBaselines(replay, pairedOutcomes(replay), escalationRate(rungs), { texts, encoder });
  } finally {
    await encoder.close();
  }
}
