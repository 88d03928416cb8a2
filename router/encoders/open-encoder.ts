import { PlimsollError } from '../errors.ts';
import type { Encoder, EncoderIdentity } from './encoder.ts';
import { type EncoderOptions, type EncoderSpec, parseEncoderSpec } from './encoder-spec.ts';
import { createMinilmEncoder } from './minilm.ts';
import { createStaticEncoder } from './static.ts';
import { createTransformersEncoder } from './transformers.ts';

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
 * @throws PlimsollError `weights-missing` where what is found here would give other vectors.
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
