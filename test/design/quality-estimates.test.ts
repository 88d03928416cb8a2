import { describe, expect, it } from 'vitest';
import type { QualityRow } from '../../evals/design/qualities.ts';
import { estimateQualities } from '../../evals/design/quality-estimates.ts';

const SPREAD = { difficulty: 1, model: 0.5 };
const probability = (logOdds: number) => 1 / (1 + Math.exp(-logOdds));

function rowsOf(n: number, source?: string): QualityRow[] {
  const qualities = { small: [0.7, 0.5, 0.8, 0.6], large: [0.85, 0.7, 0.9, 0.8] };
  return Object.entries(qualities).flatMap(([model, values]) =>
    values.map((quality, i) => ({
      model,
      task: `task-${i}`,
      quality,
      n,
      ...(source !== undefined && { source: `${source}-${i}` }),
    })),
  );
}

describe('estimates of qualities', () => {
  it('of many requests of the traffic itself are what was measured, with the sampling error alone', () => {
    const found = estimateQualities(rowsOf(10_000), SPREAD).of('small', 'task-1');
    expect(found).toMatchObject({ from: 'measured', n: 10_000, sharedSd: 0 });
    expect(probability(found.logOdds)).toBeCloseTo(0.5, 2);
    expect(found.ownSd).toBeCloseTo(Math.sqrt(1 / (10_000 * 0.25)), 3);
  });

  it('of few requests are drawn to what task and model let expect, and are less sure', () => {
    const rows = rowsOf(400).map((row) =>
      row.model === 'small' && row.task === 'task-0' ? { ...row, quality: 0, n: 4 } : row,
    );
    const found = estimateQualities(rows, SPREAD).of('small', 'task-0');
    expect(probability(found.logOdds)).toBeGreaterThan(0.2);
    expect(found.ownSd).toBeGreaterThan(0.3);
  });

  it('from elsewhere have the spread between data sets, most of it shared by the models of a task', () => {
    const estimates = estimateQualities(rowsOf(1_000, 'set'), SPREAD);
    const [small, large] = ['small', 'large'].map((model) => estimates.of(model, 'task-1'));
    expect(small).toMatchObject({ from: 'same-task', n: 1_000 });
    expect(small!.sharedSd).toBe(large!.sharedSd);
    expect(small!.sharedSd).toBeGreaterThan(0.3);
    expect(large!.logOdds).toBeGreaterThan(small!.logOdds);
    const unknown = estimates.of('small', 'translation');
    expect(unknown).toMatchObject({ from: 'other-tasks', n: 0 });
    expect(unknown.sharedSd).toBeGreaterThan(small!.sharedSd);
  });

  it('of a model that the table does not have are refused', () => {
    expect(() => estimateQualities(rowsOf(10), SPREAD).of('huge', 'task-0')).toThrow(/quality of huge/);
  });
});
