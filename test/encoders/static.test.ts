import { describe, expect, it } from 'vitest';
import { createStaticEncoder } from '../../router/encoders/static.ts';

describe('the static encoder', () => {
  const encoder = createStaticEncoder();

  it('is linear: the mean of the projected pieces is the projected mean, so that a head can be folded', async () => {
    const direction = Float64Array.from({ length: encoder.identity.dimension }, (_, j) => Math.sin(j));
    const projected = encoder.project(direction);
    const text = 'Why is the sky blue, and why is it red in the evening?';
    const ids = encoder.tokenIds(text);
    const folded = ids.reduce((sum, id) => sum + projected[id]!, 0) / ids.length;
    const plain = (await encoder.embed(text)).reduce((sum, value, j) => sum + value * direction[j]!, 0);
    expect(folded).toBeCloseTo(plain, 5);
  });

  it('counts a text without pieces as one unknown piece', () => {
    expect([...encoder.tokenIds(' \n ')]).toEqual([encoder.tokenizer.unknownId]);
  });
});
