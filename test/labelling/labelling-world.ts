import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import {
  type GraderOptions,
  type GraderRules,
  type LabelOptions,
  openGraders,
} from '../../evals/labelling/index.ts';
import { configSchema } from '../../router/config/index.ts';
import { type FakeProvider, startFakeProvider } from '../../scripts/fake-provider/index.ts';

type Answer = (prompt: string, model: string) => string | undefined;

/** A folder of its own, gone after the test. */
export function folderForTest(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-label-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function jsonLines(rows: readonly object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

/** A configuration with one provider, whose models cost 1 and 10 US dollars for a million tokens of input, twice as much for output. */
export function configFor(provider: Pick<FakeProvider, 'url'>) {
  return configSchema.parse({
    log_level: 'silent',
    ladder: { cheap: 'fake/small', strong: 'fake/large' },
    providers: { fake: { kind: 'openai-compatible', base_url: provider.url } },
    models: {
      'fake/small': { price: { input: 1, output: 2 } },
      'fake/large': { price: { input: 10, output: 20 } },
      'fake/gemini-judge': { price: { input: 1, output: 2 } },
      'fake/unpriced': { local: false },
    },
    upstream: {
      retry: { max_retries: 2, initial_wait_ms: 1, max_wait_ms: 2 },
      breaker: { window: 200, min_attempts: 200, failure_share: 0.9 },
    },
  });
}

export const CANDIDATES = [
  { name: 'cheap', model: 'fake/small' },
  { name: 'strong', model: 'fake/large' },
];

/** A real gateway before the fake provider, which answers as told, and what `label` takes. */
export async function labellingWorld(
  answer: Answer,
  rows: readonly object[],
  graders: GraderRules['graders'],
) {
  const provider = await startFakeProvider({
    answer: ({ text, model }) => answer(text, model),
    remember: 100_000,
  });
  onTestFinished(() => provider.close());
  const folder = folderForTest();
  const prompts = path.join(folder, 'prompts.jsonl');
  writeFileSync(prompts, jsonLines(rows));
  const options: LabelOptions = {
    config: configFor(provider),
    prompts: [prompts],
    candidates: CANDIDATES,
    graders: gradersOf(graders),
    budgetUsd: 1,
    out: path.join(folder, 'cases.jsonl'),
    waitsMs: [1, 1],
    maxTokens: 50,
  };
  return { provider, folder, prompts, options };
}

/** Rules as in a file, with their defaults. */
export function gradersOf(rules: GraderRules['graders'], options: GraderOptions = {}) {
  return openGraders({ graders: rules }, options);
}
