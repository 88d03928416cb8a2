import {
  pointOf,
  product,
  quantised,
  type References,
  type SimilaritySpace,
  toUnitLength,
} from '../classifier/index.ts';
import { columnMeans, columnVariances } from './design-matrix.ts';
import { type Clustering, kMeans } from './k-means.ts';
import type { Matrix } from './logistic-loss.ts';
import { principalComponents } from './principal-components.ts';

const COMPONENTS = 64;
/** How much the structural features count where the components together count 1: mean squares, before a point is brought to unit length. */
const STRUCTURAL_SHARE = 0.7;
/** Below this a column is constant up to rounding in float32. */
const CONSTANT = 1e-14;

/** The space of these rows; no label enters it. @param matrix raw: the embedding, then the structural features */
export function fitSpace(matrix: Matrix): SimilaritySpace {
  const width = matrix.columns - (matrix.structural ?? 0);
  const means = columnMeans(matrix);
  const found = principalComponents(matrix, width, means, COMPONENTS);
  const meanSquare = found.reduce((total, { variance }) => total + Math.sqrt(variance), 0);
  const components = new Float32Array(found.length * width);
  found.forEach(({ direction, variance }, k) => {
    const factor = variance > 0 ? 1 / (variance ** 0.25 * Math.sqrt(meanSquare)) : 0;
    components.set(
      direction.map((value) => value * factor),
      k * width,
    );
  });
  const variances = columnVariances(matrix, means).subarray(width);
  const varying = variances.filter((variance) => variance > CONSTANT).length;
  const featureFactors = Float32Array.from(variances, (variance) =>
    variance > CONSTANT ? Math.sqrt(STRUCTURAL_SHARE / varying / variance) : 0,
  );
  return { components, means: Float32Array.from(means), featureFactors };
}

/** The point of each row. */
export function pointsOf({ rows, columns, values, structural = 0 }: Matrix, space: SimilaritySpace) {
  return Array.from({ length: rows }, (_, row): Float32Array => {
    const [from, to] = [row * columns, (row + 1) * columns];
    return pointOf(space, values.subarray(from, to - structural), values.subarray(to - structural, to));
  });
}

/** More cases than these vote through prototypes: the time of a decision grows with what is compared. */
const MOST_CASES = 4_000;
const PROTOTYPES = 2_000;

/**
 * What the rows vote through: themselves, or where they are many prototypes, the means of some neighbouring rows each. These are found
 * within each cluster of the rows, in proportion to its size.
 * @param clusters of the same points
 */
export function voters(points: readonly Float32Array[], clusters: Clustering): Clustering {
  if (points.length <= MOST_CASES) return { centroids: points, clusterOf: Int32Array.from(points.keys()) };
  const centroids: Float32Array[] = [];
  const clusterOf = new Int32Array(points.length);
  for (let cluster = 0; cluster < clusters.centroids.length; cluster++) {
    const rows = Uint32Array.from(points.keys()).filter((row) => clusters.clusterOf[row] === cluster);
    if (rows.length === 0) continue;
    const count = Math.max(1, Math.round((rows.length * PROTOTYPES) / points.length));
    const within = kMeans(
      Array.from(rows, (row) => points[row]!),
      count,
    );
    rows.forEach((row, i) => {
      clusterOf[row] = centroids.length + within.clusterOf[i]!;
    });
    centroids.push(...within.centroids);
  }
  return { centroids, clusterOf };
}

/** The same groups, with the means of those rows alone that count; a group without one stays where it was. */
export function meansOfCounted(
  { centroids, clusterOf }: Clustering,
  points: readonly Float32Array[],
  counts: Float64Array,
): Clustering {
  const sums = centroids.map((centroid) => new Float32Array(centroid.length));
  const counted = new Uint8Array(centroids.length);
  clusterOf.forEach((cluster, row) => {
    if (counts[row] === 0) return;
    counted[cluster] = 1;
    const sum = sums[cluster]!;
    points[row]!.forEach((value, j) => {
      sum[j]! += value;
    });
  });
  return {
    centroids: sums.map((sum, cluster) => (counted[cluster] ? toUnitLength(sum) : centroids[cluster]!)),
    clusterOf,
  };
}

/** References, with the row that is nearest to each. */
export interface LearnedReferences extends References {
  readonly rows: Int32Array;
}

/**
 * The references of labelled rows. @param labels `[head][row]`, 0..1
 * @param counts how much each row counts, at least 0; references without a row that counts are left out
 */
export function referencesOf(
  { centroids, clusterOf }: Clustering,
  points: readonly Float32Array[],
  labels: readonly Float64Array[],
  counts: Float64Array,
): LearnedReferences {
  const members = centroids.map(() => [] as number[]);
  clusterOf.forEach((reference, row) => {
    if (counts[row]! > 0) members[reference]!.push(row);
  });
  const kept = Array.from(centroids.keys()).filter((reference) => members[reference]!.length > 0);
  const total = (rows: readonly number[], of: (row: number) => number) =>
    rows.reduce((sum, row) => sum + of(row), 0);
  const weights = Float32Array.from(kept, (reference) => total(members[reference]!, (row) => counts[row]!));
  const width = centroids[0]!.length;
  const quantisedPoints = new Int8Array(kept.length * width);
  kept.forEach((reference, i) => {
    quantisedPoints.set(quantised(centroids[reference]!), i * width);
  });
  return {
    points: quantisedPoints,
    weights,
    labels: Float32Array.from(
      kept.flatMap((reference, i) =>
        labels.map(
          (column) => total(members[reference]!, (row) => counts[row]! * column[row]!) / weights[i]!,
        ),
      ),
    ),
    rows: Int32Array.from(kept, (reference) =>
      members[reference]!.reduce((best, row) =>
        product(points[row]!, 0, centroids[reference]!) > product(points[best]!, 0, centroids[reference]!)
          ? row
          : best,
      ),
    ),
  };
}
