import { describe, expect, it } from 'vitest';
import {
  requireGap,
  requireTwoClasses,
  requireTwoClassesInFolds,
} from '../../evals/lifecycle/labelled-data.ts';

const MODELS = ['small', 'large'];
const columns = (...qualities: readonly number[][]) => qualities.map((column) => Float64Array.from(column));
const insufficient = (message: string) =>
  expect.objectContaining({ code: 'insufficient-data', message: expect.stringContaining(message) });

describe('what is asked of labels before anything is learned', () => {
  it('answers that differ, of every model', () => {
    expect(() => requireTwoClasses(columns([0, 1], [0.5, 1]), MODELS)).not.toThrow();
    expect(() => requireTwoClasses(columns([0, 1], [1, 1]), MODELS)).toThrow(
      insufficient('of large has quality 1'),
    );
    expect(() => requireTwoClasses(columns([0, 0], [0, 1]), MODELS)).toThrow(
      insufficient('of small has quality 0'),
    );
  });

  it('a strongest model that is better than the cheapest; those between may be anything', () => {
    expect(() => requireGap(columns([0, 1], [0, 0], [1, 1]), ['a', 'b', 'c'])).not.toThrow();
    expect(() => requireGap(columns([0, 1], [1, 0]), MODELS)).toThrow(
      insufficient('large (mean quality 0.500) is no better than small (0.500)'),
    );
  });

  it('both classes in more folds than are left out at once', () => {
    const folds = Int32Array.of(0, 0, 1, 1, 2, 2);
    const mixed = [0, 1, 0, 1, 0, 1];
    const failsInTwo = [0, 1, 0, 1, 1, 1];
    expect(() =>
      requireTwoClassesInFolds(columns(mixed, failsInTwo), MODELS, 'training', folds, 1),
    ).not.toThrow();
    expect(() => requireTwoClassesInFolds(columns(mixed, failsInTwo), MODELS, 'labelled', folds, 2)).toThrow(
      insufficient('Too few of the labelled cases have an answer of large with a quality below 1: 2 of 6.'),
    );
    expect(() =>
      requireTwoClassesInFolds(columns([0, 0, 0, 0, 1, 1], mixed), MODELS, 'training', folds, 1),
    ).toThrow(insufficient('of small with a quality above 0: 2 of 6. Add cases that it masters.'));
    expect(() => requireTwoClassesInFolds(columns(mixed, [1, 1]), MODELS, 'calibration')).toThrow(
      insufficient('Too few of the calibration cases'),
    );
  });

  it('a quality between 0 and 1 counts for both classes', () => {
    expect(() => requireTwoClassesInFolds(columns([0.5], [0.5]), MODELS, 'calibration')).not.toThrow();
  });
});
