import { z } from 'zod';
import { type Encoder, openEncoder } from '../../../router/encoders/index.ts';
import { acceptedTexts, type Grader, graded } from './grader.ts';

export const similaritySchema = z
  .strictObject({
    type: z.literal('similarity'),
    low: z.number().min(-1).max(1).default(0.5).describe('Cosine at and below which the quality is 0.'),
    high: z
      .number()
      .min(-1)
      .max(1)
      .default(0.95)
      .describe('Cosine from which the quality is 1; linear between the two.'),
  })
  .refine(({ low, high }) => low < high, { path: ['low'], error: 'must be below high' });

/**
 * How near the reply's embedding is to the reference's, by the static encoder that ships. It knows words and not what they say together: 'not' is
 * one word of many.
 */
export function similarityGrader({ low, high }: z.output<typeof similaritySchema>): Grader {
  let opening: Promise<Encoder> | undefined;
  return {
    type: 'similarity',
    needsReference: true,
    async grade({ reply, reference }) {
      opening ??= openEncoder({ id: 'static' });
      const encoder = await opening;
      const of = await encoder.embed(reply);
      let best = -1;
      for (const text of acceptedTexts(reference))
        best = Math.max(best, cosine(of, await encoder.embed(text)));
      return graded((best - low) / (high - low));
    },
  };
}

/** 0 if one of them is 0, as that of a text without a word that the encoder knows. */
function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x = 0, y = 0] = [a[i], b[i]];
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa === 0 || bb === 0 ? 0 : dot / Math.sqrt(aa * bb);
}
