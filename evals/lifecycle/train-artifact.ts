import type { ArtifactDraft, GoldenCase, Manifest, Rung } from '../../router/artifact/index.ts';
import { calibrated, featureExtractor, type PlattScaling } from '../../router/classifier/index.ts';
import { type Encoder, isStaticEncoder } from '../../router/encoders/index.ts';
import { VERSION } from '../../router/package.ts';
import {
  designMatrix,
  exportLexicon,
  exportLinear,
  fitPlatt,
  type Matrix,
  rawLogits,
  selectRows,
  type TrainedClassifier,
  trainClassifier,
} from '../../router/train/index.ts';
import { startProgress } from '../../scripts/progress.ts';
import {
  type Case,
  DEFAULT_SHARES,
  describeSplit,
  fingerprints,
  foldsByKey,
  splitByKey,
} from '../cases/index.ts';
import { apgrInterval, headQuality, measureRanking, unknownCosts } from '../gate/index.ts';
import type { ThresholdRule } from '../threshold/index.ts';
import { GOLDEN_TEXTS } from './golden-texts.ts';
import { requireTwoClassesInFolds } from './learnable.ts';
import { modelCard } from './model-card.ts';
import { policyOf } from './policy-of.ts';

export interface TrainInput {
  readonly name: string;
  /** ISO time; the only thing in an artifact that does not follow from its inputs. */
  readonly created: string;
  readonly cases: readonly Case[];
  /** Cheapest first; each case has an outcome of every rung's model. */
  readonly ladder: readonly Rung[];
  readonly encoder: Encoder;
  readonly rule: ThresholdRule;
  readonly seed: number;
  readonly folds: number;
  readonly data: Manifest['data'];
  /** How much a case counts in training, 1 where it is left out. */
  readonly weightOf?: (one: Case) => number;
  /** Sections that follow the generated ones in the model card. */
  readonly modelCardNotes?: string;
}

/**
 * One training run: split by key, train on the first part, fit Platt scaling and the threshold on the second, and leave the third
 * sealed for the gate. Nothing is written.
 * @throws PlimsollError `insufficient-data` where a split or a fold holds too little to learn from.
 */
export async function trainArtifact(input: TrainInput): Promise<ArtifactDraft> {
  const { cases, ladder, encoder } = input;
  const split = splitByKey(cases, DEFAULT_SHARES, input.seed);
  const folds = foldsByKey(split.train, input.folds, input.seed);
  requireLearnable(split, ladder, folds);
  const progress = startProgress('embedding');
  const used = [...split.train, ...split.calibration];
  const extractor = featureExtractor();
  const texts = used.map(({ text }) => text);
  const matrix = await designMatrix(texts, encoder, extractor, (done) => progress.update(done, used.length));
  progress.end(`${used.length} texts with ${encoder.identity.id}`);

  const trainRows = rangeOf(0, split.train.length);
  const calibrationRows = rangeOf(split.train.length, used.length);
  const fitting = startProgress('training');
  const trained = trainClassifier({
    matrix: selectRows(matrix, trainRows),
    labels: labelsOf(split.train, ladder),
    folds,
    ...(input.weightOf && { sampleWeights: Float64Array.from(split.train, input.weightOf) }),
  });
  fitting.end(
    `lambda ${trained.lambda}, ${trained.iterations} steps${trained.converged ? '' : ', not converged'}`,
  );

  const calibration = calibrate(selectRows(matrix, calibrationRows), split.calibration, ladder, trained);
  const classifier = { ...trained, platt: calibration.platt };
  const policy = policyOf(calibration, split.calibration, ladder, input.rule);
  const manifest: Omit<Manifest, 'files'> = {
    schema_version: 1,
    name: input.name,
    created: input.created,
    encoder: encoder.identity,
    features: [...extractor.names],
    ladder: [...ladder],
    classifier: {
      kind: isStaticEncoder(encoder) ? 'lexicon' : 'linear',
      lambda: trained.lambda,
      platt: calibration.platt,
    },
    policy: { name: 'default', version: 1, ...policy },
    data: input.data,
    split: { seed: input.seed, ...describeSplit(split) },
    metrics: metricsOf(calibration, split.calibration, ladder),
    tools: { plimsoll: VERSION },
  };
  return {
    manifest,
    classifier: isStaticEncoder(encoder)
      ? exportLexicon(classifier, encoder)
      : exportLinear(classifier, encoder.identity.dimension),
    golden: await goldenCases(classifier, encoder),
    modelCard: modelCard(manifest, { cases: split.calibration, ...calibration }, input.modelCardNotes),
    seenQuestions: fingerprints(used),
  };
}

function requireLearnable(
  { train, calibration }: { readonly train: readonly Case[]; readonly calibration: readonly Case[] },
  ladder: readonly Rung[],
  folds: Int32Array,
): void {
  const models = ladder.map(({ model }) => model);
  requireTwoClassesInFolds(labelsOf(train, ladder), models, 'training', folds, 1);
  requireTwoClassesInFolds(labelsOf(calibration, ladder), models, 'calibration');
}

export interface Calibration {
  readonly platt: PlattScaling[];
  /** `probabilities[rung][case]`, calibrated. */
  readonly probabilities: Float64Array[];
  readonly quality: Float64Array[];
}

function calibrate(
  matrix: Matrix,
  cases: readonly Case[],
  ladder: readonly Rung[],
  trained: TrainedClassifier,
): Calibration {
  return plattCalibration(rawLogits(matrix, trained), labelsOf(cases, ladder));
}

/** Platt scaling of each head on these cases, and what it makes of their logits. */
export function plattCalibration(logits: readonly Float64Array[], quality: Float64Array[]): Calibration {
  const platt = logits.map((z, h) => fitPlatt(z, quality[h]!));
  return {
    platt,
    probabilities: logits.map((z, h) => z.map((value) => calibrated(value, platt[h]!))),
    quality,
  };
}

/** APGR and CPT are of the cheapest against the strongest rung. On the calibration split, so that the test split stays sealed. */
export function metricsOf(
  { probabilities, quality }: Calibration,
  cases: readonly Case[],
  ladder: readonly Rung[],
): NonNullable<Manifest['metrics']> {
  const top = ladder.length - 1;
  const outcomes = {
    cheapQuality: quality[0]!,
    strongQuality: quality[top]!,
    cheapCostUsd: unknownCosts(cases.length),
    strongCostUsd: unknownCosts(cases.length),
  };
  const scores = probabilities[top]!.map((p, row) => p - probabilities[0]![row]!);
  const { apgr, cpt50, cpt80 } = measureRanking(scores, outcomes);
  const interval = apgrInterval(scores, outcomes);
  const heads = ladder.map(
    ({ candidate }, h) => [candidate, headQuality(probabilities[h]!, quality[h]!)] as const,
  );
  return {
    n: cases.length,
    ...(apgr !== undefined && { apgr }),
    ...(interval && { apgr_interval: { low: interval.low, high: interval.high, level: interval.level } }),
    ...(cpt50 !== undefined && { cpt50 }),
    ...(cpt80 !== undefined && { cpt80 }),
    auroc: Object.fromEntries(
      heads.flatMap(([name, { auroc }]) => (auroc === undefined ? [] : [[name, auroc]])),
    ),
    brier: Object.fromEntries(heads.map(([name, { brier }]) => [name, brier])),
    ece: Object.fromEntries(heads.map(([name, { ece }]) => [name, ece])),
  };
}

/** `labels[rung][case]`: the quality of the rung's model. */
export function labelsOf(cases: readonly Case[], ladder: readonly Rung[]): Float64Array[] {
  return ladder.map(({ model }) => Float64Array.from(cases, ({ outcomes }) => outcomes.get(model)!.quality));
}

async function goldenCases(
  classifier: Pick<TrainedClassifier, 'heads' | 'centre' | 'platt'>,
  encoder: Encoder,
): Promise<GoldenCase[]> {
  const matrix = await designMatrix(GOLDEN_TEXTS, encoder, featureExtractor());
  const logits = rawLogits(matrix, classifier);
  return GOLDEN_TEXTS.map((text, row) => ({
    text,
    probabilities: logits.map((z, h) => calibrated(z[row]!, classifier.platt[h]!)),
  }));
}

function rangeOf(from: number, to: number): Int32Array {
  return Int32Array.from({ length: to - from }, (_, i) => from + i);
}
