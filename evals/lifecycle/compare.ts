import {
  type ArtifactFiles,
  servedPolicy,
  standingInFolder,
  type Verdict,
} from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { VERSION } from '../../router/package.ts';
import { type Case, hasReplies, type LoadOptions, seenQuestions } from '../cases/index.ts';
import {
  type Comparison,
  comparePolicies,
  fingerprintCases,
  heldOutCases,
  type LoadedSuite,
  loadGateCases,
  orderBets,
  replayArtifact,
  requireUnseen,
  routedAt,
  stampComparison,
  thinnedRows,
  unseenByLooks,
  withSealedWeights,
} from '../gate/index.ts';

export interface CompareOptions {
  readonly suite: LoadedSuite;
  /** The challenger's: its held-out cases are compared on, and no others. */
  readonly verdict: Verdict;
  readonly data: readonly string[];
  readonly reading: Pick<LoadOptions, 'qualityScale' | 'columns'>;
  /** How much worse the challenger's mean quality may be, 0..1. */
  readonly tolerance: number;
  readonly issued: Date;
  readonly allowHub: boolean;
}

/** From this many fresh cases on the comparison leaves out those that an earlier look has seen. */
const ENOUGH_FRESH = 500;

/**
 * Champion and challenger, each at its own threshold, on the cases that the gate has judged the challenger on: on those that no earlier look
 * has seen, if there are enough of them. Else on all, at the confidence of the challenger's look, which has paid for the earlier ones.
 * @throws PlimsollError `invalid-input` if the champion has seen some of them, or the files changed since the gate read them;
 *   `invalid-artifact` if a golden case of either does not hold
 */
export async function compareArtifacts(
  champion: ArtifactFiles,
  challenger: ArtifactFiles,
  options: CompareOptions,
): Promise<Comparison> {
  const { suite, verdict, tolerance, issued, allowHub } = options;
  const { cases, contents, fresh } = await casesToCompareOn(champion, challenger, options);
  const replayOfChampion = await replayArtifact(champion, cases, allowHub);
  const replayOfChallenger = await replayArtifact(challenger, cases, allowHub);
  const thresholds = {
    champion: servedPolicy(champion.manifest, standingInFolder(champion, issued)).threshold,
    challenger: verdict.policy.threshold,
  };
  const measured = comparePolicies(
    replayOfChallenger.quality,
    routedAt(replayOfChampion, thresholds.champion),
    routedAt(replayOfChallenger, thresholds.challenger),
    {
      bets: orderBets(replayOfChallenger.traits, suite.suite, {
        batchOf: new Uint8Array(cases.length),
        contents,
      }),
      tolerance,
      confidence: fresh ? suite.suite.confidence : 1 - verdict.looks.delta,
    },
  );
  return stampComparison({
    schema_version: 1,
    issued: issued.toISOString(),
    champion: side(champion, thresholds.champion),
    challenger: side(challenger, thresholds.challenger),
    suite: { name: suite.suite.name, sha256: suite.sha256 },
    sealed: { n: verdict.sealed.n, sha256: verdict.sealed.sha256 },
    compared_on: { n: cases.length, fresh },
    measured,
    tools: { plimsoll: VERSION },
  });
}

async function casesToCompareOn(
  champion: ArtifactFiles,
  challenger: ArtifactFiles,
  { suite, verdict, data, reading }: CompareOptions,
): Promise<{ cases: readonly Case[]; contents: Float64Array; fresh: boolean }> {
  const keepReplies = [champion, challenger].some(({ manifest }) => manifest.cascade !== undefined);
  const { cases } = await loadGateCases(suite, challenger.manifest.ladder, data, { ...reading, keepReplies });
  const held = heldOutCases(cases, challenger);
  const { sha256 } = held;
  const heldOut = evenCases(withSealedWeights(held.heldOut, suite.suite));
  requireUnseen(heldOut, champion);
  if (sha256 !== verdict.sealed.sha256) {
    throw new PlimsollError(
      'invalid-input',
      `The cases in ${data.join(', ')} changed while the gate ran: there is nothing to compare on. Run it again; the training is kept.`,
    );
  }
  const known = seenQuestions(champion.seenQuestions);
  const labelled = heldOut.filter(
    (one) => isLabelled(champion, one) && isLabelled(challenger, one) && known.sighting(one) === undefined,
  );
  const fingerprints = fingerprintCases(
    labelled,
    challenger.manifest.ladder.map(({ model }) => model),
  );
  const unseen = unseenByLooks(challenger.folder, verdict.looks.record, fingerprints);
  const rows = [...labelled.keys()].filter((row) => unseen[row]);
  if (rows.length < ENOUGH_FRESH)
    return { cases: labelled, contents: fingerprints.contents, fresh: rows.length === labelled.length };
  return {
    cases: rows.map((row) => labelled[row]!),
    contents: Float64Array.from(rows, (row) => fingerprints.contents[row]!),
    fresh: true,
  };
}

/** Weighted cases are compared on those that stand for as many requests each. */
function evenCases(cases: readonly Case[]): readonly Case[] {
  if (cases.every(({ weight }) => weight === undefined)) return cases;
  const isKept = thinnedRows(
    cases.map(({ key }) => key),
    cases.map(({ weight = 1 }) => weight),
  );
  return cases.filter((_, row) => isKept(row)).map(({ weight: _, ...one }) => one);
}

/** What a policy reaches is known where every outcome is, and of a cascade also the replies that it judges. */
function isLabelled({ manifest: { ladder, cascade } }: ArtifactFiles, one: Case): boolean {
  return (
    ladder.every(({ model }) => one.outcomes.has(model)) &&
    (cascade === undefined ||
      hasReplies(
        one,
        ladder.map(({ model }) => model),
      ))
  );
}

function side({ manifest, sha256 }: ArtifactFiles, threshold: number): Comparison['champion'] {
  return { name: manifest.name, sha256, threshold };
}
