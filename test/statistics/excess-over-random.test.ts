import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { excessOverRandom, pairedExcess } from '../../router/statistics/excess.ts';
import { routingCurve } from '../../router/statistics/routing-curve.ts';
import { cases } from './metrics-oracle.ts';
import { ladder, pair, type RoutedCases, routedCases } from './policy-cases.ts';
import { policyOracle } from './policy-oracle.ts';

const invalid = expect.objectContaining({ code: 'invalid-input' });
const average = (values: readonly number[]) => values.reduce((total, v) => total + v, 0) / values.length;
const anyLadder = fc.integer({ min: 2, max: 4 }).chain((rungCount) => routedCases(rungCount));

/** The cases with the given indexes, in that order; an index may come twice. */
function pick({ qualityByRung, rungs }: RoutedCases, indexes: readonly number[]): RoutedCases {
  return {
    qualityByRung: qualityByRung.map((quality) => indexes.map((i) => quality[i]!)),
    rungs: indexes.map((i) => rungs[i]!),
  };
}

function permutations(values: readonly number[]): number[][] {
  if (values.length < 2) return [[...values]];
  return values.flatMap((one, i) => permutations(values.toSpliced(i, 1)).map((rest) => [one, ...rest]));
}

function kernel(routed: RoutedCases, a: number, b: number): number {
  const { qualityByRung, rungs } = pick(routed, [a, b]);
  return pairedExcess(qualityByRung, rungs)![0]!;
}

function orderedPairs(n: number, distinct: boolean): [number, number][] {
  const all = Array.from({ length: n }, (_, a) =>
    Array.from({ length: n }, (_, b): [number, number] => [a, b]),
  );
  return all.flat().filter(([a, b]) => !distinct || a !== b);
}

describe('excessOverRandom', () => {
  it('is the population covariance of numpy for two rungs, and the mean over random deals for three', () => {
    expect(excessOverRandom(pair.qualityByRung, pair.rungs)).toBeCloseTo(policyOracle.excessTwoRungs, 12);
    expect(excessOverRandom(ladder.qualityByRung, ladder.rungs)).toBeCloseTo(policyOracle.excessLadder, 12);
  });

  it('is the height of the routing curve over the line between its ends', () => {
    const { meanQuality } = routingCurve(cases.scores, cases.cheapQuality, cases.strongQuality);
    const escalated = pair.rungs.filter((rung) => rung > 0).length;
    const line = meanQuality[0]! + (escalated / 40) * (meanQuality[40]! - meanQuality[0]!);
    expect(excessOverRandom(pair.qualityByRung, pair.rungs)).toBeCloseTo(meanQuality[escalated]! - line, 12);
  });

  it('is 0 where all or none are escalated, and changes its sign with the decisions', () => {
    const { qualityByRung, rungs } = pair;
    expect(excessOverRandom(qualityByRung, Array(40).fill(0))).toBe(0);
    expect(excessOverRandom(qualityByRung, Array(40).fill(1))).toBeCloseTo(0, 12);
    const turned = rungs.map((rung) => 1 - rung);
    expect(excessOverRandom(qualityByRung, turned)).toBeCloseTo(-excessOverRandom(qualityByRung, rungs), 12);
  });

  it('sets each rung against itself dealt out at random, worked by hand', () => {
    const qualities = [
      [0, 0.2],
      [0.5, 0.7],
      [1, 0.8],
    ];
    expect(excessOverRandom(qualities, [1, 1])).toBeCloseTo(0, 12);
    expect(excessOverRandom(qualities, [1, 0])).toBeCloseTo((0.5 + 0.2) / 2 - (0.1 + 0.6) / 2, 12);
  });

  it('is 0 on average over all deals of the same decisions', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 4 }).chain((rungCount) => routedCases(rungCount, 5)),
        ({ qualityByRung, rungs }) => {
          const dealt = permutations(rungs).map((deal) => excessOverRandom(qualityByRung, deal));
          expect(average(dealt)).toBeCloseTo(0, 12);
        },
      ),
    );
  });

  it('with two rungs is, to the last bit, what the formula of escalations alone gives', () => {
    fc.assert(
      fc.property(routedCases(2), ({ qualityByRung, rungs }) => {
        const [cheap, strong] = [qualityByRung[0]!, qualityByRung[1]!];
        const sum = (of: (i: number) => number) => rungs.reduce((total, _, i) => total + of(i), 0);
        const n = rungs.length;
        const gained = sum((i) => rungs[i]! * (strong[i]! - cheap[i]!)) / n;
        const expected = gained - (sum((i) => rungs[i]!) / n) * (sum((i) => strong[i]! - cheap[i]!) / n);
        expect(excessOverRandom(qualityByRung, rungs) + 0).toBe(expected + 0); // -0 is 0
      }),
    );
  });

  it('reaches both ends of its range for two rungs', () => {
    const qualities = [
      [0, 1],
      [1, 0],
    ];
    expect(excessOverRandom(qualities, [1, 0])).toBe(0.5);
    expect(excessOverRandom(qualities, [0, 1])).toBe(-0.5);
  });
});

describe('pairedExcess', () => {
  it('is the covariance kernel (e[a] - e[b]) (g[a] - g[b]) / 2 for two rungs', () => {
    fc.assert(
      fc.property(routedCases(2), ({ qualityByRung, rungs }) => {
        const [cheap, strong] = [qualityByRung[0]!, qualityByRung[1]!];
        const found = pairedExcess([cheap, strong], rungs)!;
        expect(found).toHaveLength(Math.floor(rungs.length / 2));
        found.forEach((h, i) => {
          const [a, b] = [2 * i, 2 * i + 1];
          const gains = strong[a]! - cheap[a]! - (strong[b]! - cheap[b]!);
          expect(h).toBeCloseTo(((rungs[a]! - rungs[b]!) * gains) / 2, 12);
        });
      }),
    );
  });

  it('has the excess for its expectation, for any ladder: two cases drawn independently from the set', () => {
    fc.assert(
      fc.property(anyLadder, (routed) => {
        const drawn = orderedPairs(routed.rungs.length, false).map(([a, b]) => kernel(routed, a, b));
        expect(average(drawn)).toBeCloseTo(excessOverRandom(routed.qualityByRung, routed.rungs), 12);
      }),
    );
  });

  it('is unbiased where the cases are a sample: its mean over distinct pairs, averaged over all samples of three', () => {
    fc.assert(
      fc.property(routedCases(3, 4), (law) => {
        const n = law.rungs.length;
        const triples = orderedPairs(n, false).flatMap(([a, b]) =>
          Array.from({ length: n }, (_, c) => [a, b, c]),
        );
        const means = triples.map((indexes) => {
          const sample = pick(law, indexes);
          return average(orderedPairs(3, true).map(([a, b]) => kernel(sample, a, b)));
        });
        expect(average(means)).toBeCloseTo(excessOverRandom(law.qualityByRung, law.rungs), 12);
      }),
      { numRuns: 30 },
    );
  });

  it('is n / (n - 1) of the plug-in over all distinct pairs of a set, for two rungs', () => {
    const pairs = orderedPairs(40, true).map(([a, b]) => kernel(pair, a, b));
    const plugIn = excessOverRandom(pair.qualityByRung, pair.rungs);
    expect(average(pairs)).toBeCloseTo((plugIn * 40) / 39, 12);
  });

  it('stays in -1..1 for any ladder, and reaches both ends', () => {
    fc.assert(
      fc.property(anyLadder, ({ qualityByRung, rungs }) => {
        pairedExcess(qualityByRung, rungs)!.forEach((h) => {
          expect(Math.abs(h)).toBeLessThanOrEqual(1);
        });
      }),
    );
    const qualities = [
      [0, 1],
      [1, 0],
    ];
    expect(Array.from(pairedExcess(qualities, [1, 0])!)).toEqual([1]);
    expect(Array.from(pairedExcess(qualities, [0, 1])!)).toEqual([-1]);
    expect(Array.from(pairedExcess([...qualities, [1, 1]], [1, 1])!)).toEqual([0]);
  });

  it('pairs neighbours, leaves out an odd last case and has no value for a single one', () => {
    const qualities = [
      [0, 0, 0, 1, 0],
      [1, 0.5, 1, 1, 1],
    ];
    expect(Array.from(pairedExcess(qualities, [1, 0, 0, 0, 1])!)).toEqual([0.25, 0]);
    expect(pairedExcess([[0], [1]], [1])).toBeUndefined();
  });
});

describe.each([
  ['excessOverRandom', excessOverRandom],
  ['pairedExcess', pairedExcess],
])('%s refuses', (_, measure) => {
  it.each([
    ['no cases', [[], []], []],
    ['one rung', [[1]], [0]],
    ['rungs of different lengths', [[1, 0], [1]], [0, 0]],
    ['another number of decisions', [[1], [1]], [0, 0]],
    ['a rung that the ladder does not have', [[1], [1]], [2]],
    ['a half rung', [[1], [1]], [0.5]],
    ['NaN', [[Number.NaN], [1]], [0]],
    ['a quality above 1', [[0], [1.5]], [0]],
  ])('%s', (_reason, qualities, rungs) => {
    expect(() => measure(qualities, rungs)).toThrow(invalid);
  });
});
