import { describe, expect, it } from 'vitest';
import {
  routedAt,
  routingCurveOf,
  type TaskOnLadder,
  thresholdAtLoss,
  thresholdAtRate,
} from '../../evals/design/routing-model.ts';
import { normalCdf, seededRandom } from '../../router/statistics/index.ts';

const EASY: TaskOnLadder = { share: 0.6, quality: [0.9, 0.92], costUsd: [0.001, 0.01] };
const HARD: TaskOnLadder = { share: 0.4, quality: [0.5, 0.8], costUsd: [0.002, 0.03] };
const THREE: TaskOnLadder = { share: 1, quality: [0.5, 0.65, 0.8], costUsd: [0.001, 0.005, 0.02] };

describe('routing in closed form', () => {
  it('escalates everything at 0 and nothing at a large threshold', () => {
    const strict = routedAt([EASY, HARD], 0.4, 0);
    expect(strict.qualityLoss).toBe(0);
    expect(strict.costUsd).toBeCloseTo(0.6 * 0.01 + 0.4 * 0.03, 12);
    const loose = routedAt([EASY, HARD], 0.4, 1e3);
    expect(loose.quality).toBeCloseTo(0.6 * 0.9 + 0.4 * 0.5, 9);
    expect(loose.shares[0]).toBeCloseTo(1, 9);
  });

  it.each([0.2, 0.5, 1])('recovers an area of Phi(delta / sqrt 2) within a task, delta %d', (delta) => {
    const curve = routingCurveOf([{ ...HARD, share: 1 }], delta, 401);
    let area = 0;
    for (let i = 1; i < curve.length; i++) {
      const [from, to] = [curve[i]!, curve[i - 1]!];
      const recovered = (one: typeof from) => (one.quality - 0.5) / 0.3;
      area += ((recovered(from) + recovered(to)) / 2) * (to.escalationRate - from.escalationRate);
    }
    expect(area).toBeCloseTo(normalCdf(delta / Math.SQRT2), 3);
  });

  it('agrees with drawn requests that a router sends by their expected loss', () => {
    const [delta, threshold] = [0.6, 0.12];
    const random = seededRandom(7);
    const gaps = [0.3, 0.15];
    const sums = { loss: 0, cost: 0, shares: [0, 0, 0] };
    const n = 200_000;
    for (let i = 0; i < n; i++) {
      const x = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
      const tilt = Math.exp(delta * x - delta ** 2 / 2);
      const rung = gaps.findIndex((gap) => gap * tilt <= threshold);
      const chosen = rung === -1 ? 2 : rung;
      sums.shares[chosen]!++;
      sums.loss += chosen === 2 ? 0 : gaps[chosen]! * tilt;
      sums.cost += THREE.costUsd[chosen]!;
    }
    const found = routedAt([THREE], delta, threshold);
    expect(found.qualityLoss).toBeCloseTo(sums.loss / n, 3);
    expect(found.costUsd).toBeCloseTo(sums.cost / n, 4);
    for (const [rung, share] of found.shares.entries()) expect(share).toBeCloseTo(sums.shares[rung]! / n, 2);
  });

  it('finds the threshold of a loss and of a share', () => {
    const tasks = [EASY, HARD];
    expect(routedAt(tasks, 0.4, thresholdAtLoss(tasks, 0.4, 0.03)).qualityLoss).toBeCloseTo(0.03, 6);
    expect(routedAt(tasks, 0.4, thresholdAtRate(tasks, 0.4, 0.35)).escalationRate).toBeCloseTo(0.35, 6);
  });

  it('leaves a task cheap on which the cheap model is better', () => {
    const better: TaskOnLadder = { share: 1, quality: [0.8, 0.7], costUsd: [1, 2] };
    expect(routedAt([better], 0.4, 0)).toMatchObject({ escalationRate: 0, costUsd: 1 });
  });
});
