/** Text -> embedding. Weights are found and verified here; encoders with a transformer pass run in threads. */
export { type Encoder, type EncoderOptions, parseEncoderSpec } from './encoder.ts';
export { createMinilmEncoder, openEncoder, openEncoderFor } from './open-encoder.ts';
export {
  createStaticEncoder,
  isReadable,
  isStaticEncoder,
  keepHeadAndTail,
  STATIC_IDENTITY,
  type StaticEncoder,
  staticTokenizer,
  tokenIdsOf,
} from './static.ts';
export { importTransformers } from './transformers-session.ts';
export { MINILM_WEIGHTS, minilmFolder, readMinilmFile } from './weights.ts';
export type { WordPieceTokenizer } from './word-piece.ts';
