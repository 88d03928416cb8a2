import path from 'node:path';
import type { ArtifactDraft, ArtifactFiles, Manifest, Rung } from '../../router/artifact/index.ts';
import {
  type Classifier,
  classifierInput,
  createOnnxClassifier,
  featureExtractor,
} from '../../router/classifier/index.ts';
import { decodeModel, encodeModel } from '../../router/onnx/index.ts';
import { plattTensors } from '../../router/train/index.ts';
import { startProgress } from '../../scripts/progress.ts';
import { type Case, fingerprints, hashCases, type LoadedFile } from '../cases/index.ts';
import { type CertifiableMargin, certifiableMargins, type ThresholdRule } from '../threshold/index.ts';
import { requireTwoClassesInFolds } from './learnable.ts';
import { modelCard } from './model-card.ts';
import { policyOf } from './policy-of.ts';
import { type Calibration, labelsOf, metricsOf, plattCalibration } from './train-artifact.ts';

export interface RecalibrateInput {
  readonly artifact: ArtifactFiles;
  /** What calibrates. */
  readonly cases: readonly Case[];
  /** The test part of the same data: named in the manifest, and not looked at. */
  readonly sealed: readonly Case[];
  readonly ladder: readonly Rung[];
  readonly rule: ThresholdRule;
  readonly name: string;
  /** Where the cases came from, for the model card. */
  readonly files: readonly LoadedFile[];
  readonly allowHub: boolean;
}

export interface Recalibrated {
  readonly draft: ArtifactDraft;
  /** What other margins would give; empty where the rule promises no quality. */
  readonly margins: readonly CertifiableMargin[];
}

/** The artifact with Platt scaling and threshold fitted to these cases: same weights, next policy version. */
export async function recalibrated(input: RecalibrateInput): Promise<Recalibrated> {
  const { artifact, cases, ladder, rule } = input;
  const labels = labelsOf(cases, ladder);
  requireTwoClassesInFolds(
    labels,
    ladder.map(({ model }) => model),
    'calibration',
  );
  const calibration = plattCalibration(await logitsOf(input), labels);
  const { files: _, ...before } = artifact.manifest;
  const manifest: Omit<Manifest, 'files'> = {
    ...before,
    name: input.name,
    created: new Date().toISOString(),
    ladder: [...ladder],
    classifier: { ...before.classifier, platt: calibration.platt },
    policy: {
      name: before.policy.name,
      version: before.policy.version + 1,
      ...policyOf(calibration, cases, ladder, rule),
    },
    split: { ...before.split, calibration: partOf(cases), test: partOf(input.sealed) },
    metrics: metricsOf(calibration, cases, ladder),
  };
  const classifier = withPlatt(artifact.classifier, calibration.platt);
  const draft = {
    manifest,
    classifier,
    golden: await goldenCases(input, classifier),
    modelCard: modelCard(manifest, { cases, ...calibration }, recalibrationNote(before, input)),
    seenQuestions: fingerprints(cases, artifact.seenQuestions),
  };
  return { draft, margins: marginsOf(calibration, rule) };
}

function partOf(cases: readonly Case[]): Manifest['split']['test'] {
  return { n: cases.length, sha256: hashCases(cases) };
}

function marginsOf(calibration: Calibration, rule: ThresholdRule): CertifiableMargin[] {
  if (rule.rule !== 'max-quality-loss') return [];
  return certifiableMargins(calibration, { maxQualityLoss: rule.target, confidence: rule.confidence });
}

/** The manifest names the files of the training; those of the recalibration stand here. */
function recalibrationNote(
  before: Pick<Manifest, 'name' | 'ladder'>,
  { cases, files }: RecalibrateInput,
): string {
  const sources = files.map(
    ({ file, sha256 }) => `\`${path.basename(file)}\` (sha256 \`${sha256.slice(0, 16)}…\`)`,
  );
  return `## Recalibrated\n\nThe weights are those of \`${before.name}\` (${before.ladder.map(({ model }) => model).join(' -> ')}), and so are the data above. Platt scaling, threshold and the figures are of ${cases.length} cases of ${sources.join(', ')}.`;
}

async function opened({ artifact, allowHub }: RecalibrateInput, bytes: Uint8Array): Promise<Classifier> {
  const { manifest } = artifact;
  return createOnnxClassifier(
    bytes,
    await classifierInput(manifest, { allowHub }),
    featureExtractor(manifest.features),
  );
}

async function logitsOf(input: RecalibrateInput): Promise<Float64Array[]> {
  const { artifact, cases } = input;
  const classifier = await opened(input, artifact.classifier);
  const columns = artifact.manifest.ladder.map(() => new Float64Array(cases.length));
  const progress = startProgress('scoring');
  for (let row = 0; row < cases.length; row++) {
    const logits = await classifier.logits(cases[row]!.text);
    columns.forEach((column, h) => {
      column[row] = logits[h]!;
    });
    progress.update(row + 1, cases.length);
  }
  progress.end(`${cases.length} cases`);
  await classifier.close();
  return columns;
}

function withPlatt(bytes: Uint8Array, platt: Manifest['classifier']['platt']): Uint8Array {
  const model = decodeModel(bytes);
  const replaced = new Map(plattTensors(platt).map((tensor) => [tensor.name, tensor]));
  const initializer = model.graph.initializer.map((tensor) => replaced.get(tensor.name) ?? tensor);
  return encodeModel({ ...model, graph: { ...model.graph, initializer } });
}

async function goldenCases(input: RecalibrateInput, bytes: Uint8Array): Promise<ArtifactDraft['golden']> {
  const classifier = await opened(input, bytes);
  const golden: { text: string; probabilities: number[] }[] = [];
  for (const { text } of input.artifact.golden)
    golden.push({ text, probabilities: [...(await classifier.score(text))] });
  await classifier.close();
  return golden;
}
