import type { GoldenCase, Manifest } from '../artifact/index.ts';
import {
  createStaticEncoder,
  type Encoder,
  type EncoderOptions,
  isReadable,
  openEncoderFor,
  type StaticEncoder,
  staticTokenizer,
  tokenIdsOf,
  type WordPieceTokenizer,
} from '../encoders/index.ts';
import { PlimsollError } from '../errors.ts';
import { openSession, type Session, tensor } from '../onnx/index.ts';
import { type FoldedHeads, foldedHeads } from './folded-heads.ts';
import { createSimilarityInputs, type Similarity, type SimilarityInputs } from './similarity.ts';
import { readSimilarity } from './similarity-tables.ts';
import type { FeatureExtractor } from './structural-features.ts';
import { pairBuckets } from './word-pairs.ts';

/**
 * Why a text is not scored: the vocabulary has no pieces for most of it, so that its score would be that of no text at all; or the artifact
 * abstains where nothing similar was labelled.
 */
export type Unscored = 'unreadable' | 'nothing-similar';

/** Text -> each candidate's calibrated probability of a good reply. */
export interface Classifier {
  /** What a decision is made from: the scores, or why there are none. Rejects as `score`. */
  scoreForDecision(text: string): Promise<Float32Array | Unscored>;
  /** In the order of the ladder; each in 0..1. Of any text. Rejects if the encoder or the runtime fails, or gives no number. */
  score(text: string): Promise<Float32Array>;
  /** The heads' logits before Platt scaling: what recalibrating starts from. */
  logits(text: string): Promise<Float32Array>;
  /** From then on `score` and `logits` reject. */
  close(): Promise<void>;
}

/** How a text becomes the graph's inputs, apart from the features, and which texts are scored. */
export type ClassifierInput = (
  | {
      readonly kind: 'lexicon';
      readonly tokenizer: WordPieceTokenizer;
      /** Where texts that are alike count: the tables of the graph do without it. */
      readonly encoder?: StaticEncoder;
    }
  /** The tokenizer, if the encoder's vocabulary is known here. */
  | { readonly kind: 'linear'; readonly encoder: Encoder; readonly tokenizer?: WordPieceTokenizer }
) & {
  /** Below this similarity of the nearest labelled case nothing similar was labelled. */
  readonly leastSimilarity?: number;
  /** Such texts are not scored. Default false. */
  readonly abstains?: boolean;
};

/**
 * A classifier.onnx. That of a static encoder is a sum of a few numbers from its own tables and is added up here: onnxruntime takes tens of
 * microseconds for it when all is in the processor's caches, and hundreds when it is not (docs/decisions/0018). onnxruntime still has a say: it
 * must come to the same for a probe, else the graph is not the one that the tables belong to. Others run in a session of one thread.
 * @throws PlimsollError `invalid-artifact` if the bytes are no model that onnxruntime can load, or the graph is another.
 */
export async function createOnnxClassifier(
  bytes: Uint8Array,
  input: ClassifierInput,
  extractor: FeatureExtractor,
): Promise<Classifier> {
  const session = await openSession(bytes);
  const similarity = readSimilarity(bytes);
  if (input.abstains && similarity?.references === undefined) await refuseAbstaining(session);
  if (input.kind === 'linear') return inSession(session, input, extractor, similarity);
  try {
    const heads = foldedHeads(bytes, similarity?.references !== undefined);
    await assertSameGraph(session, heads);
    return addedUp(heads, input, inputsOfIds(input, extractor, similarity));
  } finally {
    await session.release();
  }
}

/** What a folded classifier of another kind reads of a text: ids of word pieces, and the buckets of its pair table. At least one of each. */
export type TextPieces = (text: string) => { readonly ids: Int32Array; readonly pairs: Int32Array };

/**
 * The classifier.onnx of a static encoder without neighbours or clusters, as a function that waits for nothing: text -> each head's calibrated
 * probability. Checked by onnxruntime once, as above.
 * @throws PlimsollError `invalid-artifact` as above
 */
export async function openFoldedClassifier(
  bytes: Uint8Array,
  piecesOf: TextPieces,
  extractor: FeatureExtractor,
): Promise<(text: string) => Float32Array> {
  const session = await openSession(bytes);
  try {
    const heads = foldedHeads(bytes, false);
    await assertSameGraph(session, heads);
    return (text) => {
      const { ids, pairs } = piecesOf(text);
      return checked(heads.probabilities(heads.logits({ ids, pairs, features: extractor.extract(text) })));
    };
  } finally {
    await session.release();
  }
}

async function refuseAbstaining(session: Session): Promise<never> {
  await session.release();
  throw new PlimsollError(
    'invalid-artifact',
    'manifest.json says that the artifact abstains where nothing similar was labelled, and classifier.onnx keeps no labelled cases to compare with.',
  );
}

/** Whether the artifact abstains from a text with these inputs. */
function abstainsFrom(
  { abstains = false, leastSimilarity = -1 }: ClassifierInput,
  { similarity = 1 }: SimilarityInputs,
): boolean {
  return abstains && similarity < leastSimilarity;
}

/** What a text is besides its word pieces. */
type OtherInputs = (text: string, ids: Int32Array) => SimilarityInputs;

/** @throws PlimsollError `invalid-artifact` if texts that are alike count, and the manifest does not say so */
function inputsOfIds(
  { encoder }: Extract<ClassifierInput, { kind: 'lexicon' }>,
  extractor: FeatureExtractor,
  similarity: Similarity | undefined,
): OtherInputs {
  if (similarity === undefined) return (text) => ({ features: extractor.extract(text) });
  if (encoder === undefined) {
    throw new PlimsollError(
      'invalid-artifact',
      'classifier.onnx has tables of neighbours or clusters, and manifest.json names no learner that has them.',
    );
  }
  const inputsOf = createSimilarityInputs(similarity);
  return (text, ids) => inputsOf(encoder.meanOf(ids), extractor.extract(text));
}

function addedUp(
  heads: FoldedHeads,
  input: Extract<ClassifierInput, { kind: 'lexicon' }>,
  inputsOf: OtherInputs,
): Classifier {
  const { tokenizer } = input;
  let closed = false;
  const inputs = (text: string) => {
    if (closed) throw new PlimsollError('internal', 'The classifier is closed.');
    const ids = tokenIdsOf(tokenizer, text);
    return { ids, pairs: pairBuckets(ids), ...inputsOf(text, ids) };
  };
  const scoreOf = (all: ReturnType<typeof inputs>) => checked(heads.probabilities(heads.logits(all)));
  return {
    async scoreForDecision(text) {
      if (!isReadable(tokenizer, text)) return 'unreadable';
      const all = inputs(text);
      return abstainsFrom(input, all) ? 'nothing-similar' : scoreOf(all);
    },
    score: async (text) => scoreOf(inputs(text)),
    logits: async (text) => heads.logits(inputs(text)),
    async close() {
      closed = true;
    },
  };
}

const AGREEMENT = 1e-3;

async function assertSameGraph(session: Session, heads: FoldedHeads): Promise<void> {
  const { ids, pairs } = heads.probe;
  const feeds = {
    token_ids: tensor('int32', ids, [ids.length]),
    pair_ids: tensor('int32', pairs, [pairs.length]),
    ...otherFeeds(heads.probe),
  };
  const logits = heads.logits(heads.probe);
  const probabilities = heads.probabilities(logits);
  const outputs = await session.run(feeds, ['probabilities', 'logits']);
  const same = (name: string, own: Float32Array) =>
    own.every((value, i) => Math.abs(value - (outputs[name]!.data as Float32Array)[i]!) <= AGREEMENT);
  if (same('probabilities', probabilities) && same('logits', logits)) return;
  throw new PlimsollError(
    'invalid-artifact',
    'The graph of classifier.onnx does not compute what its tables say: it was not made by Plimsoll.',
  );
}

function otherFeeds({ features, vote }: SimilarityInputs) {
  return {
    features: tensor('float32', features, [features.length]),
    ...(vote && { vote: tensor('float32', vote, [vote.length]) }),
  };
}

function inSession(
  session: Session,
  input: Extract<ClassifierInput, { kind: 'linear' }>,
  extractor: FeatureExtractor,
  similarity: Similarity | undefined,
): Classifier {
  const { encoder, tokenizer } = input;
  const inputsOf = similarity && createSimilarityInputs(similarity);
  async function inputs(text: string): Promise<SimilarityInputs & { readonly embedding: Float32Array }> {
    const features = extractor.extract(text);
    const embedding = await encoder.embed(text);
    return { embedding, ...(inputsOf ? inputsOf(embedding, features) : { features }) };
  }
  async function run(
    { embedding, ...others }: Awaited<ReturnType<typeof inputs>>,
    output: 'probabilities' | 'logits',
  ): Promise<Float32Array> {
    const feeds = { embedding: tensor('float32', embedding, [embedding.length]), ...otherFeeds(others) };
    return (await session.run(feeds, [output]))[output]!.data as Float32Array;
  }
  return {
    async scoreForDecision(text) {
      if (tokenizer !== undefined && !isReadable(tokenizer, text)) return 'unreadable';
      const all = await inputs(text);
      return abstainsFrom(input, all) ? 'nothing-similar' : checked(await run(all, 'probabilities'));
    },
    score: async (text) => checked(await run(await inputs(text), 'probabilities')),
    logits: async (text) => run(await inputs(text), 'logits'),
    async close() {
      await session.release();
      await encoder.close();
    },
  };
}

function checked(probabilities: Float32Array): Float32Array {
  for (const p of probabilities) {
    if (!(p >= 0 && p <= 1))
      throw new PlimsollError('internal', 'The classifier gave a score that is no probability.');
  }
  return probabilities;
}

/**
 * What an artifact's classifier reads. A folded one needs the tokenizer alone, unless texts that are alike count: the
 * encoders' code is loaded only if one is used.
 * @throws PlimsollError `weights-missing` if the weights are not here, or are not those of the training.
 */
export async function classifierInput(
  { classifier, encoder }: Pick<Manifest, 'classifier' | 'encoder'>,
  options: EncoderOptions = {},
): Promise<ClassifierInput> {
  const { learner, similarity_limit: limit, abstain } = classifier;
  const similar = { ...(limit && { leastSimilarity: limit.similarity, abstains: abstain === 'escalate' }) };
  if (classifier.kind === 'lexicon') {
    const tokenizer = staticTokenizer();
    return learner === undefined
      ? { kind: 'lexicon', tokenizer }
      : { kind: 'lexicon', tokenizer, encoder: createStaticEncoder(), ...similar };
  }
  const opened = await openEncoderFor(encoder, options);
  if (opened.identity.id !== 'minilm') return { kind: 'linear', encoder: opened, ...similar };
  return { kind: 'linear', encoder: opened, tokenizer: staticTokenizer(), ...similar }; // minilm has the same vocabulary
}

const TOLERANCE = 1e-3;

/** Whether a text still has the probabilities that it had when the artifact was made. */
export async function goldenHolds(classifier: Classifier, golden: GoldenCase): Promise<boolean> {
  const probabilities = await classifier.score(golden.text);
  return golden.probabilities.every((p, rung) => Math.abs(p - probabilities[rung]!) <= TOLERANCE);
}

interface ClassifierFailures {
  readonly count: number;
  readonly last: { readonly at: string; readonly message: string } | null;
}

/** A classifier whose failures are counted, not thrown: a request is routed all the same. */
interface WatchedClassifier {
  /** The probabilities, or why there are none. */
  score(text: string): Promise<Float32Array | Unscored | 'classifier-failed'>;
  failures(): ClassifierFailures;
}

export function watchedClassifier(classifier: Classifier): WatchedClassifier {
  let count = 0;
  let last: ClassifierFailures['last'] = null;
  return {
    async score(text) {
      try {
        return await classifier.scoreForDecision(text);
      } catch (error) {
        count++;
        last = { at: new Date().toISOString(), message: failureMessage(error) };
        return 'classifier-failed';
      }
    },
    failures: () => ({ count, last }),
  };
}

/** The message of our own errors; only the name of others, whose messages may quote their input. */
function failureMessage(error: unknown): string {
  if (error instanceof PlimsollError) return error.message;
  return error instanceof Error ? error.name : 'unknown error';
}
