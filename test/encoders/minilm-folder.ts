import { minilmFolder } from '../../router/encoders/weights.ts';

/** Xenova/all-MiniLM-L6-v2 in Hugging Face layout: a real model for the tests of any model. */
export const MINILM_FOLDER = minilmFolder();

/** Cosine of the angle between two vectors; 1 is the same direction. */
export function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array): number => x.reduce((sum, v, i) => sum + v * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
