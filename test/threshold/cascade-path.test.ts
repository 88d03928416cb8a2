import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  amountsAt,
  cascadePaths,
  cascadeScores,
  decisionScores,
  rungsAt,
  walkSteps,
} from '../../evals/threshold/index.ts';
import { type CascadeStep, skipAt } from '../../router/cascade/index.ts';
import { calledRungs } from '../../router/policy/policy.ts';
import { seededRandom } from '../../router/statistics/index.ts';

type Cases = Parameters<typeof cascadePaths>[0];

/** Losses in hundredths, so that many are equal. */
const loss = fc.integer({ min: -99, max: 99 }).map((hundredths) => hundredths / 100);
const cost = fc.integer({ min: 1, max: 50 });

/** Cases of a ladder with so many rungs whose replies are judged. */
function someCases(checked: number): fc.Arbitrary<Cases> {
  const each = <T>(of: fc.Arbitrary<T>, count = checked) =>
    fc.array(of, { minLength: count, maxLength: count });
  const row = fc.tuple(each(loss), each(loss), each(cost, checked + 1));
  return fc.array(row, { minLength: 1, maxLength: 40 }).map((rows) => {
    const columns = (count: number, of: (row: (typeof rows)[number]) => readonly number[]) =>
      Array.from({ length: count }, (_, rung) => Float64Array.from(rows, (one) => of(one)[rung]!));
    return {
      promptLosses: columns(checked, ([prompts]) => prompts),
      replyLosses: columns(checked, ([, replies]) => replies),
      costUsd: columns(checked + 1, ([, , costs]) => costs),
    };
  });
}

/** Calls one rung after the other. */
function naiveRoute(cases: Cases, row: number, accept: number, skips: readonly number[]) {
  let usd = 0;
  for (const [rung, skip] of skips.entries()) {
    if (cases.promptLosses[rung]![row]! > skip) continue;
    usd += cases.costUsd[rung]![row]!;
    if (cases.replyLosses[rung]![row]! <= accept) return { rung, usd };
  }
  return { rung: skips.length, usd: usd + cases.costUsd.at(-1)![row]! };
}

function totalCost(cases: Cases, accept: number, skips: readonly number[]): number {
  return cases.promptLosses[0]!.reduce((sum, _, row) => sum + naiveRoute(cases, row, accept, skips).usd, 0);
}

const skipsAt = (paths: readonly CascadeStep[][], accept: number) =>
  paths.map((path) => skipAt({ path }, accept));

describe('cascadePaths', () => {
  it('has at each accept level the limit that costs least, against a search of every limit', () => {
    fc.assert(
      fc.property(someCases(1), fc.integer({ min: -1000, max: 1000 }), (cases, thousandths) => {
        const accept = thousandths / 1000;
        const own = totalCost(cases, accept, skipsAt(cascadePaths(cases), accept));
        for (let skip = -0.995; skip < 1; skip += 0.01)
          expect(own).toBeLessThanOrEqual(totalCost(cases, accept, [skip]));
      }),
    );
  });

  it('has on the rung below the strongest the limits of a ladder of these two', () => {
    fc.assert(
      fc.property(someCases(3), (cases) => {
        const { promptLosses, replyLosses, costUsd } = cases;
        const [, , last] = cascadePaths(cases);
        const pair = {
          promptLosses: promptLosses.slice(2),
          replyLosses: replyLosses.slice(2),
          costUsd: costUsd.slice(2),
        };
        expect(last).toEqual(cascadePaths(pair)[0]);
      }),
      { numRuns: 30 },
    );
  });

  it('has at the strictest level, of three rungs too, the limit that costs least with those above it', () => {
    fc.assert(
      fc.property(someCases(2), (cases) => {
        const skips = skipsAt(cascadePaths(cases), -1);
        const own = totalCost(cases, -1, skips);
        for (let skip = -0.995; skip < 1; skip += 0.01)
          expect(own).toBeLessThanOrEqual(totalCost(cases, -1, [skip, skips[1]!]));
      }),
      { numRuns: 30 },
    );
  });

  it('rises with the accept level, in steps that artifacts may hold', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }).chain(someCases), (cases) => {
        for (const path of cascadePaths(cases)) {
          expect(path[0]!.accept).toBe(-1);
          path.forEach(({ accept, skip }, i) => {
            expect(skip).toBeGreaterThanOrEqual(-1);
            expect(skip).toBeLessThan(1);
            if (i > 0) expect(accept).toBeGreaterThan(path[i - 1]!.accept);
            if (i > 0) expect(skip).toBeGreaterThan(path[i - 1]!.skip);
          });
        }
      }),
      { numRuns: 50 },
    );
  });

  it('skips nothing where no costs are known', () => {
    const losses = [Float64Array.of(-0.2, 0.9)];
    const costUsd = [
      [1, 1],
      [undefined, undefined],
    ];
    expect(cascadePaths({ promptLosses: losses, replyLosses: losses, costUsd })).toEqual([
      [{ accept: -1, skip: 0.999 }],
    ]);
  });

  it('skips nothing where the cheap call costs nothing, and all where it costs more', () => {
    const random = seededRandom(3);
    const losses = () => Float64Array.from({ length: 50 }, () => random() - 0.3);
    const [promptLosses, replyLosses] = [[losses()], [losses()]];
    const at = (cheap: number) =>
      cascadePaths({
        promptLosses,
        replyLosses,
        costUsd: [new Float64Array(50).fill(cheap), new Float64Array(50).fill(1)],
      })[0]!;
    expect(at(0)).toEqual([{ accept: -1, skip: 0.999 }]);
    expect(skipAt({ path: at(2) }, 0.2)).toBe(-1);
  });
});

describe('cascadeScores', () => {
  const tenths = { min: -10, max: 9 };
  const path = fc
    .uniqueArray(fc.tuple(fc.integer(tenths), fc.integer(tenths)), {
      minLength: 1,
      maxLength: 5,
      selector: ([a]) => a,
    })
    .map((steps) => {
      const accepts = steps.map(([accept]) => accept / 10).sort((a, b) => a - b);
      const skips = steps.map(([, skip]) => skip / 10).sort((a, b) => a - b);
      return accepts.map((accept, i) => ({ accept, skip: skips[i]! }));
    });
  const cascades = fc
    .integer({ min: 1, max: 3 })
    .chain((checked) =>
      fc.tuple(fc.array(path, { minLength: checked, maxLength: checked }), someCases(checked)),
    );

  /** Of which the predicted losses are these, but for rounding. */
  const probabilitiesOf = ({ promptLosses }: Cases) => [
    ...promptLosses.map((column) => column.map((prompt) => -prompt)),
    new Float64Array(promptLosses[0]!.length),
  ];

  it('decides by one threshold as skip and accept level do on each rung, and counts each call that is made', () => {
    fc.assert(
      fc.property(cascades, ([paths, cases]) => {
        const [cheapest, ...middle] = paths.map((steps) => ({ path: steps }));
        const cascade = { ...cheapest!, middle };
        const probabilities = probabilitiesOf(cases);
        const scores = cascadeScores(cascade, probabilities, cases.replyLosses);
        const columns = decisionScores({ probabilities: [], cascade: scores });
        const costs = cases.costUsd.map((column) => Float64Array.from(column as Float64Array));
        for (const accept of walkSteps(-1, 1).filter((_, i) => i % 50 === 0)) {
          const rungs = rungsAt(columns, accept);
          const served = amountsAt(costs, accept, scores);
          const skips = skipsAt(paths, accept);
          rungs.forEach((rung, row) => {
            const naive = naiveRoute(cases, row, accept, skips);
            expect({ rung, usd: served[rung]![row] }).toEqual(naive);
            const own = probabilities.map((column) => column[row]!);
            const called = calledRungs(cascade, own, accept); // what serves
            const keeper = called.find((one) => cases.replyLosses[one]![row]! <= accept);
            expect(keeper ?? paths.length).toBe(rung);
          });
        }
      }),
      { numRuns: 40 },
    );
  });

  it('keeps a reply that is not known as soon as its prompt is not skipped', () => {
    const scores = cascadeScores(
      {
        path: [
          { accept: -1, skip: 0 },
          { accept: 0.5, skip: 0.4 },
        ],
      },
      [Float64Array.of(0.2, -0.2, -0.6), new Float64Array(3)],
      [Float64Array.of(Number.NaN, Number.NaN, Number.NaN)],
    );
    expect(scores.keptFrom.map((levels) => Array.from(levels))).toEqual([
      [-1, 0.5, Number.POSITIVE_INFINITY],
    ]);
  });
});
