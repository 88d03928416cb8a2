import type { ArtifactFiles, Verdict } from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { VERSION } from '../../router/package.ts';
import { shuffledOrder } from '../../router/statistics/index.ts';
import { type ReadingFlags, readingOptions } from '../../scripts/labelled-data.ts';
import type { Case } from '../cases/index.ts';
import {
  type Comparison,
  comparePolicies,
  heldOutCases,
  type LoadedSuite,
  loadGateCases,
  openArtifactClassifier,
  type Replay,
  replayCases,
  requireUnseen,
  stampComparison,
} from '../gate/index.ts';
import { rungsAt } from '../threshold/index.ts';

export interface SideBySideRequest extends ReadingFlags {
  readonly champion: ArtifactFiles;
  readonly challenger: ArtifactFiles;
  /** Of the challenger: its sealed cases are compared on, and no others. */
  readonly verdict: Verdict;
  readonly suite: LoadedSuite;
  readonly data: readonly string[];
  /** Of the mean quality, 0..1. */
  readonly tolerance: number;
  readonly issued: Date;
  readonly allowHub: boolean;
}

/**
 * Champion and challenger, each at its own threshold, on the cases that the gate has judged the challenger on.
 * @throws PlimsollError `invalid-input` where the champion has seen some of them, or the files changed since the gate read them;
 *   `invalid-artifact` where a golden case of either does not hold
 */
export async function comparedSideBySide(request: SideBySideRequest): Promise<Comparison> {
  const { champion, challenger, suite, verdict } = request;
  const sealed = await casesOf(request);
  const ofChampion = await replayOf(champion, sealed, request.allowHub);
  const ofChallenger = await replayOf(challenger, sealed, request.allowHub);
  const measured = comparePolicies(
    ofChallenger,
    rungsOf(champion, ofChampion),
    rungsOf(challenger, ofChallenger),
    {
      order: shuffledOrder(sealed.length, suite.suite.seed),
      tolerance: request.tolerance,
      confidence: suite.suite.confidence,
    },
  );
  return stampComparison({
    schema_version: 1,
    issued: request.issued.toISOString(),
    champion: sideOf(champion),
    challenger: sideOf(challenger),
    suite: { name: suite.suite.name, sha256: suite.sha256 },
    sealed: { n: verdict.sealed.n, sha256: verdict.sealed.sha256 },
    measured,
    tools: { plimsoll: VERSION },
  });
}

async function casesOf(request: SideBySideRequest): Promise<readonly Case[]> {
  const { champion, challenger, suite, data, verdict } = request;
  const { cases } = await loadGateCases(suite, challenger.manifest.ladder, data, readingOptions(request));
  const { heldOut, sha256 } = heldOutCases(cases, challenger);
  requireUnseen(heldOut, champion);
  if (sha256 === verdict.sealed.sha256) return heldOut;
  throw new PlimsollError(
    'invalid-input',
    `The cases in ${data.join(', ')} changed while the gate ran: there is nothing to compare on. Run it again; the training is kept.`,
  );
}

async function replayOf(
  artifact: ArtifactFiles,
  sealed: readonly Case[],
  allowHub: boolean,
): Promise<Replay> {
  const classifier = await openArtifactClassifier(artifact, allowHub);
  try {
    return await replayCases(sealed, artifact, classifier);
  } finally {
    await classifier.close();
  }
}

function rungsOf({ manifest }: ArtifactFiles, { probabilities }: Replay): Int32Array {
  return rungsAt(probabilities, manifest.policy.threshold);
}

function sideOf({ manifest, sha256 }: ArtifactFiles): Comparison['champion'] {
  return { name: manifest.name, sha256, threshold: manifest.policy.threshold };
}
