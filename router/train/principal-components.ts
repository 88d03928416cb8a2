import { seededRandom } from '../statistics/index.ts';
import type { Matrix } from './logistic-loss.ts';

/** A direction of unit length, and the variance of the rows along it. */
interface Component {
  readonly direction: Float64Array;
  readonly variance: number;
}

/** Directions of nearly equal variance stay mixed after this many steps, which changes no distance by much. */
const STEPS = 20;
/** Rows that the covariance is estimated from: ten for each column of the default encoder. */
const SAMPLE_ROWS = 4_000;
const SEED = 1;
/** What is left of a vector along no other is rounding if it is a smaller part of it. */
const ROUNDING = 1e-10;

/**
 * The directions of largest variance of a matrix's first columns: orthogonal iteration from a fixed start (Golub and Van Loan, Matrix
 * computations, section 8.2.4). No more than there are columns; directions beyond the rank have variance 0.
 * @param width this many leading columns count
 * @param means of all columns
 */
export function principalComponents(
  matrix: Matrix,
  width: number,
  means: Float64Array,
  count: number,
): Component[] {
  const covariance = sampledCovariance(matrix, width, means);
  const random = seededRandom(SEED);
  let directions: Float64Array[] = Array.from({ length: Math.min(count, width) }, () =>
    Float64Array.from({ length: width }, () => random() - 0.5),
  );
  orthonormalise(directions);
  for (let step = 0; step < STEPS; step++) {
    directions = directions.map((direction) => times(covariance, direction));
    orthonormalise(directions);
  }
  return directions.map((direction) => ({
    direction,
    variance: Math.max(0, dot(times(covariance, direction), direction)),
  }));
}

function sampledCovariance(
  { rows, columns, values }: Matrix,
  width: number,
  means: Float64Array,
): Float64Array {
  const stride = Math.max(1, Math.floor(rows / SAMPLE_ROWS));
  const count = Math.ceil(rows / stride);
  const covariance = new Float64Array(width * width);
  const centred = new Float64Array(width);
  for (let row = 0; row < rows; row += stride) {
    for (let j = 0; j < width; j++) centred[j] = values[row * columns + j]! - means[j]!;
    for (let i = 0; i < width; i++) {
      const own = centred[i]! / count;
      for (let j = 0, at = i * width; j <= i; j++, at++) covariance[at]! += own * centred[j]!;
    }
  }
  for (let i = 0; i < width; i++) {
    for (let j = 0; j < i; j++) covariance[j * width + i] = covariance[i * width + j]!;
  }
  return covariance;
}

/** A symmetric matrix times a vector. Four rows at a time: one sum alone waits for each of its own additions. */
function times(matrix: Float64Array, vector: Float64Array): Float64Array {
  const width = vector.length;
  const product = new Float64Array(width);
  const inFours = width - (width % 4);
  for (let i = 0; i < inFours; i += 4) {
    const [r0, r1, r2, r3] = [i * width, (i + 1) * width, (i + 2) * width, (i + 3) * width];
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let j = 0; j < width; j++) {
      const value = vector[j]!;
      s0 += matrix[r0 + j]! * value;
      s1 += matrix[r1 + j]! * value;
      s2 += matrix[r2 + j]! * value;
      s3 += matrix[r3 + j]! * value;
    }
    product[i] = s0;
    product[i + 1] = s1;
    product[i + 2] = s2;
    product[i + 3] = s3;
  }
  for (let i = inFours; i < width; i++) product[i] = dot(matrix.subarray(i * width, (i + 1) * width), vector);
  return product;
}

/** Gram-Schmidt, in place. A vector that depends on those before it becomes 0. */
function orthonormalise(vectors: readonly Float64Array[]): void {
  vectors.forEach((vector, k) => {
    const whole = Math.sqrt(dot(vector, vector));
    for (const before of vectors.slice(0, k)) {
      const along = dot(vector, before);
      for (let j = 0; j < vector.length; j++) vector[j]! -= along * before[j]!;
    }
    const length = Math.sqrt(dot(vector, vector));
    const inverse = length > ROUNDING * whole ? 1 / length : 0;
    for (let j = 0; j < vector.length; j++) vector[j]! *= inverse;
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!;
  return sum;
}
