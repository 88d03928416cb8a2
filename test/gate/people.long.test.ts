import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { givenOutcomes, withGivenOutcomes } from '../../evals/cases/index.ts';
import { runGate } from '../../evals/gate/run-gate.ts';
import { loadLabelled, train } from '../../evals/lifecycle/index.ts';
import { terminalReport } from '../../evals/report/index.ts';
import { type Rung, readArtifact, writeArtifact } from '../../router/artifact/index.ts';
import { evidenceSchema } from '../../router/verdict-report/index.ts';
import { SUPPORT } from '../gateway/people-gateway.ts';
import { ask, gatewayForTest, postRaw } from '../gateway/running-gateway.ts';
import { type MadeUpModel, madeUpCases, scratch, writeCaseFile, writeSuite } from './gate-world.ts';

/** Neither model masters the hardest cases; people do, and cost a hundred times as much. */
const MODELS: readonly MadeUpModel[] = [
  { name: 'tiny', costUsd: 0.001, right: (degree) => 0.97 - 0.09 * degree },
  { name: 'large', costUsd: 0.01, right: (degree) => 0.98 - 0.05 * degree },
];
const LADDER: readonly Rung[] = [
  { candidate: 'cheap', model: 'tiny' },
  { candidate: 'strong', model: 'large' },
  { candidate: 'human', model: 'human/support', given: { quality: 0.97, cost_usd: 2.4 } },
];
const GIVEN = givenOutcomes(LADDER);

/** An artifact with people at the end of its ladder, and a file of cases that know nothing of them. */
async function peopleWorld() {
  const home = path.join(scratch(), `people-${Math.random()}`);
  mkdirSync(home);
  const cases = madeUpCases(MODELS);
  const data = writeCaseFile(path.join(home, 'cases.jsonl'), cases);
  expect(readFileSync(data, 'utf8')).not.toContain('human');
  const artifact = path.join(home, 'made');
  const rule = { rule: 'max-quality-loss', target: 0.08, confidence: 0.95 } as const;
  const labelled = { cases: withGivenOutcomes(cases, GIVEN) };
  const draft = await train(labelled, { name: 'made', ladder: LADDER, rule, folds: 2, learner: 'lr' });
  writeArtifact(artifact, draft);
  return { home, data, artifact };
}

test('the gate knows people by the operator’s word: no case needs an outcome of theirs, and the report says so', {
  timeout: 120_000,
}, async () => {
  const { home, data, artifact } = await peopleWorld();
  const { manifest, golden } = readArtifact(artifact);
  expect(manifest.ladder).toEqual(LADDER);
  for (const { probabilities } of golden) expect(probabilities[2]).toBeCloseTo(0.97, 3);
  const card = readFileSync(path.join(artifact, 'MODEL_CARD.md'), 'utf8');
  expect(card).toContain("by the operator's word");
  const demanded = {
    max_quality_loss: 0.1,
    flip_rate: undefined,
    slices: [],
    max_ece: undefined,
    escalation_rate: undefined,
  };
  const { verdict, notes } = await runGate({ artifact, suite: writeSuite(home, demanded), data: [data] });
  const [loss] = verdict.conditions;
  expect(loss).toMatchObject({ name: 'quality-loss', verdict: 'PASS' });
  expect(loss!.note).toContain(
    "WARNING: by the operator's word human/support has the quality 0.97 at $2.4 a reply",
  );
  expect(notes.join()).toContain('no label and no interval stands behind it');
  const { rungs } = evidenceSchema.parse(verdict.evidence);
  expect(rungs.map(({ candidate }) => candidate)).toEqual(['cheap', 'strong', 'human']);
  expect(rungs[2]!.quality).toBeCloseTo(0.97, 9);
  expect(rungs[2]!.cost_usd).toBeCloseTo(2.4, 9);
  expect(rungs[0]!.share).toBeGreaterThan(0);
  expect(terminalReport(verdict, { colour: false })).toContain("operator's word");
});

test('a ladder that ends with people: the policy hands them what it sends to the strongest', {
  timeout: 120_000,
}, async () => {
  const { artifact } = await peopleWorld();
  const { url, gateway } = await gatewayForTest({
    config: {
      artifact,
      allow_ungated: true,
      default_policy: 'always-strong',
      ladder: { cheap: 'first/small', strong: 'first/large' },
      profiles: {},
      people: { support: SUPPORT },
      rules: [{ name: 'chat', when: { tag: 'chat' }, use: 'cheap' }],
      state: { kind: 'memory' },
    },
  });
  const handed = await postRaw(url, '/v1/chat/completions', ask('Hard?'));
  expect(handed.status).toBe(202);
  expect(handed.headers.get('x-plimsoll-selected')).toBe('human/support');
  const decided = await postRaw(url, '/v1/route', { prompt: 'Hard?' });
  expect(await decided.json()).toMatchObject({ candidate: 'human', model: 'human/support', escalated: true });
  const cheap = await postRaw(url, '/v1/chat/completions', ask('Hello'), { 'x-plimsoll-tags': 'chat' });
  expect(cheap.headers.get('x-plimsoll-served')).toBe('first/small');
  await vi.waitFor(async () => {
    const counts = await (await gateway.activity.counts()).totals({
      fromMs: 0,
      untilMs: Date.now() + 3_600_000,
    });
    expect(counts.find(({ measure }) => measure === 'escalated')?.amount).toBe(1);
  });
});

test('labels are read without people, and what is given must be of a candidate', async () => {
  const home = path.join(scratch(), `people-${Math.random()}`);
  mkdirSync(home);
  const data = writeCaseFile(path.join(home, 'cases.jsonl'), madeUpCases(MODELS).slice(0, 60));
  const models = LADDER.map(({ model }) => model);
  const { cases } = await loadLabelled([data], { models, given: GIVEN });
  expect(cases).toHaveLength(60);
  expect(cases[0]!.outcomes.get('human/support')).toEqual({ quality: 0.97, costUsd: 2.4 });
  await expect(loadLabelled([data], { models })).rejects.toThrow('human/support');
  await expect(loadLabelled([data], { models: ['tiny', 'large'], given: GIVEN })).rejects.toThrow(
    'no candidate',
  );
});
