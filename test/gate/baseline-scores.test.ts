import { describe, expect, it } from 'vitest';
import type { Case } from '../../evals/cases/index.ts';
import {
  oracleScores,
  type PairedOutcomes,
  promptLengthScores,
  taskLabelScores,
} from '../../evals/gate/index.ts';

function casesOf(...rows: readonly (readonly [task: string | undefined, text: string])[]): Case[] {
  return rows.map(([task, text], i) => ({
    id: `${i}`,
    key: `${i}`,
    text,
    ...(task !== undefined && { task }),
    outcomes: new Map(),
  }));
}

function outcomesOf(cheap: readonly number[], strong: readonly number[]): PairedOutcomes {
  const unknown = cheap.map(() => undefined);
  return {
    cheapQuality: Float64Array.from(cheap),
    strongQuality: Float64Array.from(strong),
    cheapCostUsd: unknown,
    strongCostUsd: unknown,
  };
}

describe('promptLengthScores', () => {
  it('is the length of the text', () => {
    expect(Array.from(promptLengthScores(casesOf(['a', ''], ['a', 'abc'])))).toEqual([0, 3]);
  });
});

describe('oracleScores', () => {
  it('is what escalating gains, below 0 where it loses', () => {
    expect(Array.from(oracleScores(outcomesOf([0.25, 1, 0.5], [1, 0, 0.5])))).toEqual([0.75, -1, 0]);
  });
});

describe('taskLabelScores', () => {
  const cases = casesOf(
    ['maths', ''],
    ['maths', ''],
    ['chat', ''],
    ['chat', ''],
    ['maths', ''],
    ['rare', ''],
  );
  const outcomes = outcomesOf([0, 0, 1, 1, 0, 0], [1, 0.5, 1, 0.5, 0.25, 1]);
  const folds = Int32Array.of(0, 1, 0, 1, 1, 0);

  it('is the mean gain of the task over the other folds, and of all of them for a task that they do not have', () => {
    const scores = taskLabelScores(cases, outcomes, folds)!;
    // gains: 1, 0.5, 0, -0.5, 0.25, 1
    expect(Array.from(scores)).toEqual([
      (0.5 + 0.25) / 2, // maths in fold 1
      1, // maths in fold 0
      -0.5,
      0,
      1,
      (0.5 - 0.5 + 0.25) / 3, // rare: all of fold 1
    ]);
  });

  it('never uses a gain of the own fold', () => {
    const before = taskLabelScores(cases, outcomes, folds)!;
    const strongQuality = outcomes.strongQuality.map((quality, row) =>
      folds[row] === 0 ? 1 - quality : quality,
    );
    const after = taskLabelScores(cases, { ...outcomes, strongQuality }, folds)!;
    expect([after[0], after[2], after[5]]).toEqual([before[0], before[2], before[5]]);
    expect(after[1]).not.toBe(before[1]);
  });

  it('takes cases without a task for a task of their own', () => {
    const some = casesOf([undefined, ''], [undefined, ''], ['maths', ''], ['maths', '']);
    const scores = taskLabelScores(
      some,
      outcomesOf([0, 0, 0, 0], [1, 0.5, 0.25, 0]),
      Int32Array.of(0, 1, 0, 1),
    )!;
    expect(Array.from(scores)).toEqual([0.5, 1, 0, 0.25]);
  });

  it('is undefined where no case names a task', () => {
    expect(taskLabelScores(casesOf([undefined, '']), outcomesOf([0], [1]), Int32Array.of(0))).toBeUndefined();
  });
});
