import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { artifactJson, sha256 } from '../../router/artifact/index.ts';
import { calibrated, featureExtractor } from '../../router/classifier/index.ts';
import { createStaticEncoder, type StaticEncoder } from '../../router/encoders/index.ts';
import { PACKAGE_FOLDER, VERSION } from '../../router/package.ts';
import {
  instructionPieces,
  TASK_LABELS,
  type TaskModelDraft,
  taskBuckets,
} from '../../router/tasks/index.ts';
import {
  designMatrix,
  exportLexicon,
  type TrainedClassifier,
  trainClassifier,
} from '../../router/train/index.ts';
import { composeTexts, type Phrases } from './compose.ts';
import { readTaskTexts, type TaskText, taskTextsOfTierCases } from './task-texts.ts';

const FOLDER = path.join(PACKAGE_FOLDER, 'training-data');
const PHRASES = {
  instructions: 'tasks/instructions.jsonl',
  materials: 'tasks/materials.jsonl',
  slots: 'tasks/slots.json',
};
/** Requests as they may be sent, written one by one. */
const REQUESTS = 'tasks/requests.jsonl';
const EVERYDAY = ['everyday-english.jsonl', 'everyday-multilingual.jsonl'];

const languageText = { language: z.string().min(2), text: z.string().min(1) };
const instructionSchema = z.strictObject({
  task: z.enum(TASK_LABELS),
  ...languageText,
  material: z.string().min(1).optional(),
});
const materialSchema = z.strictObject({ kind: z.string().min(1), ...languageText });
const slotsSchema = z.record(z.string(), z.array(z.string().min(1)).min(1));

/** The recipe of models/tasks; how it came about: docs/EXPERIMENTS.md. */
const SEED = 1;
const LAMBDA = 10;
const STRUCTURAL_SCALE = 3;
const FOLDS = 2;
const TOLERANCE = 3e-4;
/** A text that was written whole counts for two composed ones. */
const WRITTEN_WEIGHT = 2;
const LEAST_PROBABILITY = 0.3;
const GOLDEN_CASES = 13;

/** What the tasks are learned from. */
interface TaskTrainingData {
  readonly composed: readonly TaskText[];
  /** Texts that were written whole. */
  readonly written: readonly TaskText[];
  readonly files: TaskModelDraft['manifest']['training']['files'];
}

/**
 * What ships: texts composed of training-data/tasks, requests that were written whole, and the everyday cases that have one of the tasks. `further`
 * are files of a team's own texts with their tasks, which count as those requests do.
 * @throws PlimsollError as readTaskTexts
 */
export function taskTrainingData(further: readonly string[] = []): TaskTrainingData {
  const shipped = [...Object.values(PHRASES), REQUESTS, ...EVERYDAY];
  const files = [...shipped.map((file) => path.join(FOLDER, file)), ...further].map((file) => ({
    file: path.basename(file),
    sha256: sha256(readFileSync(file)),
  }));
  const everyday = EVERYDAY.flatMap((file) => taskTextsOfTierCases(path.join(FOLDER, file)));
  return {
    composed: composeTexts(readPhrases(), SEED),
    written: [path.join(FOLDER, REQUESTS), ...further]
      .flatMap((file) => readTaskTexts(file))
      .concat(everyday),
    files,
  };
}

function readPhrases(): Phrases {
  const rows = <T>(schema: z.ZodType<T>, name: string): T[] => {
    const file = path.join(FOLDER, name);
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    return lines.map((line, i) => artifactJson(schema, new TextEncoder().encode(line), `${file}:${i + 1}`));
  };
  const slots = path.join(FOLDER, PHRASES.slots);
  return {
    instructions: rows(instructionSchema, PHRASES.instructions),
    materials: rows(materialSchema, PHRASES.materials),
    slots: artifactJson(slotsSchema, readFileSync(slots), slots),
  };
}

/**
 * Learns the tasks: one logistic regression a label over embedding, structural features and the buckets of pieces and pairs, Platt scaled on
 * scores by fits that had not seen the rows, folded and exported. The same data give the same bytes, apart from `created`.
 */
export async function trainTasks(
  { composed, written, files }: TaskTrainingData,
  created: Date,
): Promise<TaskModelDraft> {
  const texts = [...composed, ...written];
  const encoder = instructionEncoder();
  const extractor = featureExtractor();
  const matrix = await designMatrix(
    texts.map(({ text }) => text),
    encoder,
    extractor,
    undefined,
    taskBuckets,
  );
  const trained = trainClassifier(
    {
      matrix,
      labels: TASK_LABELS.map((label) => Float64Array.from(texts, ({ task }) => (task === label ? 1 : 0))),
      sampleWeights: Float64Array.from(texts, (_, i) => (i < composed.length ? 1 : WRITTEN_WEIGHT)),
      folds: Int32Array.from(texts, foldOf),
      structuralScale: STRUCTURAL_SCALE,
      tolerance: TOLERANCE,
    },
    [LAMBDA],
  );
  return {
    manifest: {
      format: 'plimsoll-tasks' as const,
      created: created.toISOString(),
      plimsoll_version: VERSION,
      tasks: [...TASK_LABELS],
      least_probability: LEAST_PROBABILITY,
      encoder: { id: 'static' as const, sha256: encoder.identity.sha256 },
      features: [...extractor.names],
      training: {
        texts: texts.length,
        files,
        seed: SEED,
        lambda: LAMBDA,
        structural_scale: STRUCTURAL_SCALE,
      },
    },
    classifier: exportLexicon(trained, encoder),
    golden: await goldenCases(texts, trained, encoder),
    modelCard: modelCard(composed.length, written.length),
  };
}

function modelCard(composed: number, written: number): string {
  return [
    '# The task classifier',
    '',
    `Predicts which of ${TASK_LABELS.length - 1} production tasks a request is, or \`other\`: ${TASK_LABELS.slice(0, -1).join(', ')}.`,
    '',
    `Learned from ${composed} texts composed of instructions, material and slots, and ${written} texts that were written whole (training-data/). All were written by the authors; none comes from traffic.`,
    '',
    'Static embedding, structural features, and buckets of word pieces and their pairs; a logistic regression a label, Platt scaled and folded. It reads the first and last word pieces of a long text, and no system prompt.',
    '',
    'How often it is right, and on what: docs/TASKS.md. It is meant for reports, slices and rules. It was not made for safety: a text can be worded so that it is taken for another task.',
    '',
    'Apache-2.0; the word pieces and their vectors are those of all-MiniLM-L6-v2 (NOTICE).',
    '',
  ].join('\n');
}

/** The static encoder over the pieces that say what is wanted. */
function instructionEncoder(): StaticEncoder {
  const encoder = createStaticEncoder();
  const tokenIds = (text: string) => instructionPieces(encoder.tokenIds(text));
  return { ...encoder, tokenIds, embed: async (text) => encoder.meanOf(tokenIds(text)) };
}

/** Texts of one instruction share a fold, so that no wording scores itself. */
function foldOf({ id }: TaskText): number {
  const name = /^composed-\d+/.exec(id)?.[0] ?? id;
  return Number.parseInt(sha256(name).slice(0, 8), 16) % FOLDS;
}

/** Scored by the regression as it was fitted, before anything is folded: what is served must come to the same. */
async function goldenCases(
  texts: readonly TaskText[],
  { heads, centre, platt }: TrainedClassifier,
  encoder: StaticEncoder,
): Promise<TaskModelDraft['golden']> {
  const chosen = TASK_LABELS.slice(0, GOLDEN_CASES).map((label) => texts.find(({ task }) => task === label)!);
  const extractor = featureExtractor();
  return Promise.all(
    chosen.map(async ({ text }) => {
      const dense = [...(await encoder.embed(text)), ...extractor.extract(text)];
      const buckets = taskBuckets(encoder.tokenIds(text));
      const probabilities = heads.map(({ weights, intercept }, h) => {
        const sum = dense.reduce((total, value, j) => total + weights[j]! * (value - centre[j]!), intercept);
        const pairs = buckets.reduce((total, bucket) => total + weights[centre.length + bucket]!, 0);
        return calibrated(sum + pairs / Math.sqrt(buckets.length), platt[h]!);
      });
      return { text, probabilities };
    }),
  );
}
