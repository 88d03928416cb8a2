import type { Encoder } from '../encoders/encoder.ts';
import type { FeatureExtractor } from '../features/feature-vector.ts';
import type { Matrix } from './logistic-loss.ts';

/**
 * One row a text: the embedding, then the structural features, both raw.
 * `onProgress` hears how many rows are done, after each.
 */
export async function designMatrix(
  texts: readonly string[],
  encoder: Encoder,
  extractor: FeatureExtractor,
  onProgress: (done: number) => void = () => {},
): Promise<Matrix> {
  const dimension = encoder.identity.dimension;
  const columns = dimension + extractor.names.length;
  const values = new Float32Array(texts.length * columns);
  for (let row = 0; row < texts.length; row++) {
    values.set(await encoder.embed(texts[row]!), row * columns);
    values.set(extractor.extract(texts[row]!), row * columns + dimension);
    onProgress(row + 1);
  }
  return { rows: texts.length, columns, values };
}

/** A new matrix of the rows with these indices, in this order. */
export function selectRows(matrix: Matrix, indices: ArrayLike<number>): Matrix {
  const { columns } = matrix;
  const values = new Float32Array(indices.length * columns);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i]! * columns;
    values.set(matrix.values.subarray(from, from + columns), i * columns);
  }
  return { rows: indices.length, columns, values };
}
