import { describe, expect, it } from 'vitest';
import type { Case } from '../../evals/cases/index.ts';
import { assessCascade } from '../../evals/lifecycle/index.ts';
import { mean, seededRandom } from '../../router/statistics/index.ts';
import type { Reply } from '../../router/types.ts';
import { LARGE, SMALL } from '../cli/made-up-data.ts';
import { LONG_RUN } from '../helpers/long-run.ts';
import { smallCases } from './small-run.ts';

const MODELS = [SMALL, LARGE] as const;

/** The small cases with what `replyTo` knows of the small model's reply, and other qualities where it gives some. */
function casesWith(replyTo: (one: Case, index: number) => Reply, qualities?: () => [number, number]): Case[] {
  return smallCases().map((one, i) => {
    const outcomes = new Map(one.outcomes);
    const [small, large] = qualities?.() ?? MODELS.map((model) => outcomes.get(model)!.quality);
    outcomes.set(SMALL, { ...outcomes.get(SMALL)!, quality: small!, reply: replyTo(one, i) });
    outcomes.set(LARGE, { ...outcomes.get(LARGE)!, quality: large! });
    return { ...one, outcomes };
  });
}

const assessed = (cases: Case[], models: readonly [string, string] = MODELS) =>
  assessCascade({ cases }, { models, folds: 3 });

describe('assessCascade', { timeout: 120_000 }, () => {
  it('finds nothing where labels and signals are drawn by lot: no label reaches its own score', async () => {
    const random = seededRandom(11);
    const drawn = (p: number) => Number(random() < p);
    const signals = () => ({
      confidenceLogprob: -random(),
      agreement: random(),
      text: 'B'.repeat(1 + 9 * random()),
    });
    const areas: number[] = [];
    const draws = LONG_RUN ? 5 : 2;
    for (let draw = 0; draw < draws; draw++) {
      const { apgr } = await assessed(casesWith(signals, () => [drawn(0.4), drawn(0.8)]));
      areas.push(apgr!);
    }
    expect(Math.abs(mean(areas) - 0.5)).toBeLessThan(0.11 / Math.sqrt(draws)); // three standard errors of the mean
  });

  it('learns from the verifier of a provider without log-probabilities, which has a row of its own', async () => {
    const cases = casesWith((one, i) => {
      const good = one.outcomes.get(SMALL)!.quality;
      return { verifier: i % 6 === 0 ? 1 - good : good };
    });
    const { apgr, baselines, gains, known } = await assessed(cases);
    expect(known).toMatchObject({ verifier: 300, confidence_logprob: 0, answer: 0 });
    expect(baselines).not.toHaveProperty('logprob_alone');
    expect(baselines).not.toHaveProperty('agreement_alone');
    expect(baselines.verifier_alone!.apgr).toBeGreaterThan(baselines.prompt_alone.apgr!);
    expect(apgr).toBeGreaterThan(baselines.prompt_alone.apgr!);
    expect(gains).not.toHaveProperty('logprob_alone');
    expect(apgr).toBe(baselines.without_logprobs.apgr);
    expect(gains.without_logprobs).toMatchObject({ difference: 0, low: 0, high: 0 });
    expect(baselines.without_logprobs.gain_over_prompt_alone).toEqual(gains.prompt_alone);
  });

  it('knows no costs where the cases have none', async () => {
    const cases = casesWith(() => ({ text: 'B' })).map((one) => ({
      ...one,
      outcomes: new Map([...one.outcomes].map(([model, { costUsd: _, ...rest }]) => [model, rest])),
    }));
    const { at_loss, baselines } = await assessed(cases);
    expect(at_loss.every((point) => !('cost_usd' in point) && !('saved_against_strong' in point))).toBe(true);
    expect(baselines.always_both).not.toHaveProperty('cost_usd');
  });

  it('refuses cases that say nothing of the cheap replies', async () => {
    await expect(assessed(smallCases())).rejects.toMatchObject({
      code: 'insufficient-data',
      message: expect.stringContaining('No case says anything of the replies of made-small'),
    });
  });
});
