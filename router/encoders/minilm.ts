import type { Encoder } from './encoder.ts';
import { openEncoderPool } from './encoder-pool.ts';
import { startEncoderThread } from './encoder-thread.ts';

/**
 * all-MiniLM-L6-v2 (int8) in threads of its own. Resolves when the first thread has loaded the model.
 * @throws PlimsollError `weights-missing` where the weights are not here or not the expected ones.
 */
export function createMinilmEncoder(options: { readonly workers?: number } = {}): Promise<Encoder> {
  const spec = { id: 'minilm' } as const;
  return openEncoderPool({ start: (busy) => startEncoderThread({ spec, busy }), workers: options.workers });
}
