import { encodeModel, openSession, tensor, valueInfo } from '../../router/onnx/index.ts';

/** Neighbours that vote: of 10 to 300, what did best over the public sets (docs/EXPERIMENTS.md). */
export const NEIGHBOURS = 100;

/** Rows that are compared with all others at once: bounds the similarities in memory to 512 x n floats. */
const BLOCK_ROWS = 512;

/**
 * k nearest neighbours by cosine: a case's score is the mean gain of the k most similar cases of the other folds.
 * @param embeddings row by row, `dimension` numbers a case.
 * @param gains q(strong) - q(cheap) of each case.
 */
export async function nearestNeighbourScores(
  embeddings: Float32Array,
  dimension: number,
  gains: Float64Array,
  folds: Int32Array,
  k: number = NEIGHBOURS,
): Promise<Float64Array> {
  const n = gains.length;
  const unit = unitRows(embeddings, dimension);
  const session = await openSession(similarityModel(dimension), { threads: 0 });
  const all = tensor('float32', unit, [n, dimension]);
  const scores = new Float64Array(n);
  for (let from = 0; from < n; from += BLOCK_ROWS) {
    const rows = Math.min(BLOCK_ROWS, n - from);
    const block = tensor('float32', unit.subarray(from * dimension, (from + rows) * dimension), [
      rows,
      dimension,
    ]);
    const { similarities } = await session.run({ block, all });
    const values = similarities!.data as Float32Array;
    for (let i = 0; i < rows; i++) {
      const row = from + i;
      scores[row] = meanOfNearest(values.subarray(i * n, (i + 1) * n), gains, folds, folds[row]!, k);
    }
  }
  await session.release();
  return scores;
}

function similarityModel(dimension: number): Uint8Array {
  return encodeModel({
    irVersion: 8,
    producerName: 'plimsoll',
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'cosine-similarities',
      input: [valueInfo('block', ['rows', dimension]), valueInfo('all', ['n', dimension])],
      output: [valueInfo('similarities', ['rows', 'n'])],
      initializer: [],
      node: [
        {
          opType: 'Gemm',
          input: ['block', 'all'],
          output: ['similarities'],
          attribute: [{ name: 'transB', i: 1, type: 2 }],
        },
      ],
    },
  });
}

/** Keeps the k most similar in a list that stays sorted by similarity, largest first. */
function meanOfNearest(
  similarities: Float32Array,
  gains: Float64Array,
  folds: Int32Array,
  ownFold: number,
  k: number,
): number {
  const nearest = new Float64Array(k).fill(Number.NEGATIVE_INFINITY);
  const gainOf = new Float64Array(k);
  let found = 0;
  for (let other = 0; other < similarities.length; other++) {
    const similarity = similarities[other]!;
    if (folds[other] === ownFold || similarity <= nearest[k - 1]!) continue;
    let at = Math.min(found, k - 1);
    for (; at > 0 && nearest[at - 1]! < similarity; at--) {
      nearest[at] = nearest[at - 1]!;
      gainOf[at] = gainOf[at - 1]!;
    }
    nearest[at] = similarity;
    gainOf[at] = gains[other]!;
    found = Math.min(found + 1, k);
  }
  let total = 0;
  for (let i = 0; i < found; i++) total += gainOf[i]!;
  return total / Math.max(1, found);
}

function unitRows(values: Float32Array, dimension: number): Float32Array {
  const unit = new Float32Array(values.length);
  for (let at = 0; at < values.length; at += dimension) {
    let squares = 0;
    for (let j = 0; j < dimension; j++) squares += values[at + j]! ** 2;
    const inverse = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let j = 0; j < dimension; j++) unit[at + j] = values[at + j]! * inverse;
  }
  return unit;
}
