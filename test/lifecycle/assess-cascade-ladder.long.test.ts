import { describe, expect, it } from 'vitest';
import { assessCascadeLadder, type CascadeLadderPoint } from '../../evals/lifecycle/index.ts';
import { seededRandom } from '../../router/statistics/index.ts';
import { LARGE, MEDIUM, SMALL } from '../cli/made-up-data.ts';
import { smallCases } from './small-run.ts';

const MODELS = [SMALL, MEDIUM, LARGE] as const;
const PAIRS = [
  [SMALL, LARGE],
  [MEDIUM, LARGE],
];

/**
 * Cases whose prompts say nothing and whose replies say nearly all: each model masters what the weaker ones do, and more.
 * @param usd of a call of each model
 */
function casesAt(usd: readonly [number, number, number]) {
  const random = seededRandom(7);
  return smallCases().map((one) => {
    const difficulty = random();
    const quality = [0.25, 0.12, 0.05].map((share) => Number(difficulty > share));
    const outcomes = new Map(
      MODELS.map((model, rung) => {
        const good = quality[rung]!;
        const reply = { verifier: random() < 0.01 ? 1 - good : good };
        return [model, { quality: good, costUsd: usd[rung]!, ...(model !== LARGE && { reply }) }] as const;
      }),
    );
    return { ...one, text: `question ${Math.floor(random() * 1e6)}`, outcomes };
  });
}

const assessed = (usd: readonly [number, number, number]) =>
  assessCascadeLadder({ cases: casesAt(usd) }, { models: MODELS, folds: 3, learner: 'lr' });

function sumOfShares({ shares }: CascadeLadderPoint): number {
  return Object.values(shares).reduce((sum, share) => sum + share, 0);
}

describe('assessCascadeLadder', { timeout: 120_000 }, () => {
  it('finds that all rungs are worth it where each saves most of what the next one costs', async () => {
    const { at_loss, baselines, saved_against_two_rungs: saved, ...rest } = await assessed([1, 40, 100]);
    expect(rest).toMatchObject({ n: 300, routing_pays: true });
    expect(rest.conclusion).toContain('All its rungs are worth it');
    expect(saved!.low).toBeGreaterThan(0);
    expect(baselines.two_rungs.map(({ models }) => models)).toEqual(PAIRS);
    const ways = [at_loss, baselines.prompt_alone, baselines.without_logprobs];
    for (const points of [...ways, ...baselines.two_rungs.map((pair) => pair.at_loss)]) {
      expect(points.map(({ max_loss }) => max_loss)).toEqual([0.01, 0.02, 0.03]);
      for (const point of points) {
        expect(point.quality_loss).toBeLessThanOrEqual(point.max_loss);
        expect(sumOfShares(point)).toBeCloseTo(1, 12);
      }
    }
    for (const [i, { cost_usd }] of at_loss.entries()) {
      expect(cost_usd).toBeLessThan(baselines.prompt_alone[i]!.cost_usd);
    }
  });

  it('finds no third rung worth it where the lowest call costs as much as the next', async () => {
    const { saved_against_two_rungs: saved, conclusion } = await assessed([10, 10, 100]);
    expect(saved).toMatchObject({ models: [MEDIUM, LARGE] });
    expect(saved!.low).toBeLessThanOrEqual(0);
    expect(conclusion).toMatch(/Two rungs (are cheaper|do as well)/);
  });

  it('refuses cases that say nothing of the replies of a middle model, or not what a model cost', async () => {
    const cases = casesAt([1, 10, 100]);
    const without = (model: (typeof MODELS)[number], field: 'reply' | 'costUsd') =>
      cases.map((one) => {
        const { [field]: _, ...rest } = { reply: undefined, ...one.outcomes.get(model)! };
        return { ...one, outcomes: new Map([...one.outcomes, [model, rest as { quality: number }]]) };
      });
    const options = { models: MODELS, folds: 3 };
    await expect(assessCascadeLadder({ cases: without(MEDIUM, 'reply') }, options)).rejects.toMatchObject({
      message: expect.stringContaining(`No case says anything of the replies of ${MEDIUM}`),
    });
    await expect(assessCascadeLadder({ cases: without(SMALL, 'costUsd') }, options)).rejects.toMatchObject({
      message: expect.stringContaining(`does not say what ${SMALL} cost`),
    });
  });
});
