import { featureExtractor } from '../../router/classifier/index.ts';
import { type Encoder, openEncoder, parseEncoderSpec } from '../../router/encoders/index.ts';
import { designMatrix, type Matrix } from '../../router/train/index.ts';
import type { Case } from '../cases/index.ts';
import type { OnProgress } from './progress.ts';

export interface EncoderChoice {
  /** `static` (the default), `minilm` or `transformers:<folder or hub name>`. */
  readonly encoder?: string;
  /** Lets a transformers encoder fetch its model from the hub. Default false. */
  readonly allowHub?: boolean;
}

/** Opens the encoder for this work. @throws PlimsollError `weights-missing`, or `invalid-input` if there is no such encoder */
export async function withEncoder<T>(
  { encoder: id = 'static', allowHub = false }: EncoderChoice,
  work: (encoder: Encoder) => Promise<T>,
): Promise<T> {
  const encoder = await openEncoder(parseEncoderSpec(id, { allowHub }));
  try {
    return await work(encoder);
  } finally {
    await encoder.close();
  }
}

/** The design matrix of the cases, and the names of its structural features. */
export async function embed(
  cases: readonly Case[],
  encoder: Encoder,
  onProgress: OnProgress = () => {},
): Promise<{ readonly matrix: Matrix; readonly features: readonly string[] }> {
  const step = 'embedding';
  onProgress({ step });
  const extractor = featureExtractor();
  const texts = cases.map(({ text }) => text);
  const matrix = await designMatrix(texts, encoder, extractor, (done) =>
    onProgress({ step, done, total: cases.length }),
  );
  onProgress({ step, summary: `${cases.length} texts with ${encoder.identity.id}` });
  return { matrix, features: extractor.names };
}
