import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runGate } from '../../evals/gate/index.ts';
import { loadLabelled, train } from '../../evals/lifecycle/index.ts';
import { readArtifact, writeArtifact } from '../../router/artifact/index.ts';
import { servedPolicies } from '../../router/policy/index.ts';
import { evidenceSchema } from '../../router/verdict-report/index.ts';
import { scratchFolder } from '../cli/run-cli.ts';
import { CHEAP, LENIENT, labelledCases, STRONG } from './labelled-cases.ts';
import { expectPinned, pinnedJson, sha256 } from './pinned.ts';

/** The pinned cases with what is known of the cheap replies: a good one is often, and a bad one seldom, sure of itself. */
function casesWithReplies(): string {
  const rows = labelledCases().trimEnd().split('\n');
  return rows
    .map((line, at) => {
      const row = JSON.parse(line);
      const cheap = row.outcomes[CHEAP];
      const doubt = ((at * 7_919) % 101) / 101;
      cheap.answer = 'B';
      cheap.confidence_logprob = -(cheap.quality === 1 ? 0.5 * doubt : 0.1 + 2 * doubt);
      return `${JSON.stringify(row)}\n`;
    })
    .join('');
}

/** Without the last digits of numbers, which follow from the order of sums in the fits. */
function rounded(value: unknown): unknown {
  const short = (_: string, one: unknown) => (typeof one === 'number' ? Number(one.toPrecision(9)) : one);
  return JSON.parse(JSON.stringify(value, short));
}

test('a cascade of two rungs is trained, and judged by the gate, as it was', async () => {
  const home = scratchFolder();
  const file = path.join(home, 'cases.jsonl');
  writeFileSync(file, casesWithReplies());
  const suite = path.join(home, 'suite.yaml');
  const { name, max_quality_loss, flip_rate } = LENIENT;
  writeFileSync(suite, JSON.stringify({ name, max_quality_loss, flip_rate, valid_for_days: 3_650 }));
  const models = [CHEAP, STRONG];
  const draft = await train(await loadLabelled([file], { models, keepReplies: true }), {
    name: 'pinned',
    created: new Date('2026-01-01T00:00:00.000Z'),
    ladder: models,
    cascade: true,
    rule: { rule: 'max-quality-loss', target: 0.08, confidence: 0.95 },
    folds: 2,
    learner: 'lr',
  });
  const artifact = path.join(home, 'models/pinned');
  mkdirSync(path.dirname(artifact));
  writeArtifact(artifact, draft);
  const { manifest } = readArtifact(artifact);
  const { cascade: learned, policy: preview } = manifest;
  expectPinned('cascade-manifest.json', pinnedJson(rounded({ cascade: learned, policy: preview })));
  const { reference } = servedPolicies(
    { defaultPolicy: 'default', policies: {}, allowUngated: false },
    manifest,
  ).get('default');
  const { verdict } = await runGate({
    artifact,
    suite,
    data: [file],
    issued: new Date('2026-01-02T00:00:00.000Z'),
  });
  const { tools: _, sha256: __, artifact: ___, ...judged } = verdict; // with the version of Plimsoll
  const { verdict: word, policy, walk, conditions, evidence } = judged;
  const { cascade } = evidenceSchema.parse(evidence);
  const hash = sha256(JSON.stringify(judged));
  expect(word).toBe('PASS');
  expectPinned(
    'cascade-verdict.json',
    pinnedJson({ reference, word, policy, walk, conditions, cascade, sha256: hash }),
  );
});
