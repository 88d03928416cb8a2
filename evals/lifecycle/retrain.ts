import { type ArtifactFiles, readArtifact, type Verdict, writeVerdict } from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import {
  loadLabelled,
  qualityColumns,
  type ReadingFlags,
  readingOptions,
} from '../../scripts/labelled-data.ts';
import { startProgress } from '../../scripts/progress.ts';
import {
  type Comparison,
  type LoadedSuite,
  loadSuite,
  recordLook,
  requireHeldOutFrom,
  runGate,
  writeComparison,
} from '../gate/index.ts';
import type { ThresholdRule } from '../threshold/index.ts';
import { assertChallengerPlace, type Challenger, trainedChallenger } from './challenger.ts';
import { comparedSideBySide } from './side-by-side.ts';

/** As the gate has it: whatever is refused there shall not be trained on. */
const MAX_REJECTS = 0.02;

/**
 * Of the suite's margin, certified on the calibration cases. A threshold certified at the whole margin sits at its edge, and the
 * sealed cases must agree with the same bound: about every second one is INCONCLUSIVE (docs/decisions/0015-retrain.md).
 */
const SHARE_OF_MARGIN = 2 / 3;

export interface RetrainRequest extends ReadingFlags {
  readonly data: readonly string[];
  /** Folder of the artifact that serves, or shall be beaten. */
  readonly champion: string;
  readonly out: string;
  readonly suite: string;
  /** How much worse the challenger's mean quality may be, 0..1. */
  readonly tolerance: number;
  /** The loss that the threshold is certified at; two thirds of the suite's margin unless given. */
  readonly calibrationMargin?: number;
  readonly force: boolean;
  readonly allowHub: boolean;
}

export interface Retrained extends Challenger {
  readonly champion: ArtifactFiles;
  readonly verdict: Verdict;
  readonly comparison: Comparison;
}

/**
 * Trains a challenger, puts it through the gate, and compares it with the champion on the same sealed cases. Artifact, verdict and
 * comparison are written as each is done; a second run goes on where the first was stopped.
 * @throws PlimsollError before any training where suite, champion, data or place will not do
 */
export async function retrained(request: RetrainRequest): Promise<Retrained> {
  const champion = readArtifact(request.champion);
  const suite = loadSuite(request.suite);
  const rule = ruleOf(suite, request.calibrationMargin);
  assertChallengerPlace(request.out, champion, request.force);
  const challenger = await challengerOf(request, champion, suite, rule);
  const issued = new Date();
  const verdict = await gated(request, issued);
  const comparison = await comparedSideBySide({
    ...request,
    champion,
    challenger: challenger.artifact,
    verdict,
    suite,
    issued,
  });
  writeComparison(request.out, comparison);
  return { ...challenger, champion, verdict, comparison };
}

async function challengerOf(
  request: RetrainRequest,
  champion: ArtifactFiles,
  suite: LoadedSuite,
  rule: ThresholdRule,
): Promise<Challenger> {
  const { data, out, force, allowHub, qualityScale, map } = request;
  const reading = { ...(qualityScale && { qualityScale }), ...(map && { map }) };
  const { quality_field: qualityField } = suite.suite;
  const models = champion.manifest.ladder.map(({ model }) => model);
  const loaded = await loadLabelled({ data, qualityField, maxRejects: MAX_REJECTS, ...reading }, models);
  qualityColumns(loaded, models);
  requireHeldOutFrom(champion, loaded.cases); // refuses now what could not be compared after the training
  const challenger = await trainedChallenger({
    champion,
    loaded,
    qualityField,
    reading,
    rule,
    out,
    force,
    allowHub,
  });
  const done = challenger.resumed
    ? `resuming: ${out} was trained from these data against ${champion.manifest.name}; on with the gate\n`
    : `trained: ${out}\n`;
  process.stderr.write(done);
  return challenger;
}

async function gated(request: RetrainRequest, issued: Date): Promise<Verdict> {
  const { out, suite, data, allowHub } = request;
  const progress = startProgress('replaying');
  const { verdict } = await runGate({
    artifact: out,
    suite,
    data,
    reading: readingOptions(request),
    issued,
    allowHub,
    onProgress: (done, total) => progress.update(done, total),
  });
  progress.end(`${verdict.sealed.n} sealed cases, ${verdict.verdict}`);
  recordLook(out, verdict);
  writeVerdict(out, verdict);
  return verdict;
}

/** @throws PlimsollError `invalid-input` where the threshold would be certified at more than the gate allows */
function ruleOf({ suite, file }: LoadedSuite, given: number | undefined): ThresholdRule {
  const { max_quality_loss: margin, confidence } = suite;
  const target = given ?? Number((SHARE_OF_MARGIN * margin).toPrecision(3));
  if (target > 0 && target <= margin) return { rule: 'max-quality-loss', target, confidence };
  throw new PlimsollError(
    'invalid-input',
    `--calibration-margin is ${target}: it must be above 0 and at most ${margin}, the margin of ${file}, which the gate holds the threshold to.`,
  );
}
