import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ArtifactDraft, writeArtifact } from '../../router/artifact/index.ts';
import {
  type ClassifierInput,
  createOnnxClassifier,
  featureExtractor,
} from '../../router/classifier/index.ts';
import {
  createMinilmEncoder,
  createStaticEncoder,
  type Encoder,
  isStaticEncoder,
  staticTokenizer,
  type WordPieceTokenizer,
} from '../../router/encoders/index.ts';
import {
  designMatrix,
  exportLexicon,
  exportLinear,
  type Learner,
  type TrainedLearner,
  trainLearner,
} from '../../router/train/index.ts';

const LAMBDA = 300;
const FOLDS = 2;
const ROWS = 100;
const SHIPPED = 'models/starter';
const PROMPTS_FILE = new URL('../../training-data/everyday-english.jsonl', import.meta.url);

/** Length of every text, in word pieces; the targets are for this length. */
const PIECES = 64;

interface CaseLine {
  readonly prompt: string | { readonly messages: readonly { readonly content: string }[] };
}

/** The requested artifact, the shipped one, or one made for this run: times do not depend on its weights. */
export async function staticArtifact(
  requested: string | undefined,
  texts: readonly string[],
): Promise<string> {
  if (requested !== undefined) return requested;
  return existsSync(path.join(SHIPPED, 'manifest.json'))
    ? SHIPPED
    : makeArtifact(createStaticEncoder(), texts.slice(0, ROWS));
}

/** An artifact whose encoder is MiniLM, made for this run. */
export async function minilmArtifact(texts: readonly string[]): Promise<string> {
  return makeArtifact(await createMinilmEncoder(), texts.slice(0, ROWS));
}

/** An artifact in which this many labelled cases vote, made for this run of the same texts in twos. */
export async function neighbourArtifact(texts: readonly string[], cases: number): Promise<string> {
  const { length } = texts;
  const joined = Array.from({ length: cases }, (_, i) => {
    const second = Math.floor(i / length) * 7 + i;
    return `${texts[i % length]} ${texts[second % length]}`;
  });
  return makeArtifact(createStaticEncoder(), joined, 'lr+clusters+knn');
}

/** Different texts of exactly 64 word pieces, cut from everyday prompts. */
export function benchTexts(): readonly string[] {
  const tokenizer = staticTokenizer();
  const lines = readFileSync(PROMPTS_FILE, 'utf8').trimEnd().split('\n');
  const prompts = lines.flatMap((line) => {
    const { prompt } = JSON.parse(line) as CaseLine;
    return typeof prompt === 'string' ? [prompt] : [];
  });
  return [...new Set(prompts.flatMap((prompt) => [...pieceRuns(prompt, tokenizer)]))];
}

async function makeArtifact(
  encoder: Encoder,
  texts: readonly string[],
  learner: Learner = 'lr',
): Promise<string> {
  const home = mkdtempSync(path.join(tmpdir(), 'plimsoll-bench-'));
  process.once('exit', () => rmSync(home, { recursive: true, force: true }));
  const folder = path.join(home, encoder.identity.id);
  writeArtifact(folder, await makeDraft(encoder, texts, learner));
  return folder;
}

async function makeDraft(
  encoder: Encoder,
  texts: readonly string[],
  learner: Learner,
): Promise<ArtifactDraft> {
  const extractor = featureExtractor();
  const matrix = await designMatrix(texts, encoder, extractor);
  const labels = [2, 3].map((every) => Float64Array.from(texts, (_, i) => Number(i % every > 0)));
  const folds = Int32Array.from(texts, (_, i) => Math.floor(i / 6) % FOLDS);
  const trained = trainLearner({ matrix, labels, folds }, learner, [LAMBDA]);
  const classifier = exportClassifier(trained, encoder);
  const input: ClassifierInput = isStaticEncoder(encoder)
    ? { kind: 'lexicon', tokenizer: encoder.tokenizer, encoder }
    : { kind: 'linear', encoder };
  const session = await createOnnxClassifier(classifier, input, extractor);
  const [text = ''] = texts;
  const golden = [{ text, probabilities: [...(await session.score(text))] }];
  await session.close(); // closes the encoder too
  const part = { n: texts.length, sha256: '0'.repeat(64) };
  return {
    classifier,
    golden,
    seenQuestions: new Uint8Array(),
    modelCard: '# bench\n\nMade for a measurement; its labels mean nothing.\n',
    manifest: {
      schema_version: 1,
      name: 'bench',
      created: new Date().toISOString(),
      encoder: encoder.identity,
      features: [...extractor.names],
      ladder: [
        { candidate: 'cheap', model: 'bench-cheap' },
        { candidate: 'strong', model: 'bench-strong' },
      ],
      classifier: {
        kind: input.kind,
        ...(trained.learner !== 'lr' && { learner: trained.learner }),
        lambda: LAMBDA,
        platt: trained.platt.map((p) => ({ ...p })),
      },
      policy: { name: 'default', version: 1, threshold: 0, chosen_by: { rule: 'fixed-threshold' } },
      data: { quality_field: 'quality', files: [], rejected: 0, excluded: 0 },
      split: { seed: 1, train: part, calibration: { ...part, n: 0 }, test: { ...part, n: 0 } },
      tools: { node: process.version },
    },
  };
}

function exportClassifier(trained: TrainedLearner, encoder: Encoder): Uint8Array {
  if (isStaticEncoder(encoder)) return exportLexicon(trained, encoder);
  return exportLinear(trained, encoder.identity.dimension);
}

function* pieceRuns(prompt: string, tokenizer: WordPieceTokenizer): Generator<string> {
  let words: string[] = [];
  for (const word of prompt.split(/(?<=\s)/)) {
    words.push(word);
    const text = words.join('').trim();
    const length = tokenizer.encode(text).length;
    if (length < PIECES) continue;
    if (length === PIECES) yield text;
    words = [];
  }
}
