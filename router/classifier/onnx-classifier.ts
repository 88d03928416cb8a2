import type { Encoder } from '../encoders/encoder.ts';
import { tokenIdsOf } from '../encoders/static.ts';
import type { WordPieceTokenizer } from '../encoders/word-piece.ts';
import { PlimsollError } from '../errors.ts';
import type { FeatureExtractor } from '../features/feature-vector.ts';
import { pairBuckets } from '../features/word-pairs.ts';
import { openSession, type Tensor, tensor } from '../onnx/session.ts';

/** Text -> for each candidate the calibrated probability that its answer is good. */
export interface Classifier {
  /** In the order of the ladder; each in 0..1. Rejects where the encoder or the runtime fails, or gives no number. */
  score(text: string): Promise<Float32Array>;
  /** The heads' logits before Platt scaling: what recalibrating starts from. */
  logits(text: string): Promise<Float32Array>;
  close(): Promise<void>;
}

/** How a text becomes the graph's inputs beside the features. */
export type ClassifierInput =
  | { readonly kind: 'lexicon'; readonly tokenizer: WordPieceTokenizer }
  | { readonly kind: 'linear'; readonly encoder: Encoder };

/**
 * Runs a classifier.onnx. One session with one thread: a run takes microseconds and is done inline.
 * @throws PlimsollError `invalid-artifact` where the bytes are no model that onnxruntime can load.
 */
export async function createOnnxClassifier(
  bytes: Uint8Array,
  input: ClassifierInput,
  extractor: FeatureExtractor,
): Promise<Classifier> {
  const session = await openSession(bytes);
  const firstInput = inputOf(input);
  async function run(text: string, output: 'probabilities' | 'logits'): Promise<Float32Array> {
    const features = extractor.extract(text);
    const feeds = { ...(await firstInput(text)), features: tensor('float32', features, [features.length]) };
    return (await session.run(feeds, [output]))[output]!.data as Float32Array;
  }
  return {
    score: async (text) => checked(await run(text, 'probabilities')),
    logits: (text) => run(text, 'logits'),
    async close() {
      await session.release();
      if (input.kind === 'linear') await input.encoder.close();
    },
  };
}

type FirstInput = (text: string) => Promise<Record<string, Tensor>> | Record<string, Tensor>;

function inputOf(input: ClassifierInput): FirstInput {
  if (input.kind === 'lexicon') {
    return (text) => {
      const ids = tokenIdsOf(input.tokenizer, text);
      const pairs = pairBuckets(ids);
      return {
        token_ids: tensor('int32', ids, [ids.length]),
        pair_ids: tensor('int32', pairs, [pairs.length]),
      };
    };
  }
  return async (text) => {
    const embedding = await input.encoder.embed(text);
    return { embedding: tensor('float32', embedding, [embedding.length]) };
  };
}

function checked(probabilities: Float32Array): Float32Array {
  for (const p of probabilities) {
    if (!(p >= 0 && p <= 1))
      throw new PlimsollError('internal', 'The classifier gave a score that is no probability.');
  }
  return probabilities;
}
