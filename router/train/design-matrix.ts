import { type FeatureExtractor, NO_PAIR, PAIR_BUCKETS, pairBuckets } from '../classifier/index.ts';
import { type Encoder, isStaticEncoder } from '../encoders/index.ts';
import type { Matrix, SparseMatrix } from './logistic-loss.ts';

/**
 * One row a text: the embedding, then the structural features, both raw. With the static encoder, whose classifier reads
 * word pieces, the word pairs follow as sparse columns. `onProgress` hears how many rows are done, after each.
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
  const dense = { rows: texts.length, columns, values };
  if (!isStaticEncoder(encoder)) return dense;
  return { ...dense, sparse: sparseRows(texts.map((text) => pairBuckets(encoder.tokenIds(text)))) };
}

/** 1 / sqrt(count) in each of a row's buckets; nothing for a text without pairs. */
function sparseRows(buckets: readonly Int32Array[]): SparseMatrix {
  const starts = new Int32Array(buckets.length + 1);
  buckets.forEach((row, i) => {
    starts[i + 1] = starts[i]! + row.length;
  });
  const indices = new Int32Array(starts[buckets.length]!);
  const values = new Float32Array(indices.length);
  buckets.forEach((row, i) => {
    indices.set(row, starts[i]!);
    values.fill(row[0] === NO_PAIR ? 0 : 1 / Math.sqrt(row.length), starts[i]!, starts[i + 1]!);
  });
  return { columns: PAIR_BUCKETS, starts, indices, values };
}

/** A new matrix of the rows with these indices, in this order. */
export function selectRows(matrix: Matrix, rows: ArrayLike<number>): Matrix {
  const { columns, sparse } = matrix;
  const values = new Float32Array(rows.length * columns);
  for (let i = 0; i < rows.length; i++) {
    values.set(matrix.values.subarray(rows[i]! * columns, (rows[i]! + 1) * columns), i * columns);
  }
  return { rows: rows.length, columns, values, ...(sparse && { sparse: selectSparseRows(sparse, rows) }) };
}

function selectSparseRows(sparse: SparseMatrix, rows: ArrayLike<number>): SparseMatrix {
  const starts = new Int32Array(rows.length + 1);
  for (let i = 0; i < rows.length; i++) {
    starts[i + 1] = starts[i]! + sparse.starts[rows[i]! + 1]! - sparse.starts[rows[i]!]!;
  }
  const indices = new Int32Array(starts[rows.length]!);
  const values = new Float32Array(indices.length);
  for (let i = 0; i < rows.length; i++) {
    const [from, to] = [sparse.starts[rows[i]!]!, sparse.starts[rows[i]! + 1]!];
    indices.set(sparse.indices.subarray(from, to), starts[i]!);
    values.set(sparse.values.subarray(from, to), starts[i]!);
  }
  return { columns: sparse.columns, starts, indices, values };
}
