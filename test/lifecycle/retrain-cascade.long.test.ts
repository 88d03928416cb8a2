import path from 'node:path';
import { expect, it } from 'vitest';
import { runGate } from '../../evals/gate/index.ts';
import { type RetrainOptions, retrain } from '../../evals/lifecycle/index.ts';
import { readArtifact, readVerdict } from '../../router/artifact/index.ts';
import { cascadeWorld } from '../gate/cascade-world.ts';
import { CHEAP, copyOf, gateWorld } from '../gate/gate-world.ts';

const world = await cascadeWorld();

async function retrained(of: string, changes: Partial<RetrainOptions> = {}) {
  const champion = copyOf(of);
  const out = path.join(path.dirname(champion), 'challenger');
  const base = {
    ...{ data: [world.data], champion, out, suite: world.suite, tolerance: 0.1 },
    learner: 'lr', // as the champion: the others take longer to learn
  } as const;
  await runGate({ artifact: champion, suite: world.suite, data: [world.data], write: true });
  return { ...(await retrain({ ...base, ...changes })), again: () => retrain({ ...base, ...changes }) };
}

it('keeps both stages of a cascade', async () => {
  const { artifact, comparison, again } = await retrained(world.artifact);
  const champion = readArtifact(world.artifact).manifest;
  expect(artifact.manifest.cascade!.judge.columns).toEqual(champion.cascade!.judge.columns);
  const { champion: before, challenger: now } = comparison.measured;
  expect(Math.abs(now.quality_loss.value - before.quality_loss.value)).toBeLessThan(0.02);
  expect((await again()).resumed).toBe(true);
}, 120_000);

it('sets a cascade against a router by the prompt alone, with the cheap calls in its costs', async () => {
  const { artifact, comparison, verdict } = await retrained(world.promptAlone, { cascade: true });
  expect(artifact.manifest.cascade).toBeDefined();
  const { champion, challenger } = comparison.measured;
  expect(challenger.escalation_rate).toBeLessThan(champion.escalation_rate);
  const { cost } = verdict.evidence as { cost: { routed_usd: number } };
  expect(challenger.cost_usd).toBeCloseTo(cost.routed_usd, 9);
  expect(readVerdict(artifact.folder)!.evidence).toHaveProperty('cascade');
}, 120_000);

it('learns what is named, and does not take one for it that was learned otherwise', async () => {
  const champion = copyOf(world.promptAlone);
  const out = path.join(path.dirname(champion), 'challenger');
  const base = {
    data: [world.data],
    champion,
    out,
    suite: world.suite,
    tolerance: 0.1,
    learner: 'lr',
  } as const;
  const learned = await retrain({ ...base, learner: 'lr+knn' });
  expect(learned.artifact.manifest.classifier.learner).toBe('lr+knn');
  expect((await retrain({ ...base, learner: 'lr+knn' })).resumed).toBe(true);
  await expect(retrain({ ...base, learner: 'lr' })).rejects.toMatchObject({
    message: expect.stringContaining(out),
  });
  const again = await retrain({ ...base, learner: 'lr', force: true });
  expect(again.resumed).toBe(false);
  expect(again.artifact.manifest.classifier).not.toHaveProperty('learner');
}, 120_000);

it('refuses data without replies', async () => {
  const data = [(await gateWorld()).data];
  await expect(retrained(world.artifact, { data })).rejects.toMatchObject({
    code: 'insufficient-data',
    message: expect.stringContaining(`No case says anything of the replies of ${CHEAP}`),
  });
});
