import { createHash } from 'node:crypto';
import { PlimsollError } from '../errors.ts';
import { decodeModel, floatValues, type OnnxTensor } from '../onnx/index.ts';
import type { Encoder } from './encoder.ts';
import { MINILM_WEIGHTS, readMinilmFile } from './weights.ts';
import { createWordPieceTokenizer, normalise, type WordPieceTokenizer } from './word-piece.ts';

/** The static encoder: no transformer pass, so that the head can be folded into one number a word piece. */
export interface StaticEncoder extends Encoder {
  readonly tokenizer: WordPieceTokenizer;
  /** Ids of the text's word pieces; one [UNK] for a text without any, so that a mean always exists. */
  tokenIds(text: string): Int32Array;
  /** The embedding of a text with these ids, at least one. */
  meanOf(ids: Int32Array): Float32Array;
  /** vectors[id] . direction for every word piece: what folding needs. */
  project(direction: Float64Array): Float64Array;
}

export function isStaticEncoder(encoder: Encoder): encoder is StaticEncoder {
  return encoder.identity.id === STATIC_IDENTITY.id;
}

export const STATIC_IDENTITY = {
  id: 'static',
  sha256: createHash('sha256')
    .update(`${MINILM_WEIGHTS.model.sha256}${MINILM_WEIGHTS.tokenizer.sha256}`)
    .digest('hex'),
  pooling: 'mean',
  dimension: 384,
  maxTokens: null,
} as const;

let shared: WordPieceTokenizer | undefined;

/** The tokenizer alone: all that serving a folded classifier needs. One for the process: its words are learned once, also across reloads. */
export function staticTokenizer(): WordPieceTokenizer {
  shared ??= createWordPieceTokenizer(readMinilmFile('tokenizer'));
  return shared;
}

/** Never empty: a text without word pieces counts as one unknown piece. */
export function tokenIdsOf(tokenizer: WordPieceTokenizer, text: string): Int32Array {
  const ids = tokenizer.encode(text);
  return ids.length > 0 ? ids : Int32Array.of(tokenizer.unknownId);
}

/** The first character beyond Latin, in which the vocabulary covers words or at least letters. */
const BEYOND_LATIN = 0x250;
const HAS_BEYOND_LATIN = /[\u0250-\uffff]/;
/** If a larger share of a text is unknown, its score says next to nothing. */
const MOST_UNKNOWN = 0.5;

/**
 * Whether the vocabulary knows at least half of the text's pieces, and the scripts of at least half of its characters: it has nothing for
 * Thai or Amharic, and little for Chinese. Pieces alone do not show it, because a sentence in a script without spaces is one unknown
 * piece. Latin characters of unknown words, such as long hashes, count as known.
 */
export function isReadable(tokenizer: WordPieceTokenizer, text: string): boolean {
  if (!HAS_BEYOND_LATIN.test(text)) return true; // most texts: no need to tokenise them twice
  const characters = normalise(text).replaceAll(' ', '');
  let unknownCharacters = countBeyondLatin(characters);
  let unknownPieces = 0;
  const ids = tokenIdsOf(tokenizer, text);
  for (const id of ids) {
    if (id === tokenizer.unknownId) unknownPieces++;
    else unknownCharacters -= countBeyondLatin(tokenizer.piece(id));
  }
  return unknownPieces <= MOST_UNKNOWN * ids.length && unknownCharacters <= MOST_UNKNOWN * characters.length;
}

/** In UTF-16 units. */
function countBeyondLatin(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= BEYOND_LATIN) count++;
  return count;
}

/**
 * The mean of the word-piece rows of MiniLM's own embedding table (Wang et al. 2020), dequantised. No length
 * normalisation follows: it would stand between two linear maps, and the head could not be folded.
 */
export function createStaticEncoder(): StaticEncoder {
  const tokenizer = staticTokenizer();
  const { quantised, scale, zeroPoint } = wordEmbeddings(readMinilmFile('model'));
  const dimension = STATIC_IDENTITY.dimension;
  const tokenIds = (text: string): Int32Array => tokenIdsOf(tokenizer, text);

  /** Sums of whole numbers, four rows at a time: exact in any order. */
  function meanOf(ids: Int32Array): Float32Array {
    const sums = new Float64Array(dimension);
    let i = 0;
    for (; i + 3 < ids.length; i += 4) {
      const a = ids[i]! * dimension;
      const b = ids[i + 1]! * dimension;
      const c = ids[i + 2]! * dimension;
      const d = ids[i + 3]! * dimension;
      for (let j = 0; j < dimension; j++) {
        sums[j]! += quantised[a + j]! + quantised[b + j]! + quantised[c + j]! + quantised[d + j]!;
      }
    }
    for (; i < ids.length; i++) {
      for (let j = 0, at = ids[i]! * dimension; j < dimension; j++, at++) sums[j]! += quantised[at]!;
    }
    return Float32Array.from(sums, (total) => (total / ids.length - zeroPoint) * scale);
  }

  function project(direction: Float64Array): Float64Array {
    const out = new Float64Array(tokenizer.vocabularySize);
    for (let id = 0; id < out.length; id++) {
      let total = 0;
      for (let j = 0, at = id * dimension; j < dimension; j++, at++) {
        total += (quantised[at]! - zeroPoint) * direction[j]!;
      }
      out[id] = total * scale;
    }
    return out;
  }

  return {
    identity: STATIC_IDENTITY,
    tokenizer,
    tokenIds,
    project,
    meanOf,
    embed: async (text) => meanOf(tokenIds(text)),
    close: async () => {},
  };
}

interface QuantisedTable {
  readonly quantised: Uint8Array;
  readonly scale: number;
  readonly zeroPoint: number;
}

function wordEmbeddings(bytes: Uint8Array): QuantisedTable {
  const { initializer } = decodeModel(bytes).graph;
  const named = (suffix: string): OnnxTensor => {
    const tensor = initializer.find((t) => t.name === `embeddings.word_embeddings.weight_${suffix}`);
    if (!tensor)
      throw new PlimsollError('weights-missing', `The MiniLM file has no word-embedding ${suffix}.`);
    return tensor;
  };
  return {
    quantised: named('quantized').rawData!,
    scale: floatValues(named('scale'))[0]!,
    zeroPoint: named('zero_point').int32Data?.[0] ?? named('zero_point').rawData![0]!,
  };
}

const HEAD_SHARE = 3 / 4; // a request mostly says what it wants at the start, and often repeats it at the end

/**
 * The first three quarters and the last quarter of `limit` ids, in order; the ids as they are if they fit.
 * @example keepHeadAndTail(Int32Array.of(1, 2, 3, 4, 5, 6), 4) // 1, 2, 3, 6
 */
export function keepHeadAndTail(ids: Int32Array, limit: number): Int32Array {
  if (ids.length <= limit) return ids;
  const head = Math.ceil(limit * HEAD_SHARE);
  const kept = new Int32Array(limit);
  kept.set(ids.subarray(0, head));
  kept.set(ids.subarray(ids.length - (limit - head)), head);
  return kept;
}
