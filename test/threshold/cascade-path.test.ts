import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  amountsAt,
  cascadePath,
  cascadeScores,
  decisionScores,
  rungsAt,
  walkSteps,
} from '../../evals/threshold/index.ts';
import { skipAt } from '../../router/cascade/index.ts';
import { seededRandom } from '../../router/statistics/index.ts';

/** Losses in hundredths, so that many are equal. */
const loss = fc.integer({ min: -99, max: 99 }).map((hundredths) => hundredths / 100);
const cost = fc.integer({ min: 1, max: 50 });
const someCases = fc.array(fc.tuple(loss, loss, cost, cost), { minLength: 1, maxLength: 40 }).map((rows) => ({
  promptLosses: Float64Array.from(rows, ([prompt]) => prompt),
  replyLosses: Float64Array.from(rows, ([, reply]) => reply),
  cheapCostUsd: rows.map(([, , cheap]) => cheap),
  strongCostUsd: rows.map(([, , , strong]) => strong),
}));
type Cases = Parameters<typeof cascadePath>[0];

function totalCost(cases: Cases, accept: number, skip: number): number {
  let total = 0;
  cases.promptLosses.forEach((prompt, row) => {
    const [cheap, strong] = [cases.cheapCostUsd[row]!, cases.strongCostUsd[row]!];
    if (prompt > skip) total += strong;
    else total += cheap + (cases.replyLosses[row]! <= accept ? 0 : strong);
  });
  return total;
}

describe('cascadePath', () => {
  it('has at each accept level the limit that costs least, against a search of every limit', () => {
    fc.assert(
      fc.property(someCases, fc.integer({ min: -1000, max: 1000 }), (cases, thousandths) => {
        const accept = thousandths / 1000;
        const own = totalCost(cases, accept, skipAt({ path: cascadePath(cases) }, accept));
        for (let skip = -0.995; skip < 1; skip += 0.01)
          expect(own).toBeLessThanOrEqual(totalCost(cases, accept, skip));
      }),
    );
  });

  it('rises with the accept level, in steps that artifacts may hold', () => {
    fc.assert(
      fc.property(someCases, (cases) => {
        const path = cascadePath(cases);
        expect(path[0]!.accept).toBe(-1);
        path.forEach(({ accept, skip }, i) => {
          expect(skip).toBeGreaterThanOrEqual(-1);
          expect(skip).toBeLessThan(1);
          if (i > 0) expect(accept).toBeGreaterThan(path[i - 1]!.accept);
          if (i > 0) expect(skip).toBeGreaterThan(path[i - 1]!.skip);
        });
      }),
    );
  });

  it('skips nothing where no costs are known', () => {
    const unknown = [undefined, undefined];
    const losses = Float64Array.of(-0.2, 0.9);
    const cases = { promptLosses: losses, replyLosses: losses, cheapCostUsd: [1, 1], strongCostUsd: unknown };
    expect(cascadePath(cases)).toEqual([{ accept: -1, skip: 0.999 }]);
  });

  it('skips nothing where the cheap call costs nothing, and all where it costs more', () => {
    const random = seededRandom(3);
    const losses = () => Float64Array.from({ length: 50 }, () => random() - 0.3);
    const [promptLosses, replyLosses] = [losses(), losses()];
    const at = (cheap: number) =>
      cascadePath({
        promptLosses,
        replyLosses,
        cheapCostUsd: new Float64Array(50).fill(cheap),
        strongCostUsd: new Float64Array(50).fill(1),
      });
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

  it('decides by one threshold as skip and accept level do, and counts the cheap call wherever it is made', () => {
    fc.assert(
      fc.property(path, someCases, (steps, { promptLosses, replyLosses, cheapCostUsd, strongCostUsd }) => {
        const scores = cascadeScores({ path: steps }, promptLosses, replyLosses);
        const columns = decisionScores({ probabilities: [], cascade: scores });
        const costs = [cheapCostUsd, strongCostUsd].map((column) => Float64Array.from(column));
        for (const accept of walkSteps(-1, 1).filter((_, i) => i % 50 === 0)) {
          const rungs = rungsAt(columns, accept);
          const served = amountsAt(costs, accept, scores);
          promptLosses.forEach((prompt, row) => {
            const skipped = prompt > skipAt({ path: steps }, accept);
            const kept = !skipped && replyLosses[row]! <= accept;
            expect(rungs[row]).toBe(kept ? 0 : 1);
            const [cheap, strong] = [cheapCostUsd[row]!, strongCostUsd[row]!];
            expect(served[rungs[row]!]![row]).toBe(kept ? cheap : skipped ? strong : cheap + strong);
          });
        }
      }),
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
      Float64Array.of(-0.2, 0.2, 0.6),
      Float64Array.of(Number.NaN, Number.NaN, Number.NaN),
    );
    expect(Array.from(scores.keptFrom)).toEqual([-1, 0.5, Number.POSITIVE_INFINITY]);
  });
});
