import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { type Case, seenQuestions } from '../../evals/cases/index.ts';
import { planLabels, replayArtifact, runGate } from '../../evals/gate/index.ts';
import { escalatedShare } from '../../evals/gate/label-plan.ts';
import { readArtifact } from '../../router/artifact/index.ts';
import { cascadeWorld } from './cascade-world.ts';
import { CHEAP, gateWorld, writeSuite } from './gate-world.ts';

const world = await cascadeWorld();
const artifact = readArtifact(world.artifact);
const known = seenQuestions(artifact.seenQuestions);
const isSeen = (one: Case) => known.sighting(one) !== undefined;
const unseen = world.cases.filter((one) => !isSeen(one));
const out = path.join(world.home, 'to-label.jsonl');
const request = { artifact: world.artifact, n: 1000, margin: 0.08, confidence: 0.95, out, force: true };

it('draws labels for a cascade by what its judge makes of the replies, and the gate proves by them', async () => {
  const { plan, planFile } = await planLabels({ ...request, prompts: [world.data] });
  const { cascade } = await replayArtifact(artifact, unseen, false);
  const below = cascade!.keptFrom[0]!.filter((level) => level <= plan.limit).length;
  expect(plan.below_limit.rows).toBe(below);
  expect(below).toBeLessThan(0.9 * unseen.length);
  const middle = plan.limit - 0.05;
  const escalated = cascade!.keptFrom[0]!.filter((level) => level > middle).length;
  expect(escalatedShare(plan, middle)).toBeCloseTo(escalated / unseen.length, 12);

  const rows = readFileSync(out, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const byId = new Map(unseen.map((one) => [one.id, one]));
  for (const { id, outcomes } of rows) {
    const { reply } = byId.get(id)!.outcomes.get(CHEAP)!;
    expect(outcomes).toEqual({
      [CHEAP]: { answer: reply!.text, confidence_logprob: reply!.confidenceLogprob },
    });
  }
  const labelled = rows.map((row) => ({
    ...row,
    outcomes: Object.fromEntries(
      [...byId.get(row.id)!.outcomes].map(([model, { quality }]) => [
        model,
        { ...row.outcomes[model], quality },
      ]),
    ),
  }));
  const data = path.join(world.home, 'labelled.jsonl');
  writeFileSync(data, labelled.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const suite = writeSuite(world.home, { slices: [], escalation_rate: { min: 0.05, max: 0.95 } });
  const { verdict } = await runGate({ artifact: world.artifact, suite, data: [data], labelPlan: planFile });
  expect(verdict.conditions[0]).toMatchObject({ name: 'quality-loss', verdict: 'PASS' });
  expect(verdict.policy.threshold).toBeLessThanOrEqual(plan.limit);
});

it('refuses prompts without replies: nearly all of them may stay cheap', async () => {
  const prompts = [(await gateWorld()).data];
  await expect(planLabels({ ...request, prompts })).rejects.toMatchObject({
    code: 'insufficient-data',
    message: expect.stringContaining(`Give outcomes.${CHEAP} at least one of answer`),
  });
});
