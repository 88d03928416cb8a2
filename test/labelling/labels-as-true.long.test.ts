import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loadCases } from '../../evals/cases/index.ts';
import { runGate } from '../../evals/gate/index.ts';
import { label } from '../../evals/labelling/index.ts';
import { train } from '../../evals/lifecycle/index.ts';
import { writeArtifact } from '../../router/artifact/index.ts';
import { exampleReply, exampleRequests } from '../../scripts/example/requests.ts';
import { jsonLines, labellingWorld } from './labelling-world.ts';

const WHEN = new Date('2025-01-01T00:00:00.000Z');
const RUNGS = ['cheap', 'strong'].map((candidate) => ({ candidate, model: candidate }));

/** Every file of an artifact that was trained on these cases and gated, by name. Each artifact has a store, and so a first look, of its own. */
async function trainedAndGated(cases: string, folder: string): Promise<ReadonlyMap<string, string>> {
  const rule = { rule: 'max-quality-loss', target: 0.1, confidence: 0.95 } as const;
  const data = await loadCases([cases]);
  const draft = await train(
    { cases: data.cases },
    { name: 'same', created: WHEN, ladder: RUNGS, rule, learner: 'lr', folds: 2 },
  );
  writeArtifact(folder, draft);
  const suite = path.join(path.dirname(folder), 'suite.yaml');
  writeFileSync(suite, 'name: same\nmax_quality_loss: 0.1\n');
  await runGate({ artifact: folder, suite, data: [cases], issued: WHEN, write: true });
  return new Map(readdirSync(folder).map((name) => [name, readFileSync(path.join(folder, name), 'latin1')]));
}

/** A verdict but for the name and hash of the file of cases, and the hash over the verdict itself. */
function withoutFile(verdict: string | undefined): unknown {
  const { sha256: _, ...rest } = JSON.parse(verdict ?? '');
  return { ...rest, sealed: { ...rest.sealed, files: [] } };
}

/** A frontier but for the hash of its verdict, and the hash over the frontier itself. */
function withoutVerdict(frontier: string | undefined): unknown {
  const { sha256: _, verdict_sha256: __, ...rest } = JSON.parse(frontier ?? '');
  return rest;
}

test('labels through providers and graders are the true ones, and lead to the same policy and verdict', async () => {
  const requests = exampleRequests(900, 5);
  const byPrompt = new Map(requests.map((request) => [request.prompt, request]));
  const replyTo = (prompt: string, model: 'small' | 'large') => exampleReply(byPrompt.get(prompt)!, model);
  const rows = requests.map(({ prompt, task, answer }, i) => ({
    id: `r${i}`,
    task,
    prompt,
    reference: answer,
  }));
  const { folder, options } = await labellingWorld(
    (text, model) => replyTo(text.trim(), model === 'large' ? 'large' : 'small'),
    rows,
    [{ use: [{ type: 'exact', ignore: [] }] }],
  );
  expect(await label(options)).toMatchObject({ ended: 'done', complete: rows.length });
  // As a team would have them that knows what is right; tokens and prices are those of the provider. In the same order, since sums of
  // floating-point numbers depend on it.
  const { cases } = await loadCases([options.out]);
  const truth = cases.map(({ id, task, text, outcomes }) => {
    const outcomeOf = (name: 'cheap' | 'strong') => {
      const { inputTokens, outputTokens, costUsd } = outcomes.get(name)!;
      const isRight = replyTo(text, name === 'cheap' ? 'small' : 'large') === byPrompt.get(text)!.answer;
      return {
        quality: Number(isRight),
        input_tokens: inputTokens,
        output_tokens: outputTokens,
        cost_usd: costUsd,
      };
    };
    return { id, task, prompt: text, outcomes: { cheap: outcomeOf('cheap'), strong: outcomeOf('strong') } };
  });
  const truthFile = path.join(folder, 'truth.jsonl');
  writeFileSync(truthFile, jsonLines(truth));
  const through = await trainedAndGated(options.out, path.join(folder, 'through', 'same'));
  const known = await trainedAndGated(truthFile, path.join(folder, 'known', 'same'));
  for (const [name, bytes] of through) {
    if (name === 'frontier.json') expect(withoutVerdict(bytes)).toEqual(withoutVerdict(known.get(name)));
    else if (name !== 'verdict.json') expect(bytes).toBe(known.get(name));
  }
  expect(withoutFile(through.get('verdict.json'))).toEqual(withoutFile(known.get('verdict.json')));
  expect([...through.keys()]).toEqual([...known.keys()]);
  expect(withoutFile(through.get('verdict.json'))).toMatchObject({ verdict: 'PASS' });
});
