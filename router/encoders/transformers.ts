import type { Encoder } from './encoder.ts';
import { openEncoderPool } from './encoder-pool.ts';
import type { TransformersSpec } from './encoder-spec.ts';
import { startEncoderThread } from './encoder-thread.ts';

/**
 * Any encoder in Hugging Face layout, in threads of its own. Resolves when the first thread has loaded the model.
 * @throws PlimsollError `weights-missing` where transformers.js or the model is not here.
 */
export function createTransformersEncoder(spec: Omit<TransformersSpec, 'id'>): Promise<Encoder> {
  const full = { ...spec, id: 'transformers' } as const;
  return openEncoderPool({
    start: (busy) => startEncoderThread({ spec: full, busy }),
    workers: spec.workers,
  });
}
