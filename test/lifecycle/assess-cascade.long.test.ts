import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { assessCascade, loadLabelled } from '../../evals/lifecycle/index.ts';

const DATA = process.env['PLIMSOLL_DATA'];

/** What docs/EXPERIMENTS.md says of public data. */
describe.runIf(DATA)('on rational_cascades_answers', { timeout: 600_000 }, () => {
  it.each([
    ['gpt-4o-mini', 'gpt-4o', 0.79],
    ['llama3.1-8b', 'llama3.1-405b', 0.7],
    ['llama3.1-70b', 'llama3.1-405b', 0.83],
  ])(
    '%s -> %s: APGR of at least %d, and cheaper than the prompt alone at equal loss',
    async (cheap, strong, least) => {
      const files = [path.join(DATA!, 'rational_cascades_answers.jsonl.gz')];
      const data = await loadLabelled(files, { models: [cheap, strong], keepReplies: true });
      const { apgr, at_loss, baselines } = await assessCascade(data, {
        models: [cheap, strong],
        learner: 'lr',
        folds: 3, // the document has five, which take nearly three times as long
      });
      expect(apgr).toBeGreaterThan(least);
      at_loss.forEach(({ cost_usd }, i) => {
        expect(cost_usd).toBeLessThan(baselines.prompt_alone.at_loss[i]!.cost_usd!);
      });
    },
  );
});
