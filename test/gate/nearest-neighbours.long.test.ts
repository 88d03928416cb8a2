import { describe, expect, it } from 'vitest';
import { nearestNeighbourScores } from '../../evals/gate/index.ts';
import { seededRandom } from '../../router/statistics/index.ts';

const N = 700; // more than one block of rows
const DIMENSION = 5;
const FOLDS = 4;

function madeUp(n: number, seed: number) {
  const random = seededRandom(seed);
  return {
    embeddings: Float32Array.from({ length: n * DIMENSION }, () => random() * 2 - 1),
    gains: Float64Array.from({ length: n }, () => random() * 2 - 1),
    folds: Int32Array.from({ length: n }, () => Math.floor(random() * FOLDS)),
  };
}

/** Cosine of every pair, sorted: in float64, without ONNX. */
function byBruteForce({ embeddings, gains, folds }: ReturnType<typeof madeUp>, k: number): number[] {
  const vector = (row: number) => Array.from(embeddings.subarray(row * DIMENSION, (row + 1) * DIMENSION));
  const norm = (v: readonly number[]) => Math.hypot(...v);
  return Array.from(gains, (_, row) => {
    const own = vector(row);
    const ranked = Array.from(gains.keys())
      .filter((other) => folds[other] !== folds[row])
      .map((other) => {
        const theirs = vector(other);
        const cosine = own.reduce((sum, x, j) => sum + x * theirs[j]!, 0) / (norm(own) * norm(theirs));
        return { other, cosine };
      })
      .sort((a, b) => b.cosine - a.cosine);
    const nearest = ranked.slice(0, k);
    return nearest.reduce((sum, { other }) => sum + gains[other]!, 0) / nearest.length;
  });
}

async function scoresOf({ embeddings, gains, folds }: ReturnType<typeof madeUp>, k: number) {
  return Array.from(await nearestNeighbourScores(embeddings, DIMENSION, gains, folds, k));
}

describe('nearestNeighbourScores', () => {
  it.each([1, 10, 100])('agrees with brute force, k %d', async (k) => {
    const data = madeUp(N, 1);
    const [scores, expected] = [await scoresOf(data, k), byBruteForce(data, k)];
    scores.forEach((score, row) => {
      expect(score).toBeCloseTo(expected[row]!, 9);
    });
  });

  it('takes all cases of the other folds where there are fewer than k', async () => {
    const data = madeUp(12, 2);
    const [scores, expected] = [await scoresOf(data, 1000), byBruteForce(data, 1000)];
    scores.forEach((score, row) => {
      expect(score).toBeCloseTo(expected[row]!, 9);
    });
  });

  it('never uses a gain of the own fold, the own gain least of all', async () => {
    const data = madeUp(60, 3);
    const before = await scoresOf(data, 5);
    const gains = data.gains.map((gain, row) => (data.folds[row] === 2 ? 1000 : gain));
    const after = await scoresOf({ ...data, gains }, 5);
    const changed = after.filter((score, row) => score !== before[row] && data.folds[row] === 2);
    expect(changed).toEqual([]);
    expect(after.some((score, row) => score !== before[row])).toBe(true);
  });

  it('goes by direction and not by length', async () => {
    const data = madeUp(60, 4);
    const longer = data.embeddings.map((x, at) => x * (Math.floor(at / DIMENSION) % 2 ? 64 : 1));
    expect(await scoresOf({ ...data, embeddings: longer }, 5)).toEqual(await scoresOf(data, 5));
  });

  it('gives finite scores where an embedding is 0', async () => {
    const data = madeUp(20, 5);
    data.embeddings.fill(0, 0, DIMENSION);
    for (const score of await scoresOf(data, 3)) expect(Number.isFinite(score)).toBe(true);
  });
});
