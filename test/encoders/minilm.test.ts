import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Encoder } from '../../router/encoders/encoder.ts';
import { openEncoder } from '../../router/encoders/open-encoder.ts';
import { cosine, MINILM_FOLDER } from './minilm-folder.ts';

/**
 * Components 0, 1, 2, 3 and 383 by `pipeline('feature-extraction', ..., { dtype: 'q8' })` of @huggingface/transformers
 * 4.3.1 with { pooling: 'mean', normalize: true }. Another processor's int8 kernels may round otherwise, hence TOLERANCE.
 */
const REFERENCE: Record<string, readonly number[]> = {
  'What is the capital of France?': [0.088029, 0.033247, -0.010155, -0.002604, -0.009559],
  'def add(a, b):\n    return a + b': [-0.022637, -0.009371, -0.066217, 0.022236, -0.044218],
  'Löse die Gleichung x² − 5x + 6 = 0.': [0.009789, 0.110813, 0.036983, 0.044498, 0.032068],
  '東京の天気は?': [0.088688, 0.118213, 0.094301, -0.003296, 0.04613],
};
const TOLERANCE = 0.01;

describe('minilm', () => {
  let encoder: Encoder;
  beforeAll(async () => {
    encoder = await openEncoder({ id: 'minilm' });
  });
  afterAll(() => encoder.close());

  it.each(Object.entries(REFERENCE))('gives the reference vector for %j', async (text, expected) => {
    const vector = await encoder.embed(text);
    for (const [i, at] of [0, 1, 2, 3, 383].entries()) {
      expect(Math.abs(vector[at]! - expected[i]!)).toBeLessThan(TOLERANCE);
    }
    expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
  });

  it('puts like beside like', async () => {
    const [question, likeIt, unlikeIt] = await Promise.all(
      [
        'How do I sort a list in Python?',
        'Python: sorting an array of numbers',
        'A poem about the autumn sea',
      ].map((text) => encoder.embed(text)),
    );
    expect(cosine(question!, likeIt!)).toBeGreaterThan(cosine(question!, unlikeIt!) + 0.3);
  });

  it('agrees with the same model run by transformers.js', async () => {
    const other = await openEncoder({ id: 'transformers', model: MINILM_FOLDER });
    const texts = [...Object.keys(REFERENCE), '', 'Write a haiku. '.repeat(12), 'naïve Ωmega ﬁn 👍'];
    for (const text of texts) {
      expect(cosine(await encoder.embed(text), await other.embed(text))).toBeGreaterThan(0.999);
    }
    await other.close();
  });

  it('leaves the event loop free: timers fire while texts are embedded', async () => {
    let answered = 0;
    let ticks = 0;
    const all = Array.from({ length: 30 }, (_, i) =>
      encoder.embed(`${i} ${'word '.repeat(200)}`).then(() => answered++),
    );
    while (answered < all.length) {
      await wait(1);
      ticks++;
    }
    expect(ticks).toBeGreaterThan(2 * all.length);
  });
});
