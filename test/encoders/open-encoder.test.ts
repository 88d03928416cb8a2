import { describe, expect, it } from 'vitest';
import type { EncoderIdentity } from '../../router/encoders/encoder.ts';
import { MINILM_IDENTITY } from '../../router/encoders/minilm-session.ts';
import { openEncoderFor } from '../../router/encoders/open-encoder.ts';
import { STATIC_IDENTITY } from '../../router/encoders/static.ts';
import { MINILM_FOLDER } from './minilm-folder.ts';

const TRANSFORMERS_IDENTITY: EncoderIdentity = {
  id: `transformers:${MINILM_FOLDER}#cls`,
  sha256: MINILM_IDENTITY.sha256,
  pooling: 'cls',
  dimension: 384,
  maxTokens: 512,
};

describe('openEncoderFor', () => {
  it.each([STATIC_IDENTITY, MINILM_IDENTITY, TRANSFORMERS_IDENTITY])(
    'opens $id by its identity',
    async (wanted) => {
      const encoder = await openEncoderFor(wanted);
      expect(encoder.identity).toEqual(wanted);
      await encoder.close();
    },
  );

  it('refuses other weights, and says both hashes', async () => {
    const wanted = { ...STATIC_IDENTITY, sha256: 'f'.repeat(64) };
    await expect(openEncoderFor(wanted)).rejects.toMatchObject({
      code: 'weights-missing',
      message: expect.stringContaining(`sha256 ${STATIC_IDENTITY.sha256}, expected ${wanted.sha256}`),
    });
  });

  it('refuses another pooling, dimension or length', async () => {
    const wanted = { ...MINILM_IDENTITY, pooling: 'cls', dimension: 768, maxTokens: 128 } as const;
    await expect(openEncoderFor(wanted)).rejects.toThrow(
      /dimension 384, expected 768; pooling mean, expected cls; maxTokens 256, expected 128/,
    );
  });

  it('refuses an encoder that there is not', async () => {
    const wanted = { ...STATIC_IDENTITY, id: 'word2vec' };
    await expect(openEncoderFor(wanted)).rejects.toMatchObject({ code: 'invalid-input' });
  });
});
