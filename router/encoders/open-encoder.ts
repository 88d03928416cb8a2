import { PlimsollError } from '../errors.ts';
import {
  type Encoder,
  type EncoderIdentity,
  type EncoderOptions,
  type EncoderSpec,
  parseEncoderSpec,
  type TransformersSpec,
} from './encoder.ts';
import { openEncoderPool } from './encoder-pool.ts';
import { startEncoderThread } from './encoder-thread.ts';
import { createStaticEncoder } from './static.ts';

/** Opens an encoder, its weights found and verified. Nothing is downloaded unless the spec allows the hub. */
export async function openEncoder(spec: EncoderSpec): Promise<Encoder> {
  switch (spec.id) {
    case 'static':
      return createStaticEncoder();
    case 'minilm':
      return createMinilmEncoder(spec);
    case 'transformers':
      return createTransformersEncoder(spec);
  }
}

/**
 * Opens the encoder that an artifact was trained with.
 * @throws PlimsollError `weights-missing` if what is found here would give other vectors.
 */
export async function openEncoderFor(
  wanted: EncoderIdentity,
  options: EncoderOptions = {},
): Promise<Encoder> {
  const spec = parseEncoderSpec(wanted.id, options);
  const encoder = await openEncoder(spec);
  const found = encoder.identity;
  const different = COMPARED.filter((field) => found[field] !== wanted[field]);
  if (different.length === 0) return encoder;
  await encoder.close();
  const differences = different.map((field) => `${field} ${found[field]}, expected ${wanted[field]}`);
  throw new PlimsollError(
    'weights-missing',
    `The encoder ${wanted.id} on this machine is not the one that the artifact was trained with: ${differences.join('; ')}.`,
  );
}

const COMPARED = ['sha256', 'dimension', 'pooling', 'maxTokens'] as const;

/**
 * all-MiniLM-L6-v2 (int8) in threads of its own. Resolves when the first thread has loaded the model.
 * @throws PlimsollError `weights-missing` if the weights are not here or not the expected ones.
 */
export function createMinilmEncoder(options: { readonly workers?: number } = {}): Promise<Encoder> {
  const spec = { id: 'minilm' } as const;
  return openEncoderPool({ start: (gate) => startEncoderThread({ spec, gate }), workers: options.workers });
}

/**
 * Any encoder in Hugging Face layout, in threads of its own. Resolves when the first thread has loaded the model.
 * @throws PlimsollError `weights-missing` if transformers.js or the model is not here.
 */
export function createTransformersEncoder(spec: Omit<TransformersSpec, 'id'>): Promise<Encoder> {
  const full = { ...spec, id: 'transformers' } as const;
  return openEncoderPool({
    start: (gate) => startEncoderThread({ spec: full, gate }),
    workers: spec.workers,
  });
}
