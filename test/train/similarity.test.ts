import { describe, expect, it } from 'vitest';
import { createVote, pointOf } from '../../router/classifier/index.ts';
import { seededRandom } from '../../router/statistics/index.ts';
import { columnMeans } from '../../router/train/design-matrix.ts';
import { kMeans } from '../../router/train/k-means.ts';
import { principalComponents } from '../../router/train/principal-components.ts';
import { fitSpace, pointsOf, referencesOf, voters } from '../../router/train/similarity.ts';
import { clusteredRows } from './clustered-rows.ts';

describe('principalComponents', () => {
  it('finds the axes of a cloud, widest first, at right angles', () => {
    const random = seededRandom(3);
    const rows = 900;
    const values = new Float32Array(rows * 3);
    for (let row = 0; row < rows; row++) {
      const [wide, narrow] = [6 * (random() - 0.5), random() - 0.5];
      values.set([(3 * wide - 4 * narrow) / 5, (4 * wide + 3 * narrow) / 5, 7], row * 3);
    }
    const matrix = { rows, columns: 3, values };
    const [first, second, third] = principalComponents(matrix, 3, columnMeans(matrix), 64);
    expect(Math.abs(first!.direction[0]!)).toBeCloseTo(0.6, 2);
    expect(Math.abs(first!.direction[1]!)).toBeCloseTo(0.8, 2);
    expect(first!.variance).toBeCloseTo(3, 0); // 36 / 12
    expect(second!.variance).toBeCloseTo(1 / 12, 2);
    expect(third!.variance).toBeCloseTo(0, 9);
    const along = first!.direction.reduce((sum, value, j) => sum + value * second!.direction[j]!, 0);
    expect(along).toBeCloseTo(0, 9);
  });
});

describe('kMeans', () => {
  it('parts what lies apart, and gives no more clusters than points', () => {
    const { matrix } = clusteredRows(400);
    const points = pointsOf(matrix, fitSpace(matrix));
    const { clusterOf, centroids } = kMeans(points, 40);
    for (const centroid of centroids) expect(Math.hypot(...centroid)).toBeCloseTo(1, 5);
    const cornerOf = (row: number) => [0, 1].map((j) => matrix.values[row * 8 + j]! > 0).join();
    const corners = new Map<number, Set<string>>();
    clusterOf.forEach((cluster, row) => {
      corners.set(cluster, (corners.get(cluster) ?? new Set()).add(cornerOf(row)));
    });
    const pure = [...corners.values()].filter(({ size }) => size === 1);
    expect(pure.length / corners.size).toBeGreaterThan(0.9);
    expect(kMeans(points.slice(0, 5), 40).centroids).toHaveLength(5);
    expect(kMeans(points, 40)).toEqual({ clusterOf, centroids });
  });
});

describe('createVote', () => {
  const { matrix, labels } = clusteredRows(700);
  const points = pointsOf(matrix, fitSpace(matrix));
  const counts = new Float64Array(700).fill(1);
  const everyRow = voters(points, kMeans(points, 8));

  it('is the mean label of the 100 most similar cases', () => {
    const references = referencesOf(everyRow, points, [labels, labels.map((label) => 1 - label)], counts);
    const vote = createVote(references);
    for (const point of points.slice(0, 50)) {
      const nearest = points
        .map((other, row) => ({ row, similarity: other.reduce((sum, x, j) => sum + x * point[j]!, 0) }))
        .sort((a, b) => b.similarity - a.similarity)
        .slice(0, 100);
      const expected = nearest.reduce((sum, { row }) => sum + labels[row]!, 0) / 100;
      const {
        vote: [own, other],
        similarity,
      } = vote(point);
      expect(similarity).toBeCloseTo(1, 2); // itself, in eight bits
      expect(Math.abs(own! - expected)).toBeLessThan(0.1); // eight bits and steps of similarity change a few voters
      expect(own! + other!).toBeCloseTo(1, 5);
    }
  });

  it('is the mean of all cases if they are fewer, and leaves out those that do not count', () => {
    const few = counts.map((_, row) => Number(row < 60));
    const references = referencesOf(everyRow, points, [labels], few);
    expect(references.rows).toEqual(Int32Array.from({ length: 60 }, (_, row) => row));
    const mean = labels.subarray(0, 60).reduce((sum, label) => sum + label, 0) / 60;
    expect(createVote(references)(points[400]!).vote[0]).toBeCloseTo(mean, 5);
  });

  it('defines itself for a text that is the mean of all', () => {
    const references = referencesOf(everyRow, points, [labels], counts);
    const mean = labels.reduce((sum, label) => sum + label, 0) / 700;
    expect(createVote(references)(new Float32Array(8)).vote[0]).toBeCloseTo(mean, 5);
  });
});

describe('voters', () => {
  it('are prototypes above 4,000 rows, of ten rows on average in each of four clusterings: means of the rows they stand for, with the nearest of these', () => {
    const { matrix, labels } = clusteredRows(4_400);
    const points = pointsOf(matrix, fitSpace(matrix));
    const found = voters(points, kMeans(points, 64));
    expect(found).toHaveLength(4);
    for (const { centroids } of found) expect(Math.abs(centroids.length - 440)).toBeLessThan(40);
    expect(found[1]!.centroids[0]).not.toEqual(found[0]!.centroids[0]);
    const references = referencesOf(found, points, [labels], new Float64Array(4_400).fill(1));
    expect(references.weights.reduce((sum, weight) => sum + weight, 0)).toBe(4_400);
    let from = 0;
    for (const { centroids, clusterOf } of found) {
      for (let reference = from; reference < from + centroids.length; reference++) {
        const own = Array.from(clusterOf.keys()).filter((row) => clusterOf[row] === reference - from);
        expect(own).toContain(references.rows[reference]);
        expect(references.weights[reference]).toBe(own.length / 4);
        expect(references.labels[reference]).toBeCloseTo(
          own.reduce((sum, row) => sum + labels[row]!, 0) / own.length,
          5,
        );
      }
      from += centroids.length;
    }
    expect(references.rows).toHaveLength(from);
  });
});

describe('fitSpace', () => {
  it('gives constant columns no weight, and each point the length 1', () => {
    const { matrix } = clusteredRows(100);
    const values = matrix.values.map((value, at) => (at % 8 === 7 ? 5 : value));
    const space = fitSpace({ ...matrix, values });
    expect(space.featureFactors[1]).toBe(0);
    const point = pointOf(space, values.subarray(0, 6), values.subarray(6, 8));
    expect(point).toHaveLength(8);
    expect(Math.hypot(...point)).toBeCloseTo(1, 5);
    expect(point[7]).toBe(0);
  });
});
