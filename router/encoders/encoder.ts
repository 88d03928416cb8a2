import { PlimsollError } from '../errors.ts';

/** What an artifact remembers of the encoder that it was trained with. Serving with another one is refused. */
export interface EncoderIdentity {
  /** `static`, `minilm`, or `transformers:<model>`. */
  readonly id: string;
  /** sha256 over the weights and the tokenizer file, hex. */
  readonly sha256: string;
  readonly pooling: 'mean' | 'cls';
  /** Length of an embedding. */
  readonly dimension: number;
  /** Word pieces that are kept of a long text (head and tail), or null if every piece counts. */
  readonly maxTokens: number | null;
}

/**
 * Text -> embedding. Every encoder passes test/encoders/encoder-contract.ts: same text, same vector (whatever
 * was embedded before it or at the same time), finite values, `identity.dimension` long, any string accepted.
 */
export interface Encoder {
  readonly identity: EncoderIdentity;
  embed(text: string): Promise<Float32Array>;
  /** Frees threads and sessions; the encoder cannot be used afterwards. Safe to call twice. */
  close(): Promise<void>;
}

/** The ONNX files of one model, by the name that transformers.js gives their number type. */
export const DTYPE_SUFFIX = {
  fp32: '',
  fp16: '_fp16',
  q8: '_quantized',
  int8: '_int8',
  uint8: '_uint8',
  q4: '_q4',
  q4f16: '_q4f16',
  bnb4: '_bnb4',
} as const;

export type Dtype = keyof typeof DTYPE_SUFFIX;
type Pooling = EncoderIdentity['pooling'];

export interface TransformersSpec {
  readonly id: 'transformers';
  /** A folder in Hugging Face layout, or `owner/name` on the hub. A folder is looked for first. */
  readonly model: string;
  /** May the model be downloaded? Without it nothing is asked of any network. */
  readonly allowHub?: boolean;
  readonly pooling?: Pooling;
  readonly dtype?: Dtype;
  readonly workers?: number;
  /** Where downloads are kept; `plimsoll` in the user's cache folder unless given. */
  readonly cacheFolder?: string;
  /** A mirror of the hub. */
  readonly hubUrl?: string;
}

/** Which encoder to open. `workers`: threads at most; one less than there are cores unless given. */
export type EncoderSpec =
  | { readonly id: 'static' }
  | { readonly id: 'minilm'; readonly workers?: number }
  | TransformersSpec;

/** What the place of use decides, whichever encoder it is. */
export interface EncoderOptions {
  readonly allowHub?: boolean;
  readonly workers?: number;
}

const CHOICES =
  'Choose static, minilm or transformers:<folder or hub name>, the last with #cls, #fp32 or both (#cls,fp32) where the model needs them.';

/**
 * Reads the name of an encoder, as a flag or a manifest gives it.
 * @example parseEncoderSpec('transformers:Xenova/bge-small-en-v1.5#cls', { allowHub: true })
 * @throws PlimsollError `invalid-input` for any other name; it lists the choices.
 */
export function parseEncoderSpec(text: string, options: EncoderOptions = {}): EncoderSpec {
  const { allowHub, workers } = options;
  const threads = workers === undefined ? {} : { workers };
  if (text === 'static') return { id: 'static' };
  if (text === 'minilm') return { id: 'minilm', ...threads };
  const named = /^transformers:([^#]+)(?:#([^#]+))?$/.exec(text);
  if (!named) throw new PlimsollError('invalid-input', `There is no encoder '${text}'. ${CHOICES}`);
  const variant = (named[2]?.split(',') ?? []).map(readVariant);
  return Object.assign(
    { id: 'transformers' as const, model: named[1]!, ...threads },
    allowHub === undefined ? {} : { allowHub },
    ...variant,
  );
}

function readVariant(word: string): { pooling: Pooling } | { dtype: Dtype } {
  if (word === 'mean' || word === 'cls') return { pooling: word };
  if (Object.hasOwn(DTYPE_SUFFIX, word)) return { dtype: word as Dtype };
  throw new PlimsollError('invalid-input', `An encoder has no variant '${word}'. ${CHOICES}`);
}

/** The name that parseEncoderSpec reads: what an identity carries. Says only what differs from the defaults. */
export function encoderName(spec: EncoderSpec): string {
  if (spec.id !== 'transformers') return spec.id;
  const variant = [spec.pooling === 'cls' && 'cls', spec.dtype !== 'q8' && spec.dtype].filter(Boolean);
  return `transformers:${spec.model}${variant.length > 0 ? `#${variant.join(',')}` : ''}`;
}

/**
 * One vector from a transformer's output: the mean over every token (special ones too) or the first token's, brought
 * to length 1, as sentence-transformers does for MiniLM, BGE, E5 and their kin (Reimers and Gurevych 2019).
 * @param hidden tokens x dimension values, row by row
 */
export function poolTokens(hidden: Float32Array, dimension: number, pooling: 'mean' | 'cls'): Float32Array {
  return toUnitLength(pooling === 'cls' ? hidden.slice(0, dimension) : meanRow(hidden, dimension));
}

function meanRow(rows: Float32Array, dimension: number): Float32Array {
  const sums = new Float64Array(dimension);
  for (let at = 0; at < rows.length; ) {
    for (let j = 0; j < dimension; j++) sums[j]! += rows[at++]!;
  }
  const count = rows.length / dimension;
  return Float32Array.from(sums, (total) => total / count);
}

/** In place. A vector of zeros stays what it is. */
function toUnitLength(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  if (length > 0) for (let j = 0; j < vector.length; j++) vector[j]! /= length;
  return vector;
}
