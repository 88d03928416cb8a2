import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runGate } from '../../evals/gate/index.ts';
import { label, readGraders } from '../../evals/labelling/index.ts';
import { promote } from '../../evals/lifecycle/index.ts';
import { type LoopOptions, runLoop } from '../../evals/loop/index.ts';
import { readCurrent } from '../../router/artifact/index.ts';
import { configSchema } from '../../router/config/index.ts';
import { startWorld } from '../../scripts/example/world.ts';
import { cli, stdoutOf } from '../cli/run-cli.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'plimsoll-loop-'));
const place = (name: string) => path.join(scratch, name);
const FIRST = 1_500;
const world = await startWorld({ requests: FIRST + 900, seed: 3, port: 0 });
afterAll(async () => {
  await world.close();
  rmSync(scratch, { recursive: true, force: true });
});

const config = configSchema.parse({
  providers: { example: { kind: 'openai-compatible', base_url: world.providerUrl } },
  models: {
    'example/small': { price: { input: 0.15, output: 0.6 } },
    'example/large': { price: { input: 2.5, output: 10 } },
  },
  log_level: 'error',
});
const candidates = ['example/small', 'example/large'].map((name) => ({ name, model: name }));
writeFileSync(
  place('graders.yaml'),
  `graders:\n  - use:\n      - { type: http, url: '${world.graderUrl}' }\n`,
);
writeFileSync(place('suite.yaml'), 'name: loop\nmax_quality_loss: 0.06\n');

function requestsFile(name: string, from: number, to: number): string {
  const lines = world.requests
    .slice(from, to)
    .map(({ prompt }, i) => JSON.stringify({ id: `r${from + i}`, prompt }));
  writeFileSync(place(name), `${lines.join('\n')}\n`);
  return place(name);
}

const labelling = (budgetUsd: number): LoopOptions['labelling'] => ({
  config,
  candidates,
  graders: readGraders(place('graders.yaml'), { allowCode: false }),
  budgetUsd,
});

/** A first artifact that serves, with a PASS. */
async function firstArtifact(): Promise<string> {
  const cases = place('first.jsonl');
  await label({ ...labelling(5), prompts: [requestsFile('first-requests.jsonl', 0, FIRST)], out: cases });
  const out = place('models/first');
  const models = ['--cheap', 'example/small', '--strong', 'example/large'];
  const rule = ['--max-quality-loss', '0.06', '--learner', 'lr', '--out', out];
  stdoutOf(await cli(['train', '--data', cases, ...models, ...rule]));
  const { verdict } = await runGate({
    artifact: out,
    suite: place('suite.yaml'),
    data: [cases],
    write: true,
  });
  expect(verdict.verdict).toBe('PASS');
  promote(out);
  return cases;
}

test('a round labels what is new, retrains, gates and promotes; it goes on after its budget, and waits for more', {
  timeout: 600_000,
}, async () => {
  const data = [await firstArtifact()];
  const round = (changes: Partial<LoopOptions>) =>
    runLoop({
      folder: place('loop'),
      requests: place('later.jsonl'),
      data,
      labelling: labelling(5),
      store: place('models'),
      suite: place('suite.yaml'),
      minNew: 500,
      promote: true,
      retraining: { tolerance: 0.05, learner: 'lr' },
      ...changes,
    });

  requestsFile('later.jsonl', FIRST - 100, FIRST + 300);
  expect(await round({})).toEqual({ kind: 'waiting', round: 1, fresh: 300 }); // a hundred are in the data

  const misnamed = ['cheap', 'strong'].map((name, i) => ({ ...candidates[i]!, name }));
  await expect(
    round({ labelling: { ...labelling(5), candidates: misnamed }, minNew: 1 }),
  ).rejects.toMatchObject({
    code: 'invalid-input', // before anything is paid
    message: expect.stringContaining('--models example/small=example/small,example/large=example/large'),
  });

  const drawn = [0.5, 0.25].map((p, i) =>
    JSON.stringify({ id: `drawn-${i}`, prompt: `Is ${i} drawn?`, sampling_probability: p }),
  );
  writeFileSync(place('drawn.jsonl'), drawn.join('\n'));
  await expect(round({ requests: place('drawn.jsonl'), minNew: 1 })).rejects.toMatchObject({
    message: expect.stringContaining('largest_weight'), // before anything is paid
  });

  requestsFile('later.jsonl', FIRST, FIRST + 600);
  expect(await round({ labelling: labelling(0.002) })).toEqual({
    kind: 'unfinished',
    round: 1,
    why: 'budget',
  });
  requestsFile('later.jsonl', FIRST, FIRST + 900); // more came meanwhile: the round keeps its own
  const [one, other] = await Promise.allSettled([round({}), round({})]);
  const done = [one, other].find(({ status }) => status === 'fulfilled');
  const refused = [one, other].find(({ status }) => status === 'rejected') as PromiseRejectedResult;
  expect(refused.reason).toMatchObject({ code: 'io' });
  expect(done).toMatchObject({
    value: { kind: 'done', outcome: { round: 1, cases: 600, champion: 'first', challenger: 'loop-1' } },
  });
  const outcome = JSON.parse(readFileSync(place('loop/round-1/outcome.json'), 'utf8'));
  expect(outcome.promoted).toBe(outcome.decision === 'PASS');
  expect(readCurrent(place('models'))!.artifact).toBe(outcome.promoted ? 'loop-1' : 'first');
  const asked = readFileSync(place('loop/round-1/cases.jsonl.journal'), 'utf8').match(
    /"reply"|"text"/g,
  )!.length;
  expect(asked).toBeGreaterThanOrEqual(1_200);

  expect(await round({})).toEqual({ kind: 'waiting', round: 2, fresh: 300 });
  expect(readdirSync(place('loop')).filter((name) => name.startsWith('round'))).toEqual(['round-1']);
});

test('without an artifact that serves there is nothing to compare with', async () => {
  const refusal = runLoop({
    folder: place('other'),
    requests: place('later.jsonl'),
    data: [],
    labelling: labelling(1),
    store: place('nothing'),
    suite: place('suite.yaml'),
    minNew: 1,
    promote: false,
  });
  await expect(refusal).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining('plimsoll -- promote'),
  });
});
