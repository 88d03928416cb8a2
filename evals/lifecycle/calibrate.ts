import type { ArtifactDraft, ArtifactFiles, Manifest, Rung } from '../../router/artifact/index.ts';
import {
  type Classifier,
  classifierInput,
  createOnnxClassifier,
  featureExtractor,
} from '../../router/classifier/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { decodeModel, encodeModel } from '../../router/onnx/index.ts';
import { COMMAND } from '../../router/package.ts';
import { plattTensors } from '../../router/train/index.ts';
import {
  type Case,
  DEFAULT_SHARES,
  fingerprints,
  hashCases,
  partBySeen,
  seenQuestions,
  splitByKey,
} from '../cases/index.ts';
import { type CertifiableMargin, certifiableMargins, type ThresholdRule } from '../threshold/index.ts';
import { calibrationMetrics, fitCalibration, fitExpectedLoss, type ScoredCases } from './calibration.ts';
import { choosePolicy, DEFAULT_RULE } from './choose-policy.ts';
import {
  type LabelledData,
  qualityColumns,
  requireLearnable,
  requireTwoClassesInFolds,
} from './labelled-data.ts';
import { modelCard } from './model-card.ts';
import type { OnProgress } from './progress.ts';

export interface CalibrateOptions {
  /** Models in place of the artifact's, rung by rung: theirs are the outcomes. */
  readonly models?: readonly string[];
  /** How the threshold is set. Default: certified to lose at most .02 of quality with confidence .95. */
  readonly rule?: ThresholdRule;
  /** Name of the new artifact; the old one's by default. */
  readonly name?: string;
  readonly created?: Date;
  /** Lets a transformers encoder fetch its model from the hub. Default false. */
  readonly allowHub?: boolean;
  readonly onProgress?: OnProgress;
  /** Gets a line on how the cases are shared out, before the work. */
  readonly onNotes?: (lines: readonly string[]) => void;
}

export interface Calibrated {
  readonly draft: ArtifactDraft;
  /** What other margins would give; empty if the rule promises no quality. */
  readonly margins: readonly CertifiableMargin[];
}

/**
 * The artifact with Platt scaling and threshold fitted to these cases: same weights, next policy version. Nothing is written.
 * @throws PlimsollError `insufficient-data` if the cases hold too little, or the rule cannot be kept; `invalid-input` for a cascade, whose judge
 *   knows the replies of the models that it learned from
 */
export async function calibrate(
  artifact: ArtifactFiles,
  data: LabelledData,
  options: CalibrateOptions = {},
): Promise<Calibrated> {
  const { rule = DEFAULT_RULE, name = artifact.manifest.name, created = new Date() } = options;
  if (artifact.manifest.cascade !== undefined) {
    throw new PlimsollError(
      'invalid-input',
      `${artifact.manifest.name} is a cascade: the judge of its replies learned from these models and this traffic, and Platt scaling does not change that. Train it on the other cases with \`${COMMAND} train --cascade\`.`,
    );
  }
  const ladder = withModels(artifact.manifest, options.models);
  const models = ladder.map(({ model }) => model);
  requireLearnable(data.cases, models);
  const { cases, heldOut, seen } = shareOut(data.cases, artifact);
  if (cases.length === 0) throw nothingFresh(artifact.manifest.name, heldOut.length, seen);
  const left = seen > 0 ? `, ${seen} are left out: ${artifact.manifest.name} has seen their questions` : '';
  options.onNotes?.([`${cases.length} cases calibrate, ${heldOut.length} stay sealed for the gate${left}`]);
  const labels = qualityColumns(cases, models);
  requireTwoClassesInFolds(labels, models, 'calibration');
  const calibration = fitCalibration(await score(artifact, cases, options), labels);
  const { files: _, ...before } = artifact.manifest;
  const manifest: Omit<Manifest, 'files'> = {
    ...before,
    name,
    created: created.toISOString(),
    ladder,
    classifier: { ...before.classifier, platt: calibration.platt },
    policy: {
      name: before.policy.name,
      version: before.policy.version + 1,
      ...choosePolicy(calibration, cases, ladder, rule),
    },
    expected_loss: fitExpectedLoss(calibration),
    split: { ...before.split, calibration: describe(cases), test: describe(heldOut) },
    metrics: calibrationMetrics(calibration, ladder),
  };
  const classifier = replacePlatt(artifact.classifier, calibration.platt);
  const draft = {
    manifest,
    classifier,
    golden: await goldenCases(artifact, classifier, options.allowHub),
    modelCard: modelCard(
      manifest,
      { cases, scores: calibration.probabilities, quality: labels },
      note(before, cases, data.source),
    ),
    seenQuestions: fingerprints(cases, artifact.seenQuestions),
  };
  return { draft, margins: otherMargins(calibration, rule) };
}

function nothingFresh(name: string, heldOut: number, seen: number): PlimsollError {
  return new PlimsollError(
    'insufficient-data',
    `No case is left to calibrate on: ${seen} ask questions that ${name} has seen, and ${heldOut} stay sealed for the gate. Give cases of other traffic or with the outcomes of other models; for the data that it was trained on the gate finds the threshold by itself.`,
  );
}

function withModels({ name, ladder }: Manifest, models: readonly string[] | undefined): Rung[] {
  if (models !== undefined && models.length !== ladder.length) {
    throw new PlimsollError(
      'invalid-input',
      `${name} has ${ladder.length} candidates; ${models.length} models are given in their place.`,
    );
  }
  return ladder.map((rung, i) => ({ ...rung, model: models?.[i] ?? rung.model }));
}

interface Shares {
  readonly cases: readonly Case[];
  /** Named in the manifest, and not looked at. */
  readonly heldOut: readonly Case[];
  /** How many are in neither: the artifact has learned from their questions. */
  readonly seen: number;
}

/**
 * Split by the artifact's own seed: the test part stays held out, so that the gate has something left to judge on. What the artifact
 * has learned from is left out of both.
 */
function shareOut(all: readonly Case[], { manifest, seenQuestions: marks }: ArtifactFiles): Shares {
  const split = splitByKey(all, DEFAULT_SHARES, manifest.split.seed);
  const known = seenQuestions(marks);
  const isSeen = (one: Case) => known.sighting(one) !== undefined;
  const fresh = partBySeen(split.train, isSeen).unseen;
  const heldOut = partBySeen(split.test, isSeen).unseen;
  return { cases: fresh, heldOut, seen: all.length - fresh.length - heldOut.length };
}

function describe(cases: readonly Case[]): Manifest['split']['test'] {
  return { n: cases.length, sha256: hashCases(cases) };
}

function otherMargins(calibration: ScoredCases, rule: ThresholdRule): CertifiableMargin[] {
  if (rule.rule !== 'max-quality-loss') return [];
  return certifiableMargins(calibration, { maxQualityLoss: rule.target, confidence: rule.confidence });
}

/** The manifest names the files of the training; the model card names those of the calibration. */
function note(
  before: Pick<Manifest, 'name' | 'ladder'>,
  cases: readonly Case[],
  source: LabelledData['source'],
): string {
  const files = (source?.files ?? []).map(
    ({ file, sha256 }) => `\`${file}\` (sha256 \`${sha256.slice(0, 16)}…\`)`,
  );
  const from = files.length > 0 ? ` of ${files.join(', ')}` : '';
  return `## Recalibrated\n\nThe weights are those of \`${before.name}\` (${before.ladder.map(({ model }) => model).join(' -> ')}), and so are the data above. Platt scaling, threshold and the figures are of ${cases.length} cases${from}.`;
}

async function openClassifier(
  { manifest }: ArtifactFiles,
  bytes: Uint8Array,
  allowHub = false,
): Promise<Classifier> {
  return createOnnxClassifier(
    bytes,
    await classifierInput(manifest, { allowHub }),
    featureExtractor(manifest.features),
  );
}

/** `[rung][case]`: logits. */
async function score(
  artifact: ArtifactFiles,
  cases: readonly Case[],
  { allowHub, onProgress = () => {} }: CalibrateOptions,
): Promise<Float64Array[]> {
  const step = 'scoring';
  onProgress({ step });
  const classifier = await openClassifier(artifact, artifact.classifier, allowHub);
  const columns = artifact.manifest.ladder.map(() => new Float64Array(cases.length));
  for (const [row, { text }] of cases.entries()) {
    const logits = await classifier.logits(text);
    for (const [h, column] of columns.entries()) column[row] = logits[h]!;
    onProgress({ step, done: row + 1, total: cases.length });
  }
  onProgress({ step, summary: `${cases.length} cases` });
  await classifier.close();
  return columns;
}

function replacePlatt(bytes: Uint8Array, platt: Manifest['classifier']['platt']): Uint8Array {
  const model = decodeModel(bytes);
  const replaced = new Map(plattTensors(platt).map((tensor) => [tensor.name, tensor]));
  const initializer = model.graph.initializer.map((tensor) => replaced.get(tensor.name) ?? tensor);
  return encodeModel({ ...model, graph: { ...model.graph, initializer } });
}

async function goldenCases(
  artifact: ArtifactFiles,
  bytes: Uint8Array,
  allowHub?: boolean,
): Promise<ArtifactDraft['golden']> {
  const classifier = await openClassifier(artifact, bytes, allowHub);
  const golden: { text: string; probabilities: number[] }[] = [];
  for (const { text } of artifact.golden)
    golden.push({ text, probabilities: [...(await classifier.score(text))] });
  await classifier.close();
  return golden;
}
