import path from 'node:path';
import {
  type ArtifactDraft,
  type GoldenCase,
  type Manifest,
  manifestSchema,
  type Rung,
} from '../../router/artifact/index.ts';
import { calibrated, featureExtractor } from '../../router/classifier/index.ts';
import { type Encoder, isStaticEncoder } from '../../router/encoders/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { VERSION } from '../../router/package.ts';
import { quantile } from '../../router/statistics/index.ts';
import {
  designMatrix,
  exportLexicon,
  exportLinear,
  hasVote,
  type Learner,
  type LearnerChoice,
  learnerLogits,
  type TrainedLearner,
  trainLearner,
} from '../../router/train/index.ts';
import {
  type Case,
  DEFAULT_QUALITY_FIELD,
  DEFAULT_SHARES,
  describeSplit,
  fingerprints,
  foldsByKey,
  givenOutcomes,
  givenSentence,
  hasReplies,
  splitByKey,
} from '../cases/index.ts';
import { ladderRungs } from '../gate/index.ts';
import { decisionScores, type ThresholdRule } from '../threshold/index.ts';
import { calibratedScores, calibrationMetrics, fitExpectedLoss } from './calibration.ts';
import { choosePolicy, DEFAULT_RULE } from './choose-policy.ts';
import { type EncoderChoice, embed, withEncoder } from './embed.ts';
import {
  type LabelledData,
  qualityColumns,
  requireLearnable,
  requireTwoClassesInFolds,
} from './labelled-data.ts';
import { atThreshold, learnCascade, requireCascade } from './learn-cascade.ts';
import { modelCard } from './model-card.ts';
import type { OnProgress } from './progress.ts';

export interface TrainOptions extends EncoderChoice {
  /** Models, cheapest first; or rungs, which give the candidates names of their own. Each case has an outcome of every model. */
  readonly ladder: readonly string[] | readonly Rung[];
  /** How the threshold is set. Default: certified to lose at most .02 of quality with confidence .95. */
  readonly rule?: ThresholdRule;
  /** The artifact's name. Default `router`. */
  readonly name?: string;
  /** The only thing in an artifact that does not follow from its inputs. Default: now. */
  readonly created?: Date;
  /** Seed of the split. Default 1. */
  readonly seed?: number;
  /** Folds of the cross-validation that chooses lambda. Default 5. */
  readonly folds?: number;
  /** How much a case counts in training. Default 1. */
  readonly weight?: (one: Case) => number;
  /** What is learned. Default `auto`: the learner with the least cross-validated log loss. */
  readonly learner?: Learner | 'auto';
  /**
   * A request that nothing labelled resembles goes to the strongest rung unscored. Nothing does if its nearest labelled case is less similar than so many
   * percent of the training cases are to the nearest of other folds: above 0, at most 50. Default: every request is scored. Learners that keep labelled
   * cases can abstain, the ones with neighbours; `auto` chooses among them then.
   */
  readonly abstainPercent?: number;
  /** The standard deviation that structural features are given; see `trainClassifier`. Default 1, and 3 beside clusters. */
  readonly structuralScale?: number;
  /** Cases of other traffic than the policy is for: they teach the classifier, and the preview and its figures leave them out. Default none. */
  readonly auxiliary?: (one: Case) => boolean;
  /** Cheaper models reply first, and their replies are judged before they go out: needs cases with replies of all models but the strongest. Default false. */
  readonly cascade?: boolean;
  /** Whether decisions say, beside the predicted loss, what is to be expected of it. Default true. */
  readonly expectedLoss?: boolean;
  /** Whether two fifths of the cases are left unread for the gate. Default true; otherwise the gate needs cases of its own. */
  readonly holdOut?: boolean;
  /** Sections that follow the generated ones in the model card. */
  readonly modelCardNotes?: string;
  readonly onProgress?: OnProgress;
}

/** What the manifest says about cases that came from no file. */
const NO_SOURCE: Manifest['data'] = {
  quality_field: DEFAULT_QUALITY_FIELD,
  files: [],
  rejected: 0,
  excluded: 0,
};

/**
 * One training run: split by question, train on the first part, and leave the second unread for the gate, which finds the threshold.
 * Platt scaling and a preview of the threshold come from scores of training cases by fits that had not seen them. Nothing is written:
 * see `writeArtifact`.
 * @throws PlimsollError `insufficient-data` if the data, a split or a fold hold too little to learn from, or the rule cannot be kept; for a
 *   cascade also if nothing is known about the replies of a model below the strongest; `invalid-input` if a learner is to abstain that cannot.
 */
export async function train(
  { cases, source = NO_SOURCE }: LabelledData,
  options: TrainOptions,
): Promise<ArtifactDraft> {
  const ladder = ladderRungs(options.ladder);
  const models = ladder.map(({ model }) => model);
  requireLearnable(cases, models);
  if (options.cascade) requireCascade(cases, ladder);
  const { rule = DEFAULT_RULE, name = 'router', created = new Date(), seed = 1, weight } = options;
  const {
    structuralScale,
    auxiliary = () => false,
    cascade: looksAtReplies = false,
    expectedLoss = true,
    holdOut = true,
    learner = 'auto',
    abstainPercent,
  } = options;
  if (abstainPercent !== undefined) requireAbstaining(learner, abstainPercent);
  const split = splitByKey(cases, holdOut ? DEFAULT_SHARES : { train: 1, test: 0 }, seed);
  const folds = foldsByKey(split.train, options.folds ?? 5, seed);
  const labels = qualityColumns(split.train, models);
  requireTwoClassesInFolds(labels, models, 'training', folds, 1);
  return withEncoder(options, async (encoder) => {
    const { matrix, features } = await embed(split.train, encoder, options.onProgress);
    const trained = fitLearner(
      {
        matrix,
        labels,
        folds,
        ...(weight && { sampleWeights: Float64Array.from(split.train, weight) }),
        ...(structuralScale !== undefined && { structuralScale }),
      },
      learner === 'auto' && abstainPercent !== undefined ? 'auto-with-vote' : learner,
      options.onProgress,
    );
    const served = Uint32Array.from(split.train.keys()).filter(
      (row) => !auxiliary(split.train[row]!) && (!looksAtReplies || hasReplies(split.train[row]!, models)),
    );
    const servedCases = Array.from(served, (row) => split.train[row]!);
    const pick = (column: Float64Array) => Float64Array.from(served, (row) => column[row]!);
    const heldOutLogits = trained.heldOutLogits.map(pick);
    const byPrompt = calibratedScores(heldOutLogits, trained.platt, labels.map(pick));
    const learned = looksAtReplies
      ? learnCascade(
          {
            cases: servedCases,
            heldOutLogits,
            ...byPrompt,
            folds: Int32Array.from(served, (row) => folds[row]!),
            ...(weight && { sampleWeights: Float64Array.from(servedCases, weight) }),
          },
          models,
        )
      : undefined;
    const scored = { ...byPrompt, ...(learned && { cascade: learned.scores }) };
    const policy = choosePolicy(scored, servedCases, ladder, rule);
    const manifest: Omit<Manifest, 'files'> = {
      schema_version: 1,
      name,
      created: created.toISOString(),
      encoder: encoder.identity,
      features: [...features],
      ladder,
      classifier: {
        kind: isStaticEncoder(encoder) ? 'lexicon' : 'linear',
        ...(trained.learner !== 'lr' && { learner: trained.learner }),
        ...similarityLimit(trained, served, abstainPercent),
        ...(trained.compared.length > 0 && { compared: trained.compared.map(comparedJson) }),
        lambda: trained.lambda,
        ...(trained.structuralScale !== 1 && { structural_scale: trained.structuralScale }),
        platt: [...trained.platt],
      },
      policy: { name: 'default', version: 1, ...policy },
      ...(expectedLoss && { expected_loss: fitExpectedLoss(scored) }),
      ...(learned && { cascade: atThreshold(learned.cascade, policy.threshold) }),
      data: source,
      split: { seed, ...describeSplit(split) },
      metrics: calibrationMetrics(scored, ladder),
      tools: { plimsoll: VERSION },
    };
    const exportable = { ...trained, keys: split.train.map(({ key }) => key) };
    return {
      manifest,
      classifier: isStaticEncoder(encoder)
        ? exportLexicon(exportable, encoder)
        : exportLinear(exportable, encoder.identity.dimension),
      golden: await goldenCases(trained, encoder),
      modelCard: modelCard(
        manifest,
        { cases: servedCases, scores: decisionScores(scored), quality: scored.quality },
        cardNotes(options.modelCardNotes, ladder),
      ),
      seenQuestions: fingerprints(split.train),
    };
  });
}

/** With what of the figures is nobody's label. */
function cardNotes(notes: string | undefined, ladder: readonly Rung[]): string | undefined {
  const word = givenSentence(givenOutcomes(ladder));
  if (word === undefined) return notes;
  const section = `## What is given\n\nQualities are ${word}.`;
  return notes === undefined ? section : `${section}\n\n${notes}`;
}

/** What abstaining takes by default: the similarity that one training case in a hundred lies below. */
export const DEFAULT_ABSTAIN_PERCENT = 1;
const MOST_ABSTAIN_PERCENT = 50;

/**
 * Called before the data are read.
 * @throws PlimsollError `invalid-input` if the learner keeps no labelled cases to compare with, or the percentage is not above 0 and at most 50
 */
export function requireAbstaining(learner: Learner | 'auto', percent: number): void {
  if (!(percent > 0 && percent <= MOST_ABSTAIN_PERCENT)) {
    throw new PlimsollError(
      'invalid-input',
      `The share of training cases to abstain by must be above 0 and at most ${MOST_ABSTAIN_PERCENT} percent, not ${percent}.`,
    );
  }
  if (learner === 'auto' || hasVote(learner)) return;
  throw new PlimsollError(
    'invalid-input',
    `The learner ${learner} keeps no labelled cases, so it cannot tell that nothing similar was labelled. Learn lr+knn or lr+clusters+knn, leave the learner to auto, or do not abstain.`,
  );
}

/** What "similar" means for an artifact that keeps labelled cases. @param served the rows of the traffic that the policy is for */
function similarityLimit(
  { heldOutSimilarities }: TrainedLearner,
  served: Uint32Array,
  abstainPercent: number | undefined,
): Pick<Manifest['classifier'], 'similarity_limit' | 'abstain'> {
  if (heldOutSimilarities === undefined) return {};
  const all = heldOutSimilarities();
  const percent = abstainPercent ?? DEFAULT_ABSTAIN_PERCENT;
  const similarity = quantile(
    Array.from(served, (row) => all[row]!),
    percent / 100,
  );
  return {
    similarity_limit: { percent, similarity },
    ...(abstainPercent !== undefined && { abstain: 'escalate' }),
  };
}

/**
 * The name of the artifact that goes to `out`: the one given, or the folder's own.
 * @throws PlimsollError `invalid-input` if it cannot be one
 */
export function artifactName(out: string, given?: string): string {
  if (out.trim() === '')
    throw new PlimsollError('invalid-input', '--out is empty: name the folder to write.');
  const name = given ?? path.basename(path.resolve(out));
  if (manifestSchema.shape.name.safeParse(name).success) return name;
  throw new PlimsollError(
    'invalid-input',
    `"${name}" cannot name an artifact. Use letters, digits, dots, dashes and underscores, a letter or digit first, in ${given === undefined ? 'the last part of --out' : '--name'}.`,
  );
}

function fitLearner(
  rows: Parameters<typeof trainLearner>[0],
  learner: LearnerChoice,
  onProgress: OnProgress = () => {},
): TrainedLearner {
  onProgress({ step: 'training' });
  const trained = trainLearner(rows, learner);
  const losses = trained.compared.map((one) => `${one.learner} ${one.logLoss.toFixed(4)}`);
  const chosen = losses.length > 0 ? `, chosen by cross-validated log loss: ${losses.join(', ')}` : '';
  onProgress({
    step: 'training',
    summary: `${trained.learner}, lambda ${trained.lambda}, ${trained.iterations} steps${trained.converged ? '' : ', not converged'}${chosen}`,
  });
  return trained;
}

function comparedJson({ learner, logLoss }: TrainedLearner['compared'][number]) {
  return { learner, log_loss: logLoss };
}

/** Written for this purpose, so that no artifact carries a line of anybody's traffic. Together they use every feature. */
const GOLDEN_TEXTS: readonly string[] = [
  'Translate "good morning" into French.',
  'Prove that there are infinitely many primes p with p ≡ 3 (mod 4).',
  'Extract the invoice number, the date and the total from this text:\nInvoice 2024-118, 3 May 2024, total EUR 1,240.50',
  'Why does this loop never end?\n```js\nfor (let i = 10; i >= 0; i++) { console.log(i); }\n```',
  'Which of these is a noble gas?\nA. Oxygen\nB. Argon\nC. Nitrogen\nD. Chlorine\nAnswer:',
  'Schreibe eine höfliche Absage auf eine Einladung zum Abendessen.',
  'A train leaves at 9:40 and covers 210 km at 84 km/h. When does it arrive?',
  '请用三句话总结一下什么是机器学习。',
];

async function goldenCases(
  classifier: Pick<TrainedLearner, 'heads' | 'centre' | 'platt' | 'similarity'>,
  encoder: Encoder,
): Promise<GoldenCase[]> {
  const matrix = await designMatrix(GOLDEN_TEXTS, encoder, featureExtractor());
  const logits = learnerLogits(matrix, classifier);
  return GOLDEN_TEXTS.map((text, row) => ({
    text,
    probabilities: logits.map((z, h) => calibrated(z[row]!, classifier.platt[h]!)),
  }));
}
