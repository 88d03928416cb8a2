import { beforeAll, describe, expect, it } from 'vitest';
import { type Case, DEFAULT_SHARES, foldsByKey, hashCases, splitByKey } from '../../evals/cases/index.ts';
import { qualityColumns, train } from '../../evals/lifecycle/index.ts';
import { type ArtifactDraft, manifestSchema } from '../../router/artifact/index.ts';
import { calibrated, createOnnxClassifier, featureExtractor } from '../../router/classifier/index.ts';
import { createStaticEncoder } from '../../router/encoders/index.ts';
import { chooseRung } from '../../router/policy/index.ts';
import { designMatrix, trainClassifier } from '../../router/train/index.ts';
import { LARGE, SMALL } from '../cli/made-up-data.ts';
import { itLong } from '../helpers/long-run.ts';
import { LADDER, smallCases, smallRun } from './small-run.ts';

const CASES = smallCases();
const SPLIT = splitByKey(CASES, DEFAULT_SHARES, 1);
let draft: ArtifactDraft;

beforeAll(async () => {
  draft = await train(...smallRun());
});

/** The probabilities that the exported classifier gives, text by text. */
async function served({ classifier }: ArtifactDraft, texts: readonly string[]): Promise<Float32Array[]> {
  const { tokenizer } = createStaticEncoder();
  const session = await createOnnxClassifier(classifier, { kind: 'lexicon', tokenizer }, featureExtractor());
  const scores: Float32Array[] = [];
  for (const text of texts) scores.push(await session.score(text));
  await session.close();
  return scores;
}

/** The training cases as scored by fits of the other folds, Platt scaling included. Shape [case][rung] */
async function heldOutScores(ladder = LADDER): Promise<number[][]> {
  const texts = SPLIT.train.map(({ text }) => text);
  const { heldOutLogits, platt } = trainClassifier({
    matrix: await designMatrix(texts, createStaticEncoder(), featureExtractor()),
    labels: qualityColumns(
      SPLIT.train,
      ladder.map(({ model }) => model),
    ),
    folds: foldsByKey(SPLIT.train, 2, 1),
  });
  return texts.map((_, row) => heldOutLogits.map((z, h) => calibrated(z[row]!, platt[h]!)));
}

/** The cases with every label of these turned round. */
const contrary = (cases: readonly Case[], these: readonly Case[]): Case[] => {
  const ids = new Set(these.map(({ id }) => id));
  const turned = (one: Case) =>
    new Map(
      [...one.outcomes].map(([model, outcome]) => [model, { ...outcome, quality: 1 - outcome.quality }]),
    );
  return cases.map((one) => (ids.has(one.id) ? { ...one, outcomes: turned(one) } : one));
};

describe('train', () => {
  it('describes itself by a manifest that the schema takes, split hashes and all', () => {
    const files = { 'classifier.onnx': '0'.repeat(64) };
    const manifest = manifestSchema.parse({ ...draft.manifest, files });
    expect(manifest).toMatchObject({ name: 'small', ladder: LADDER, classifier: { kind: 'lexicon' } });
    expect(Object.keys(manifest.split).sort()).toEqual(['seed', 'test', 'train']);
    for (const part of ['train', 'test'] as const) {
      expect(manifest.split[part]).toEqual({ n: SPLIT[part].length, sha256: hashCases(SPLIT[part]) });
    }
    expect(manifest.metrics).toMatchObject({ n: SPLIT.train.length });
    expect(Object.keys(manifest.metrics!.brier)).toEqual(['cheap', 'middle', 'strong']);
  });

  it('expects of its threshold what it does to training cases, each scored by a fit that had not seen it', async () => {
    const { policy } = draft.manifest;
    const scores = await heldOutScores();
    const routed = scores.map((probabilities) => LADDER[chooseRung(probabilities, policy.threshold)]!.model);
    const n = SPLIT.train.length;
    const total = (of: (one: Case, i: number) => number) =>
      SPLIT.train.reduce((sum, one, i) => sum + of(one, i), 0);
    const outcome = (one: Case, model: string) => one.outcomes.get(model)!;
    const loss = total((one, i) => outcome(one, LARGE).quality - outcome(one, routed[i]!).quality);
    const cost = total((one, i) => outcome(one, routed[i]!).costUsd!);
    expect(policy.expected).toMatchObject({
      n,
      escalation_rate: expect.closeTo(routed.filter((model) => model !== SMALL).length / n, 12),
      quality_loss: expect.closeTo(loss / n, 12),
      cost_saved: expect.closeTo(1 - cost / total((one) => outcome(one, LARGE).costUsd!), 12),
    });
    expect(policy.expected!.escalation_rate).toBeLessThanOrEqual(0.4);
    expect(policy).not.toHaveProperty('walk_from'); // a share has one threshold: there is nothing to walk over
    const seen = await served(
      draft,
      SPLIT.train.map(({ text }) => text),
    );
    expect(seen.map((own) => chooseRung(own, policy.threshold))).not.toEqual(
      scores.map((own) => chooseRung(own, policy.threshold)),
    );
  });

  itLong(
    'lets the walk of the gate begin where a hundredth of the training cases leaves the strongest rung',
    async () => {
      const rule = { rule: 'max-quality-loss', target: 0.3, confidence: 0.9 } as const;
      const { manifest } = await train(...smallRun({ rule }));
      const { walk_from: from, chosen_by } = manifest.policy;
      expect(chosen_by).toEqual(rule);
      const scores = await heldOutScores();
      const cheaper = (threshold: number) =>
        scores.filter((own) => chooseRung(own, threshold) < LADDER.length - 1).length / scores.length;
      expect(Math.abs(from! * 1000 - Math.round(from! * 1000))).toBeLessThan(1e-9);
      expect(cheaper(from!)).toBeGreaterThanOrEqual(0.01);
      expect(cheaper(from! - 0.001)).toBeLessThanOrEqual(0.01);
    },
  );

  it('writes golden cases that the served classifier repeats', async () => {
    const scores = await served(
      draft,
      draft.golden.map(({ text }) => text),
    );
    draft.golden.forEach(({ probabilities }, i) => {
      probabilities.forEach((p, rung) => {
        expect(scores[i]![rung]).toBeCloseTo(p, 5);
      });
    });
  });

  itLong(
    'never looks at the sealed test split: with all its labels turned round nothing changes',
    async () => {
      const other = await train(...smallRun({ cases: contrary(CASES, SPLIT.test) }));
      expect(Buffer.compare(other.classifier, draft.classifier)).toBe(0);
      expect(other.manifest).toEqual(draft.manifest);
      expect(other.modelCard).toBe(draft.modelCard);
    },
  );

  it('does not say what it cannot know: no cost without costs, no interval without a gap', async () => {
    const cases = CASES.map((one) => ({
      ...one,
      outcomes: new Map([...one.outcomes].map(([model, { quality }]) => [model, { quality }])),
    }));
    const ladder = [LADDER[0]!, LADDER[2]!];
    const rule = { rule: 'max-quality-loss', target: 0.3, confidence: 0.9 } as const;
    const { manifest, modelCard } = await train(...smallRun({ cases, ladder, rule }));
    expect(manifest.policy.expected).not.toHaveProperty('cost_saved');
    expect(manifest.policy.expected!.quality_loss).toBeLessThanOrEqual(0.3);
    expect(manifest.policy.chosen_by).toEqual(rule);
    expect(modelCard).not.toMatch(/NaN|undefined|null/);
    const shown = manifest.policy.threshold.toFixed(4);
    expect(modelCard).toContain(
      `The gate finds the one that serves; ${shown} is a preview, from the cases below.`,
    );
  });

  it('names the model and the split that hold too little to learn from', async () => {
    const cases = CASES.map((one) => ({
      ...one,
      outcomes: new Map(one.outcomes).set(LARGE, { quality: SPLIT.train.includes(one) ? 1 : 0 }),
    }));
    await expect(train(...smallRun({ cases }))).rejects.toMatchObject({
      code: 'insufficient-data',
      message: expect.stringMatching(
        /^Too few of the training cases have an answer of made-large .* below 1: 0 of/,
      ),
    });
  });
});

describe('modelCard', () => {
  it('says what was learned, from what, how well and what it cannot promise', () => {
    const { modelCard, manifest } = draft;
    const { metrics, policy, split } = manifest;
    expect(modelCard).toMatch(/^# small\n\nA Plimsoll router of 2025-01-01\./);
    for (const { candidate, model } of LADDER) expect(modelCard).toContain(`| ${candidate} | ${model} |`);
    expect(modelCard).toContain('- `made-up.jsonl`: 300 rows, sha256 `abababababababab…`');
    expect(modelCard).toContain('2 rows were rejected, 5 left out. Quality field: `quality`.');
    expect(modelCard).toContain(
      `Platt scaling. ${split.train.n} cases to train, ${split.test.n} sealed for the gate`,
    );
    expect(modelCard).toContain(`predicted loss is at most ${policy.threshold.toFixed(4)}.`);
    expect(modelCard).not.toContain('preview');
    expect(modelCard).toContain(
      '## How well, on the training cases\n\nEach case is scored by a fit that had not',
    );
    expect(modelCard).toContain(`n = ${split.train.n}.`);
    expect(modelCard).toContain(`- APGR ${metrics!.apgr!.toFixed(3)} (95 % interval `);
    for (const head of ['cheap', 'middle', 'strong']) expect(modelCard).toContain(`- head ${head}: AUROC 0.`);
    expect(modelCard).toContain(`escalates ${(100 * policy.expected!.escalation_rate).toFixed(1)} %`);
    expect(modelCard).toMatch(
      /\| everyday \| \d+ \| [01]\.\d{3} \| [01]\.\d{3} \| (0\.\d{3}|-) \|\n\| technical \|/,
    );
    expect(modelCard).toMatch(/## Limits\n\n- .*\n.*\n- What the gate says of it stands in `verdict\.json`/);
    expect(modelCard).not.toMatch(/NaN|undefined|null/);
  });
});
