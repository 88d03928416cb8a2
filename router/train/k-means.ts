import { product, toUnitLength } from '../classifier/index.ts';
import { seededRandom } from '../statistics/index.ts';

/** Points of unit length in groups. */
export interface Clustering {
  /** Of unit length. */
  readonly centroids: readonly Float32Array[];
  /** The number of each point's centroid. Shape [points] */
  readonly clusterOf: Int32Array;
}

const STEPS = 15;

/**
 * Spherical k-means (Dhillon and Modha 2001): Lloyd's steps from k of the points, drawn by a seed. A centroid that loses its points stays
 * where it was. Fewer than k clusters if there are fewer points.
 */
export function kMeans(points: readonly Float32Array[], k: number, seed = 1): Clustering {
  let centroids = drawn(points, Math.min(k, points.length), seed);
  let clusterOf = nearest(centroids, points);
  for (let step = 0; step < STEPS; step++) {
    centroids = meansOf(points, clusterOf, centroids);
    const before = clusterOf;
    clusterOf = nearest(centroids, points);
    if (clusterOf.every((cluster, row) => cluster === before[row])) break;
  }
  return { centroids, clusterOf };
}

/** Without replacement. */
function drawn(points: readonly Float32Array[], count: number, seed: number): Float32Array[] {
  const random = seededRandom(seed);
  const order = Uint32Array.from(points.keys());
  return Array.from({ length: count }, (_, i) => {
    const at = i + Math.floor(random() * (order.length - i));
    const row = order[at]!;
    order[at] = order[i]!;
    return points[row]!;
  });
}

function nearest(centroids: readonly Float32Array[], points: readonly Float32Array[]): Int32Array {
  return Int32Array.from(points, (point) => {
    let [best, highest] = [0, Number.NEGATIVE_INFINITY];
    for (let cluster = 0; cluster < centroids.length; cluster++) {
      const similarity = product(centroids[cluster]!, 0, point);
      if (similarity > highest) [best, highest] = [cluster, similarity];
    }
    return best;
  });
}

function meansOf(
  points: readonly Float32Array[],
  clusterOf: Int32Array,
  before: readonly Float32Array[],
): Float32Array[] {
  const sums = before.map((centroid) => new Float32Array(centroid.length));
  points.forEach((point, row) => {
    const sum = sums[clusterOf[row]!]!;
    for (let j = 0; j < point.length; j++) sum[j]! += point[j]!;
  });
  return sums.map((sum, cluster) =>
    sum.some((value) => value !== 0) ? toUnitLength(sum) : before[cluster]!,
  );
}
