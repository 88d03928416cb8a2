import { pointOf, product, quantised, type References, type SimilaritySpace } from '../classifier/index.ts';
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
/** Per clustering. */
const MOST_PROTOTYPES = 500;
/** Cases that a prototype stands for on average, unless there would be too many prototypes. Fewer make noisier votes (docs/EXPERIMENTS.md). */
const CASES_PER_PROTOTYPE = 10;
/** Each begins elsewhere. Their votes together vary less with where k-means begins than those of one. */
const CLUSTERINGS = 4;

/**
 * What the rows vote through: themselves, or where they are many prototypes, the means of some neighbouring rows each. Each row then belongs
 * to a prototype of every clustering.
 * @param clusters of the same points
 * @param areMany whether they are, for a part of the rows
 */
export function voters(
  points: readonly Float32Array[],
  clusters: Clustering,
  areMany = points.length > MOST_CASES,
): readonly Clustering[] {
  if (!areMany) return [{ centroids: points, clusterOf: Int32Array.from(points.keys()) }];
  return Array.from({ length: CLUSTERINGS }, (_, i) => prototypes(points, clusters, i + 1));
}

/** Found within each cluster of the rows, in proportion to its size. */
function prototypes(points: readonly Float32Array[], clusters: Clustering, seed: number): Clustering {
  const wanted = Math.min(MOST_PROTOTYPES, points.length / CASES_PER_PROTOTYPE);
  const centroids: Float32Array[] = [];
  const clusterOf = new Int32Array(points.length);
  for (let cluster = 0; cluster < clusters.centroids.length; cluster++) {
    const rows = Uint32Array.from(points.keys()).filter((row) => clusters.clusterOf[row] === cluster);
    if (rows.length === 0) continue;
    const count = Math.max(1, Math.round((rows.length * wanted) / points.length));
    const within = kMeans(
      Array.from(rows, (row) => points[row]!),
      count,
      seed,
    );
    rows.forEach((row, i) => {
      clusterOf[row] = centroids.length + within.clusterOf[i]!;
    });
    centroids.push(...within.centroids);
  }
  return { centroids, clusterOf };
}

/** References, with the row that is nearest to each. */
export interface LearnedReferences extends References {
  readonly rows: Int32Array;
}

/** A reference before it has a label. */
interface Group {
  readonly centroid: Float32Array;
  readonly rows: readonly number[];
  /** How much its rows count together, above 0. */
  readonly mass: number;
}

/**
 * The references of labelled rows. A row that belongs to several counts in parts, one in each clustering.
 * @param labels `[head][row]`, 0..1
 * @param counts how much each row counts, at least 0; references without a row that counts are left out
 */
export function referencesOf(
  clusterings: readonly Clustering[],
  points: readonly Float32Array[],
  labels: readonly Float64Array[],
  counts: Float64Array,
): LearnedReferences {
  const groups = clusterings.flatMap((one) => groupsOf(one, counts));
  const width = points[0]!.length;
  const quantisedPoints = new Int8Array(groups.length * width);
  groups.forEach(({ centroid }, i) => {
    quantisedPoints.set(quantised(centroid), i * width);
  });
  return {
    points: quantisedPoints,
    weights: Float32Array.from(groups, ({ mass }) => mass / clusterings.length),
    labels: Float32Array.from(
      groups.flatMap(({ rows, mass }) =>
        labels.map((column) => total(rows, (row) => counts[row]! * column[row]!) / mass),
      ),
    ),
    rows: Int32Array.from(groups, ({ centroid, rows }) =>
      rows.reduce((best, row) =>
        product(points[row]!, 0, centroid) > product(points[best]!, 0, centroid) ? row : best,
      ),
    ),
  };
}

function groupsOf({ centroids, clusterOf }: Clustering, counts: Float64Array): Group[] {
  const members = centroids.map(() => [] as number[]);
  clusterOf.forEach((group, row) => {
    if (counts[row]! > 0) members[group]!.push(row);
  });
  return centroids
    .map((centroid, i) => ({
      centroid,
      rows: members[i]!,
      mass: total(members[i]!, (row) => counts[row]!),
    }))
    .filter(({ rows }) => rows.length > 0);
}

function total(rows: readonly number[], of: (row: number) => number): number {
  return rows.reduce((sum, row) => sum + of(row), 0);
}
