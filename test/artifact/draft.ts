import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { ArtifactDraft } from '../../router/artifact/artifact-files.ts';

/** An artifact that can be written and read, though not served: its classifier is no model. */
export const draft: ArtifactDraft = {
  classifier: Uint8Array.from({ length: 256 }, (_, i) => i),
  golden: [{ text: 'Grüße ∑ 日本', probabilities: [0.25, 0.75] }],
  seenQuestions: new Uint8Array(16),
  modelCard: '# made up\n\nÜber nichts.\n',
  manifest: {
    schema_version: 1,
    name: 'made-up',
    created: '2025-01-01T00:00:00.000Z',
    encoder: { id: 'static', sha256: 'a'.repeat(64), pooling: 'mean', dimension: 384, maxTokens: null },
    features: ['words_log'],
    ladder: [
      { candidate: 'cheap', model: 'small' },
      { candidate: 'strong', model: 'large' },
    ],
    classifier: {
      kind: 'lexicon',
      lambda: 3,
      platt: [
        { slope: 1, offset: 0 },
        { slope: 0.5, offset: -0.25 },
      ],
    },
    policy: {
      name: 'default',
      version: 1,
      threshold: 0.1,
      chosen_by: { rule: 'escalation-rate', target: 0.3 },
      expected: {
        n: 10,
        escalation_rate: 0.3,
        escalation_rate_bounds: { lower: 0.06, upper: 0.66, confidence: 0.95 },
        quality_loss: -0.01,
        quality_loss_bounds: { lower: -1, upper: 0.9, confidence: 0.95 },
      },
    },
    data: { quality_field: 'quality', files: [], rejected: 0, excluded: 0 },
    split: {
      seed: 1,
      train: { n: 3, sha256: 'b'.repeat(64) },
      calibration: { n: 1, sha256: 'c'.repeat(64) },
      test: { n: 1, sha256: 'd'.repeat(64) },
    },
    tools: { node: 'v20.20.2' },
  },
};

/** An empty folder that goes when the test ends. */
export function scratchFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-artifact-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
