import { expect, test } from 'vitest';
import { differenceBound, judgedLossBound, mean, seededRandom } from '../../router/statistics/index.ts';
import { drawn } from './judged-world.ts';

const DELTA = 0.05;
test('a judge that makes no mistake costs little beside people alone, and n = N is people alone', () => {
  const { human } = drawn({ loss: 0.05, error: 0, bias: 0 }, 4_000, seededRandom(1));
  const few = { judged: human.subarray(0, 400), human: human.subarray(0, 400) };
  const bound = judgedLossBound(human, few, DELTA);
  // On so few people's labels the correction alone is about .03 wide, whatever the judge is worth.
  expect(bound.ofError).toBeLessThan(0.045);
  expect(bound.upper).toBeGreaterThan(mean(human));
  expect(bound.upper).toBeCloseTo(bound.ofJudged + bound.ofError, 12);
  const all = judgedLossBound(human, { judged: human, human }, DELTA);
  expect(all.upper).toBe(differenceBound.upper(human, DELTA));
});

test('what is no audit of these cases is refused', () => {
  const two = Float64Array.of(0, 1);
  expect(() => judgedLossBound(two, { judged: two, human: Float64Array.of(0) }, DELTA)).toThrow(/audited/);
  expect(() => judgedLossBound(Float64Array.of(0), { judged: two, human: two }, DELTA)).toThrow(/audited/);
  expect(() => judgedLossBound(two, { judged: two, human: Float64Array.of(0, Number.NaN) }, DELTA)).toThrow();
});
