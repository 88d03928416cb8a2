import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { replayArtifact } from '../../evals/gate/index.ts';
import { fitExpectedLoss } from '../../evals/lifecycle/calibration.ts';
import { assess, train } from '../../evals/lifecycle/index.ts';
import { readArtifact, writeArtifact } from '../../router/artifact/index.ts';
import { loadConfig } from '../../router/config/index.ts';
import { createRouter } from '../../router/create-router.ts';
import { decisionSchema } from '../../router/openapi/decision-schemas.ts';
import { explainedJson } from '../../router/server/index.ts';
import { LARGE, SMALL } from '../cli/made-up-data.ts';
import { sampled } from '../helpers/long-run.ts';
import { smallCases, smallRun } from './small-run.ts';

const home = mkdtempSync(path.join(tmpdir(), 'plimsoll-learners-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const CASES = smallCases();

describe.each(sampled(['lr+clusters+knn', 'lr+knn', 'lr+clusters'] as const))(
  'an artifact of %s',
  (learner) => {
    const folder = path.join(home, learner);

    it('is written, replayed and served by one scoring, and explains itself', async () => {
      const [data, options] = smallRun({ learner });
      const draft = await train(data, options);
      expect(draft.manifest.classifier).toMatchObject({ learner });
      expect(draft.manifest.classifier.compared).toBeUndefined(); // named, not chosen
      expect(draft.modelCard.includes('100 nearest training cases')).toBe(learner.endsWith('knn'));
      expect(draft.modelCard.includes('64 clusters')).toBe(learner.startsWith('lr+clusters'));
      writeArtifact(folder, draft);

      const replay = await replayArtifact(readArtifact(folder), CASES.slice(0, 20), false); // checks golden cases
      const router = await createRouter(loadConfig(undefined, {}, { artifact: folder, allowUngated: true }));
      for (const [row, { text }] of CASES.slice(0, 20).entries()) {
        const explained = await router.explain({ prompt: text });
        const scores = Object.values(explained.decision.scores!);
        expect(scores).toEqual(replay.probabilities.map((column) => column[row]));
        const { slope, intercept } = draft.manifest.expected_loss!;
        const { predictedLoss, expectedLoss } = explained.decision;
        expect(expectedLoss).toBeCloseTo(Math.max(-1, intercept + slope * predictedLoss!), 12);
        expect(() => decisionSchema.parse(explainedJson(explained))).not.toThrow();
        Object.values(explained.explanation!).forEach(({ logit, neighbours }, rung) => {
          expect(1 / (1 + Math.exp(-logit))).toBeCloseTo(scores[rung]!, 5);
          expect(neighbours?.nearest.length).toBe(learner.endsWith('knn') ? 5 : undefined);
        });
      }
      await router.close();
    });
  },
);

describe('fitExpectedLoss', () => {
  const quality = [Float64Array.of(1, 0.5, 0, 0), Float64Array.of(1, 1, 1, 1)];
  const strong = new Float64Array(4).fill(0.9);

  it('is the least-squares line of the loss over the predicted loss', () => {
    const probabilities = [Float64Array.of(0.9, 0.7, 0.5, 0.5), strong]; // predicted: 0, .2, .4, .4; lost: 0, .5, 1, 1
    const { slope, intercept } = fitExpectedLoss({ probabilities, quality })!;
    expect(slope).toBeCloseTo(2.5, 12);
    expect(intercept).toBeCloseTo(0, 12);
  });

  it('is flat, and never falls, where the scores say nothing or the contrary', () => {
    for (const cheap of [strong, Float64Array.of(0.1, 0.5, 0.8, 0.8)]) {
      expect(fitExpectedLoss({ probabilities: [cheap, strong], quality })).toEqual({
        slope: 0,
        intercept: 0.625,
      });
    }
  });
});

describe('assess', () => {
  it('gives the gain of what is learned over logistic regression alone, and none where that is all', async () => {
    const options = { models: [SMALL, LARGE], folds: 3 } as const;
    const learned = await assess({ cases: CASES }, { ...options, learner: 'lr+knn' });
    expect(learned.learners).toEqual(['lr+knn', 'lr+knn', 'lr+knn']);
    const { difference, low, high, level } = learned.gain_over_plain!;
    expect(difference).toBeCloseTo(learned.apgr! - learned.baselines.plain!.apgr!, 12);
    expect(low).toBeLessThan(high);
    expect(level).toBe(0.95);

    const plain = await assess({ cases: CASES }, options); // too few to choose
    expect(plain.learners).toEqual(['lr', 'lr', 'lr']);
    expect(plain).not.toHaveProperty('gain_over_plain');
    expect(plain.baselines).not.toHaveProperty('plain');
    expect(plain.apgr).toBe(learned.baselines.plain!.apgr);
  });
});
