import { tokenIdsOf, type WordPieceTokenizer } from '../encoders/index.ts';
import type { ClassifierInput } from './classifier.ts';
import { type PlattScaling, readWeights } from './folded-heads.ts';
import {
  blendedLogit,
  createSimilarityInputs,
  type NamedSimilarity,
  type NearCases,
  nearestCases,
  pointOf,
  type SimilarityInputs,
} from './similarity.ts';
import { readSimilarity } from './similarity-tables.ts';
import type { FeatureExtractor } from './structural-features.ts';
import { pairBucket } from './word-pairs.ts';

/** What one word piece, all its occurrences together, adds to a candidate's calibrated logit. */
export interface PieceContribution {
  readonly piece: string;
  readonly count: number;
  readonly contribution: number;
}

/** What two neighbouring word pieces add. Pairs that hash to one bucket share its weight; the first of them is named. */
export interface PairContribution {
  readonly pair: string;
  readonly contribution: number;
}

export interface FeatureContribution {
  readonly feature: string;
  readonly value: number;
  readonly contribution: number;
}

/** What labelled cases add where they vote. */
export interface NeighbourContribution {
  /** Mean quality of the 100 nearest, 0..1. */
  readonly vote: number;
  /** By how much the mean of regression and vote is above the regression, in logits. */
  readonly contribution: number;
  /** False: nothing similar was labelled, the nearest case lies below `leastSimilarity`. Both left out if the artifact knows no such limit. */
  readonly similar?: boolean;
  readonly leastSimilarity?: number;
  /** Nearest first. */
  readonly nearest: readonly {
    /** Key of the question; of several cases that vote as one, the key of the nearest to their mean. */
    readonly key: string;
    /** How many cases these count as; a case may count in parts in several means. */
    readonly cases: number;
    /** Cosine, -1..1. */
    readonly similarity: number;
    /** The candidate's mean quality on them, 0..1. */
    readonly quality: number;
  }[];
}

/**
 * The sum that made a candidate's score: logit = intercept + every contribution, and probability = sigmoid(logit).
 * The intercept is the logit of the average training text; contributions say how this text departs from it.
 */
export interface CandidateExplanation {
  readonly logit: number;
  readonly intercept: number;
  readonly features: readonly FeatureContribution[];
  /** By size, largest first. Empty for an encoder that mixes its pieces; then `embedding` is set. */
  readonly wordPieces: readonly PieceContribution[];
  readonly wordPairs: readonly PairContribution[];
  /** The contribution of the embedding as a whole. */
  readonly embedding?: number;
  /** Left out if no cases vote. */
  readonly neighbours?: NeighbourContribution;
}

/** One explanation a rung, cheapest first. */
export type Explainer = (text: string) => Promise<readonly CandidateExplanation[]>;

/** Reads the weights out of a classifier.onnx; costs about as much as loading it, so it is made on first use. */
export function createExplainer(
  bytes: Uint8Array,
  input: ClassifierInput,
  extractor: FeatureExtractor,
): Explainer {
  const weights = readWeights(bytes);
  const heads = weights('intercept').length;
  const [slope, offset, intercept] = [weights('platt_slope'), weights('platt_offset'), weights('intercept')];
  const [means, featureWeights] = [weights('feature_means'), weights('feature_weights')];
  const similarity = readSimilarity(bytes);
  const { leastSimilarity } = input;
  const others = otherInputs(input, extractor, similarity);
  const names = featureNames(extractor, means.length);
  const meaning =
    input.kind === 'lexicon'
      ? byPiece(input.tokenizer, weights('lexicon'), weights('pair_lexicon'))
      : asAWhole(input, weights);

  return async (text) => {
    const { features: values, vote, similarity: highest = 1, nearest } = await others(text);
    const meanings = await meaning(text, heads);
    return meanings.map(({ pieces, pairs, embedding }, h) => {
      const features = names.map((feature, i) => ({
        feature,
        value: values[i]!,
        contribution: slope[h]! * (values[i]! - means[i]!) * featureWeights[i * heads + h]!,
      }));
      const wordPieces = bySize(pieces, slope[h]!);
      const wordPairs = bySize(pairs, slope[h]!);
      const base = slope[h]! * intercept[h]! + offset[h]!;
      const whole = embedding === undefined ? {} : { embedding: slope[h]! * embedding };
      const own = base + total(features) + total(wordPieces) + total(wordPairs) + (whole.embedding ?? 0);
      const neighbours =
        vote && neighbourPart(h, own, { slope: slope[h]!, offset: offset[h]! }, vote, nearest);
      return {
        logit: own + (neighbours?.contribution ?? 0),
        intercept: base,
        features,
        wordPieces,
        wordPairs,
        ...whole,
        ...(neighbours && {
          neighbours: {
            ...neighbours,
            ...(leastSimilarity !== undefined && { similar: highest >= leastSimilarity, leastSimilarity }),
          },
        }),
      };
    });
  };
}

/** How many of the nearest are named. */
const NAMED = 5;

interface OtherInputs extends SimilarityInputs {
  readonly nearest: readonly NearCases[];
}

function otherInputs(
  input: ClassifierInput,
  extractor: FeatureExtractor,
  similarity: NamedSimilarity | undefined,
): (text: string) => Promise<OtherInputs> {
  const inputsOf = similarity && createSimilarityInputs(similarity);
  return async (text) => {
    const features = extractor.extract(text);
    if (similarity === undefined || inputsOf === undefined || input.encoder === undefined)
      return { features, nearest: [] };
    const { space, references } = similarity;
    const embedding = await input.encoder.embed(text);
    const nearest = references ? nearestCases(references, pointOf(space, embedding, features), NAMED) : [];
    return { ...inputsOf(embedding, features), nearest };
  };
}

/** Memberships come before the structural features. */
function featureNames({ names }: FeatureExtractor, columns: number): string[] {
  const clusters = Array.from({ length: columns - names.length }, (_, i) => `cluster_${i + 1}`);
  return [...clusters, ...names];
}

/** @param own the calibrated logit of the regression alone */
function neighbourPart(
  head: number,
  own: number,
  { slope, offset }: PlattScaling,
  votes: Float32Array,
  nearest: readonly NearCases[],
): NeighbourContribution {
  const vote = votes[head]!;
  return {
    vote,
    contribution: slope * blendedLogit((own - offset) / slope, vote) + offset - own,
    nearest: nearest.map(({ key, count, similarity, quality }) => ({
      key,
      cases: count,
      similarity,
      quality: quality[head]!,
    })),
  };
}

/** What the text's meaning adds to one head, before Platt scaling. */
interface Meaning {
  readonly pieces: readonly PieceContribution[];
  readonly pairs: readonly PairContribution[];
  readonly embedding?: number;
}

type MeaningOf = (text: string, heads: number) => Promise<readonly Meaning[]>;

function byPiece(tokenizer: WordPieceTokenizer, lexicon: Float32Array, pairLexicon: Float32Array): MeaningOf {
  return async (text, heads) => {
    const ids = tokenIdsOf(tokenizer, text);
    const counts = new Map<number, number>();
    for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
    const pairs = namedPairs(ids, tokenizer);
    return Array.from({ length: heads }, (_, h) => ({
      pairs: Array.from(pairs, ([bucket, pair]) => ({
        pair,
        contribution: pairLexicon[bucket * heads + h]! / Math.sqrt(pairs.size),
      })),
      pieces: Array.from(counts, ([id, count]) => ({
        piece: tokenizer.piece(id),
        count,
        contribution: (count * lexicon[id * heads + h]!) / ids.length,
      })),
    }));
  };
}

/** Bucket -> the first pair in it. Empty if the text has a single piece. */
function namedPairs(ids: Int32Array, tokenizer: WordPieceTokenizer): Map<number, string> {
  const named = new Map<number, string>();
  for (let i = 1; i < ids.length; i++) {
    const bucket = pairBucket(ids[i - 1]!, ids[i]!);
    if (!named.has(bucket)) named.set(bucket, `${tokenizer.piece(ids[i - 1]!)} ${tokenizer.piece(ids[i]!)}`);
  }
  return named;
}

function asAWhole(
  { encoder }: Extract<ClassifierInput, { kind: 'linear' }>,
  weights: (name: string) => Float32Array,
): MeaningOf {
  const means = weights('embedding_means');
  const columns = weights('embedding_weights');
  return async (text, heads) => {
    const vector = await encoder.embed(text);
    return Array.from({ length: heads }, (_, h) => ({
      pieces: [],
      pairs: [],
      embedding: vector.reduce((sum, x, j) => sum + (x - means[j]!) * columns[j * heads + h]!, 0),
    }));
  };
}

/** After Platt scaling, the largest first. */
function bySize<T extends { readonly contribution: number }>(parts: readonly T[], slope: number): T[] {
  return parts
    .map((part) => ({ ...part, contribution: slope * part.contribution }))
    .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
}

function total(parts: readonly { readonly contribution: number }[]): number {
  return parts.reduce((sum, part) => sum + part.contribution, 0);
}
