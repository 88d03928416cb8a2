import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Case, questionKey } from '../../evals/cases/index.ts';
import { replayArtifact, runGate } from '../../evals/gate/index.ts';
import { train } from '../../evals/lifecycle/index.ts';
import { markdownReport, terminalReport } from '../../evals/report/index.ts';
import { readArtifact, type Verdict, writeArtifact } from '../../router/artifact/index.ts';
import { loadConfig } from '../../router/config/index.ts';
import { createRouter } from '../../router/create-router.ts';
import { chooseRung } from '../../router/policy/index.ts';
import { evidenceSchema } from '../../router/verdict-report/index.ts';
import { CHEAP, gateWorld, STRONG, scratch, writeCaseFile, writeSuite } from '../gate/gate-world.ts';

/** Nothing of this kind was labelled. */
const FOREIGN = Array.from(
  { length: 25 },
  (_, i) =>
    `#include <stdio.h>\nint main(void) {\n  for (int k = 0; k < ${i}; k++) printf("%d\\n", k * ${i + 3});\n  return ${'{[('.repeat(i + 1)}0;\n}`,
);

let folder: string;
let verdict: Verdict;
let held: Case[];

/** Trains on the made-up cases, which all ask for an explanation of seven words. */
async function trained(name: string, abstainPercent?: number): Promise<string> {
  const { cases } = await gateWorld();
  const out = path.join(scratch(), 'abstaining', name);
  const draft = await train(
    { cases: cases.slice(0, 2000) },
    {
      name,
      created: new Date('2025-01-01T00:00:00.000Z'),
      ladder: [CHEAP, STRONG],
      rule: { rule: 'max-quality-loss', target: 0.05, confidence: 0.95 },
      folds: 2,
      learner: 'lr+knn',
      ...(abstainPercent !== undefined && { abstainPercent }),
    },
  );
  writeArtifact(out, draft);
  return out;
}

const serving = (artifact: string, allowUngated = false) =>
  createRouter(loadConfig(undefined, {}, { artifact, allowUngated }));

beforeAll(async () => {
  const { cases } = await gateWorld();
  folder = await trained('abstains', 2);
  const outcomes = new Map([
    [CHEAP, { quality: 0 }],
    [STRONG, { quality: 1 }],
  ]);
  const foreign = FOREIGN.map((text, i) => ({
    id: `foreign-${i}`,
    text,
    key: questionKey(text),
    task: 'technical',
    language: 'c',
    outcomes,
  }));
  held = [...cases.slice(0, 2000), ...foreign];
  const data = writeCaseFile(path.join(scratch(), 'abstaining.jsonl'), held);
  const run = await runGate({ artifact: folder, suite: writeSuite(scratch()), data: [data], write: true });
  verdict = run.verdict;
}, 300_000);

describe('an artifact that abstains', () => {
  it('knows from which similarity on a case of other folds is similar, and says so in its card', () => {
    const { manifest, modelCard } = readArtifact(folder);
    expect(manifest.classifier).toMatchObject({
      abstain: 'escalate',
      similarity_limit: { percent: 2, similarity: expect.any(Number) },
    });
    expect(modelCard).toContain('as 2 % of the training cases have to those of other folds');
  });

  it('is gated as it routes: the same requests, for the same reason', async () => {
    expect(verdict.verdict).toBe('PASS');
    const { manifest, ...artifact } = readArtifact(folder);
    const router = await serving(folder); // by the PASS, at its threshold
    const some = [...held.slice(0, 300), ...held.slice(-FOREIGN.length)];
    const replay = await replayArtifact({ manifest, ...artifact }, some, false);
    let abstained = 0;
    for (const [row, { text }] of some.entries()) {
      const { reason, model, scores, predictedLoss, verdict: claimed } = await router.route({ prompt: text });
      const unscored = replay.traits[row]!.unscored;
      expect(reason === 'nothing-similar').toBe(unscored === 'nothing-similar');
      const rung = chooseRung(
        replay.probabilities.map((column) => column[row]!),
        verdict.policy.threshold,
      );
      expect(model).toBe(manifest.ladder[rung]!.model);
      if (unscored === undefined) continue;
      abstained++;
      expect({ scores, predictedLoss, model, claimed }).toEqual({
        scores: null,
        predictedLoss: null,
        model: STRONG,
        claimed: 'PASS',
      });
    }
    expect(abstained).toBeGreaterThanOrEqual(FOREIGN.length);
    expect(abstained).toBeLessThan(FOREIGN.length + 30); // some 2 % of 300 of its own
    await router.close();
  });

  it('is reported with how many requests that are, of all and of each language', () => {
    const { nothing_similar: all, slices } = evidenceSchema.parse(verdict.evidence);
    expect(all).toBeGreaterThanOrEqual(FOREIGN.length);
    expect(slices.find(({ name }) => name === 'language: c')).toMatchObject({
      n: FOREIGN.length,
      nothing_similar: FOREIGN.length,
      escalation_rate: 1,
      quality_loss: 0,
    });
    const sentence = `Nothing similar was labelled to ${all} of ${verdict.sealed.n} sealed cases`;
    for (const text of [terminalReport(verdict, { colour: false }), markdownReport(verdict)]) {
      expect(text.replaceAll(',', '')).toContain(sentence);
      expect(text).toContain('nothing similar');
    }
  });

  it('explains that nothing similar was labelled, and which cases are nearest all the same', async () => {
    const router = await serving(folder);
    const { decision, explanation } = await router.explain({ prompt: FOREIGN[3]! });
    expect(decision.reason).toBe('nothing-similar');
    const { similar, leastSimilarity, nearest } = explanation!['cheap']!.neighbours!;
    expect(similar).toBe(false);
    expect(nearest[0]!.similarity).toBeLessThan(leastSimilarity!);
    const known = await router.explain({ prompt: held[0]!.text });
    expect(known.explanation!['cheap']!.neighbours!.similar).toBe(true);
    await router.close();
  });
});

it('without the option the limit is told in explanations, and every request is scored', async () => {
  const plain = await trained('plain');
  const { classifier } = readArtifact(plain).manifest;
  expect(classifier.similarity_limit).toMatchObject({ percent: 1 });
  expect(classifier).not.toHaveProperty('abstain');
  const router = await serving(plain, true);
  const { decision, explanation } = await router.explain({ prompt: FOREIGN[3]! });
  expect(decision.reason).toMatch(/-threshold$/);
  expect(explanation!['cheap']!.neighbours!.similar).toBe(false);
  await router.close();
});

it.each([
  ['lr', 1, /The learner lr keeps no labelled cases.*lr\+knn/],
  ['lr+clusters', 1, /lr\+clusters keeps no labelled cases/],
  ['auto', 0, /above 0 and at most 50 percent, not 0/],
  ['auto', Number.NaN, /not NaN/],
] as const)('%s by %d percent is refused', async (learner, abstainPercent, message) => {
  const { cases } = await gateWorld();
  const options = { ladder: [CHEAP, STRONG], learner, abstainPercent };
  await expect(train({ cases }, options)).rejects.toMatchObject({
    code: 'invalid-input',
    message: expect.stringMatching(message),
  });
});
