import { seededRandom } from '../../../router/statistics/index.ts';
import type { LogisticProblem, Matrix } from '../../../router/train/index.ts';

export const ROWS = 100_000;
export const COLUMNS = 400;
export const HEADS = 2;

const FACTORS = 150;
const LOGIT_DEVIATION = 1.5;

/** Independent columns of equal variance: as easy as a matrix can be. */
export function independentMatrix(seed: number): Matrix {
  const normal = normalNumbers(seed);
  return { rows: ROWS, columns: COLUMNS, values: Float32Array.from({ length: ROWS * COLUMNS }, normal) };
}

/**
 * Like embeddings: fewer factors than columns, their sizes falling as 1 / rank, each column of variance 1. The condition
 * number is that of the penalty, since the matrix has no full rank.
 */
export function correlatedMatrix(seed: number): Matrix {
  const normal = normalNumbers(seed);
  const loadings = columnsOfVarianceOne(
    Float64Array.from({ length: FACTORS * COLUMNS }, (_, at) => {
      return normal() / (1 + Math.floor(at / COLUMNS));
    }),
  );
  const values = new Float32Array(ROWS * COLUMNS);
  const row = new Float64Array(COLUMNS);
  for (let i = 0; i < ROWS; i++) {
    row.fill(0);
    for (let f = 0, at = 0; f < FACTORS; f++) {
      const factor = normal();
      for (let j = 0; j < COLUMNS; j++, at++) row[j]! += factor * loadings[at]!;
    }
    values.set(row, i * COLUMNS);
  }
  return { rows: ROWS, columns: COLUMNS, values };
}

/** Labels drawn from a logistic model with random weights, one model a head. */
export function planted(matrix: Matrix, seed: number): LogisticProblem {
  const normal = normalNumbers(seed);
  const uniform = seededRandom(seed + 1);
  const labels = Array.from({ length: HEADS }, () => {
    const z = products(matrix, Float64Array.from({ length: COLUMNS }, normal));
    const scale = LOGIT_DEVIATION / Math.sqrt(z.reduce((sum, x) => sum + x * x, 0) / z.length);
    return z.map((x) => Number(uniform() < 1 / (1 + Math.exp(-0.5 - scale * x))));
  });
  return { matrix, labels };
}

function columnsOfVarianceOne(loadings: Float64Array): Float64Array {
  const variances = new Float64Array(COLUMNS);
  loadings.forEach((loading, at) => {
    variances[at % COLUMNS]! += loading * loading;
  });
  return loadings.map((loading, at) => loading / Math.sqrt(variances[at % COLUMNS]!));
}

function products({ rows, columns, values }: Matrix, weights: Float64Array): Float64Array {
  const z = new Float64Array(rows);
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++, at++) z[i]! += values[at]! * weights[j]!;
  }
  return z;
}

/** Standard normal numbers: Box and Muller 1958. */
function normalNumbers(seed: number): () => number {
  const uniform = seededRandom(seed);
  let spare: number | undefined;
  return () => {
    if (spare !== undefined) {
      const ready = spare;
      spare = undefined;
      return ready;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}
