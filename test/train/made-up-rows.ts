import { readFileSync } from 'node:fs';
import type { Matrix, SparseMatrix } from '../../router/train/logistic-loss.ts';

/** What test/fixtures/train/oracle.py varies; the two make the same rows. */
export interface RowOptions {
  readonly seed: number;
  readonly shift?: number;
  readonly steep?: number;
  readonly soft?: boolean;
  readonly weighted?: boolean;
  readonly collinear?: boolean;
  readonly constant?: boolean;
  /** How many sparse columns follow the dense ones. */
  readonly sparse?: number;
}

export interface MadeUpRows {
  readonly matrix: Matrix;
  readonly labels: Float64Array;
  readonly sampleWeights: Float64Array;
}

const ROWS = 80;
const DENSE = 6;

export function madeUpRows(options: RowOptions): MadeUpRows {
  const { shift = 0, steep = 1, soft, weighted, collinear, constant, sparse = 0 } = options;
  const uniform = congruential(options.seed);
  const values = new Float32Array(ROWS * DENSE);
  const labels = new Float64Array(ROWS);
  const sampleWeights = new Float64Array(ROWS).fill(1);
  const tails: number[][] = [];
  for (let i = 0; i < ROWS; i++) {
    const x = Array.from({ length: DENSE }, () => 2 * uniform() - 1);
    if (collinear) {
      x[4] = x[1]!;
      x[5] = -2 * x[0]!;
    }
    if (constant) x[3] = 5;
    const tail = Array.from({ length: sparse }, () => {
      const drawn = uniform();
      return drawn < 0.2 ? 5 * drawn : 0;
    });
    values.set(x, i * DENSE);
    tails.push(tail);
    const z = shift + steep * (2 * x[0]! - 1.5 * x[1]! + x[2]! + tail.reduce((a, b) => a + b, 0));
    const p = 1 / (1 + Math.exp(-z));
    const drawn = uniform();
    labels[i] = soft
      ? Math.floor(100 * Math.min(Math.max(p + 0.6 * (drawn - 0.5), 0), 1)) / 100
      : Number(drawn < p);
    const weight = uniform();
    if (weighted) sampleWeights[i] = i % 10 === 0 ? 0 : 3 * weight;
  }
  const dense = { rows: ROWS, columns: DENSE, values };
  return { matrix: sparse ? { ...dense, sparse: compressed(tails) } : dense, labels, sampleWeights };
}

/** Compressed sparse rows: only what is not 0 is kept. */
export function compressed(rows: readonly (readonly number[])[]): SparseMatrix {
  const starts = [0];
  const indices: number[] = [];
  const values: number[] = [];
  for (const row of rows) {
    row.forEach((value, column) => {
      if (value === 0) return;
      indices.push(column);
      values.push(value);
    });
    starts.push(indices.length);
  }
  return {
    columns: rows[0]!.length,
    starts: Int32Array.from(starts),
    indices: Int32Array.from(indices),
    values: Float32Array.from(values),
  };
}

function congruential(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

interface RegressionOracle {
  readonly name: string;
  readonly options: RowOptions;
  readonly lam: number;
  readonly weights: readonly number[];
  readonly intercept: number;
  readonly probabilities: readonly number[];
}

interface PlattOracle {
  readonly name: string;
  readonly options: RowOptions;
  readonly slope: number;
  readonly offset: number;
  readonly probabilities: readonly number[];
}

interface ScalingOracle {
  readonly options: RowOptions;
  readonly means: readonly number[];
  readonly deviations: readonly number[];
  readonly standardised: readonly (readonly number[])[];
}

interface Oracle {
  readonly regressions: readonly RegressionOracle[];
  readonly platt: readonly PlattOracle[];
  readonly scaling: ScalingOracle;
}

/** Numbers from scikit-learn and numpy: see test/fixtures/train/oracle.py. */
export const oracle: Oracle = JSON.parse(
  readFileSync(new URL('../fixtures/train/oracle.json', import.meta.url), 'utf8'),
);

export function sigmoid(z: number): number {
  return 1 / (1 + Math.exp(-z));
}

/** The largest absolute difference, entry by entry. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let most = a.length === b.length ? 0 : Number.NaN;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
}
