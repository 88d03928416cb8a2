import { existsSync } from 'node:fs';
import path from 'node:path';
import {
  type ArtifactFiles,
  assertWritable,
  type Condition,
  conditionWords,
  MANIFEST_FILE,
  type Manifest,
  readArtifact,
  resolveArtifact,
  sha256OfJson,
  type Verdict,
  type VerdictWord,
  worstOf,
  writeArtifact,
} from '../../router/artifact/index.ts';
import { signalGaps } from '../../router/cascade/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { uninterrupted } from '../../router/files/index.ts';
import type { Learner } from '../../router/train/index.ts';
import { givenOutcomes, type LoadOptions } from '../cases/index.ts';
import {
  type Comparison,
  type LoadedSuite,
  loadSuite,
  requireAllRequests,
  requireGroups,
  requireHeldOutFrom,
  runGate,
  writeComparison,
} from '../gate/index.ts';
import type { ThresholdRule } from '../threshold/index.ts';
import { compareArtifacts } from './compare.ts';
import { type LabelledData, loadLabelled, requireLearnable } from './labelled-data.ts';
import type { OnProgress } from './progress.ts';
import { artifactName, requireAbstaining, train } from './train.ts';

export interface RetrainOptions extends Pick<LoadOptions, 'qualityScale' | 'columns'> {
  /** Files of labelled cases, old ones and new ones. */
  readonly data: readonly string[];
  /** Folder of the artifact to beat, or of a store: then its current one. */
  readonly champion: string;
  /** Folder of the challenger. */
  readonly out: string;
  /** File of the suite. */
  readonly suite: string;
  /** The challenger judges replies before they go out. Default: as the champion does. */
  readonly cascade?: boolean;
  /** What is learned. Default `auto`: chosen anew, by the least cross-validated log loss. */
  readonly learner?: Learner | 'auto';
  /** How much worse the challenger's mean quality may be, 0..1. Default .01. */
  readonly tolerance?: number;
  /** Train again, and replace the challenger if it is there. Default false. */
  readonly force?: boolean;
  /** Lets a transformers encoder fetch its model from the hub. Default false. */
  readonly allowHub?: boolean;
  readonly onProgress?: OnProgress;
  /** Gets what a person should know about the data before the training, and where the challenger is after it. */
  readonly onNotes?: (lines: readonly string[]) => void;
}

export interface Retrained extends Challenger {
  readonly champion: ArtifactFiles;
  readonly verdict: Verdict;
  readonly comparison: Comparison;
  readonly decision: Decision;
}

/** Whether the challenger may take the champion's place. */
export interface Decision {
  /** The worst of the gate's verdict and of the comparison: PASS if it may. */
  readonly word: VerdictWord;
  /** What prevents it, each with value, bounds and limit. Empty for PASS. */
  readonly reasons: readonly string[];
}

/**
 * Trains a challenger, puts it through the gate, and compares it with the champion on the same held-out cases. Artifact, verdict and
 * comparison are written as each is done; a second run goes on from where the first was stopped. Nothing is promoted.
 * @throws PlimsollError before any training if suite, champion, data or place will not do
 */
export async function retrain(options: RetrainOptions): Promise<Retrained> {
  const champion = readArtifact(resolveArtifact(options.champion));
  const suite = loadSuite(options.suite);
  const { max_quality_loss: target, confidence } = suite.suite;
  const rule: ThresholdRule = { rule: 'max-quality-loss', target, confidence };
  const { data, out, force = false, allowHub = false } = options;
  assertChallengerPlace(out, champion, force);
  const abstainPercent = abstainPercentOf(champion);
  if (abstainPercent !== undefined) requireAbstaining(options.learner ?? 'auto', abstainPercent);
  const challenger = await challenge(champion, suite, rule, { ...options, force, allowHub });
  const issued = new Date();
  const verdict = await gateChallenger(options, issued);
  const comparison = await compareArtifacts(champion, challenger.artifact, {
    suite,
    verdict,
    data,
    reading: reading(options),
    tolerance: options.tolerance ?? 0.01,
    issued,
    allowHub,
  });
  writeComparison(out, comparison);
  return { ...challenger, champion, verdict, comparison, decision: decide(verdict, comparison) };
}

async function challenge(
  champion: ArtifactFiles,
  { suite }: LoadedSuite,
  rule: ThresholdRule,
  options: RetrainOptions & { readonly force: boolean; readonly allowHub: boolean },
): Promise<Challenger> {
  const { out, onProgress, onNotes } = options;
  const models = champion.manifest.ladder.map(({ model }) => model);
  const cascade = options.cascade ?? champion.manifest.cascade !== undefined;
  const data = await loadLabelled(options.data, {
    ...reading(options), // no laxer than the gate: what is refused there must not be trained on
    qualityField: suite.quality_field,
    models,
    given: givenOutcomes(champion.manifest.ladder),
    keepReplies: cascade,
    ...(onProgress && { onProgress }),
  });
  onNotes?.(data.notes);
  requireLearnable(data.cases, models);
  requireAllRequests(options.data, data.cases); // the gate, after the training, would refuse them, as it would cases without groups
  requireGroups(suite, data.cases, data.unread);
  requireHeldOutFrom(champion, data.cases); // refuses now what could not be compared after the training
  const { learner = 'auto' } = options;
  const challenger = await trainChallenger(champion, data, { ...options, rule, cascade, learner });
  onNotes?.([
    challenger.resumed
      ? `resuming: ${out} was trained from these data against ${champion.manifest.name}; on with the gate`
      : `trained: ${out}`,
    ...signalGaps(challenger.artifact.manifest),
  ]);
  return challenger;
}

async function gateChallenger(options: RetrainOptions, issued: Date): Promise<Verdict> {
  const { out, suite, data, allowHub = false, onProgress = () => {} } = options;
  const step = 'replaying';
  onProgress({ step });
  const { verdict } = await runGate({
    artifact: out,
    suite,
    data,
    reading: reading(options),
    issued,
    allowHub,
    write: true,
    onProgress: (done, total) => onProgress({ step, done, total }),
  });
  onProgress({ step, summary: `${verdict.sealed.n} sealed cases, ${verdict.verdict}` });
  return verdict;
}

function reading({ qualityScale, columns }: RetrainOptions): Pick<LoadOptions, 'qualityScale' | 'columns'> {
  return { ...(qualityScale && { qualityScale }), ...(columns && { columns }) };
}

/** It may if the gate says PASS and the comparison says better or not worse. */
function decide(verdict: Verdict, comparison: Comparison): Decision {
  const drop = comparison.measured.quality_drop;
  return {
    word: worstOf([verdict.verdict, drop.verdict]),
    reasons: unmetConditions({ verdict, comparison }).map(conditionWords),
  };
}

/** Those of the gate and of the comparison that prevent a promotion. */
export function unmetConditions({
  verdict,
  comparison,
}: Pick<Retrained, 'verdict' | 'comparison'>): Condition[] {
  return [...verdict.conditions, comparison.measured.quality_drop].filter((one) => one.verdict !== 'PASS');
}

interface ChallengerOptions {
  readonly rule: ThresholdRule;
  readonly cascade: boolean;
  readonly learner: Learner | 'auto';
  readonly out: string;
  /** Replace what is there, even if training could be skipped. */
  readonly force: boolean;
  readonly allowHub: boolean;
  readonly onProgress?: OnProgress;
}

interface Challenger {
  readonly artifact: ArtifactFiles;
  /** It was in `out` already, trained from the very same: training was skipped. */
  readonly resumed: boolean;
}

/**
 * An artifact with the champion's ladder, encoder and split seed, which abstains if the champion does, with or without a cascade, trained on the given cases: both hold out the same questions. Trained
 * and written, or taken from `out` if the very same training has written it.
 * @throws PlimsollError as `train` and `writeArtifact`
 */
async function trainChallenger(
  champion: ArtifactFiles,
  data: Required<LabelledData>,
  options: ChallengerOptions,
): Promise<Challenger> {
  const { out, force, rule, cascade, learner, allowHub, onProgress } = options;
  const finished = force ? undefined : findFinished(champion, data.source, options);
  if (finished !== undefined) return { artifact: finished, resumed: true };
  assertWritable(out, { replace: force });
  const { ladder, encoder, split } = champion.manifest;
  const abstainPercent = abstainPercentOf(champion);
  const draft = await train(data, {
    name: artifactName(out),
    ladder,
    encoder: encoder.id,
    allowHub,
    rule,
    cascade,
    learner,
    ...(abstainPercent !== undefined && { abstainPercent }),
    seed: split.seed,
    modelCardNotes: modelCardNote(champion, learner),
    ...(onProgress && { onProgress }),
  });
  uninterrupted(() => writeArtifact(out, draft, { replace: force }));
  return { artifact: readArtifact(out), resumed: false };
}

/** Called before long work. @throws PlimsollError `invalid-input` if `out` cannot become the challenger */
function assertChallengerPlace(out: string, champion: ArtifactFiles, force: boolean): void {
  artifactName(out);
  if (path.resolve(out) === path.resolve(champion.folder)) {
    throw new PlimsollError(
      'invalid-input',
      `--out ${out} is the champion itself. Name another folder: the champion stays as it is, to be compared with and to go back to.`,
      { place: { file: out } },
    );
  }
  if (force || !isArtifact(out)) assertWritable(out, { replace: force });
}

/** The artifact at `out`, if it was trained from these data and this champion, with its seed, by this rule and with this learner. */
function findFinished(
  champion: ArtifactFiles,
  source: Manifest['data'],
  { out, rule, cascade, learner }: ChallengerOptions,
): ArtifactFiles | undefined {
  if (!isArtifact(out)) return undefined;
  const artifact = readArtifact(out);
  const { data, split, policy, ladder, encoder, cascade: judged } = artifact.manifest;
  const theirs = champion.manifest;
  const same =
    artifact.modelCard.includes(modelCardNote(champion, learner)) &&
    isSame(data, source) &&
    split.seed === theirs.split.seed &&
    isSame(policy.chosen_by, rule) &&
    (judged !== undefined) === cascade &&
    abstainPercentOf(artifact) === abstainPercentOf(champion) &&
    isSame(ladder, theirs.ladder) &&
    isSame(encoder.id, theirs.encoder.id);
  return same ? artifact : undefined;
}

/** The percentage that an artifact abstains by; undefined if it scores every request. */
function abstainPercentOf({ manifest: { classifier } }: ArtifactFiles): number | undefined {
  return classifier.abstain && classifier.similarity_limit?.percent;
}

function isArtifact(folder: string): boolean {
  return existsSync(path.join(folder, MANIFEST_FILE));
}

function isSame(one: unknown, other: unknown): boolean {
  return sha256OfJson(one) === sha256OfJson(other);
}

/** In the model card, which the manifest binds by its hash: whose place the challenger is meant to take, and what was asked for. */
function modelCardNote({ manifest, sha256 }: ArtifactFiles, learner: Learner | 'auto'): string {
  const named = learner === 'auto' ? '' : `, by the learner \`${learner}\``;
  return `## Challenger\n\nTrained to take the place of \`${manifest.name}\` (sha256 of its manifest \`${sha256}\`), with its ladder, encoder and split seed${named}. How the two compare on the sealed cases stands in \`comparison.json\`, beside this card.`;
}
