import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { PACKAGE_FOLDER } from '../../router/package.ts';
import { CAPTURED, capturedRecord } from '../../router/records/index.ts';
import { openState } from '../../router/state/index.ts';
import { startFakeProvider } from '../../scripts/fake-provider/index.ts';
import { CLI, cli, expectRefusal } from '../cli/run-cli.ts';
import { LONG_RUN } from '../helpers/long-run.ts';
import { folderForTest } from './labelling-world.ts';

const SECRET_WORDS = 'Where is the harbour of Antwerp?';

async function world(requests: number) {
  const provider = await startFakeProvider({ answer: () => 'On the Scheldt.', remember: 100 });
  onTestFinished(() => provider.close());
  const folder = folderForTest();
  writeFileSync(
    path.join(folder, 'plimsoll.config.yaml'),
    JSON.stringify({
      providers: { fake: { kind: 'openai-compatible', base_url: provider.url } },
      ladder: { cheap: 'fake/small', strong: 'fake/large' },
      models: {
        'fake/small': { price: { input: 1, output: 2 } },
        'fake/large': { price: { input: 10, output: 20 } },
      },
      state: { kind: 'sqlite', url: 'state.db' },
      access: { keys_in_state: true }, // labelling calls by no key, so limits of keys are not its own
      limits: [{ for: { key: '*' }, windows: [{ '24h': '1 usd' }] }],
    }),
  );
  writeFileSync(
    path.join(folder, 'graders.yaml'),
    'graders: [{ use: [{ type: contains, texts: [Scheldt] }] }]',
  );
  const state = await openState({ kind: 'sqlite', url: path.join(folder, 'state.db'), migrate: 'auto' });
  await state.log.append(
    CAPTURED,
    Array.from({ length: requests }, (_, i) => recordOf(i)),
  );
  await state.close();
  const label = async (...more: string[]) =>
    cli(
      `label --from captured --models cheap,strong --graders graders.yaml --budget 1usd --out cases.jsonl --json`
        .split(' ')
        .concat(more),
      { cwd: folder },
    );
  return { folder, provider, label };
}

function recordOf(i: number) {
  const id = `dec_${i}`;
  const one = {
    id,
    timeMs: i,
    samplingProbability: 0.5,
    stratum: { length: 'short', language: 'en', score: '0.05' },
    request: { messages: [{ role: 'user', content: `${SECRET_WORDS} (${i})` }] },
    decision: { model: 'fake/small', score: 0.05, threshold: 0.1, reason: 'within-threshold', artifact: 'a' },
  } as const;
  return { id, timeMs: i, ...capturedRecord(one) };
}

test('--from captured labels what the state has; --json is one object and free of prompts', async () => {
  const { folder, provider, label } = await world(3);
  const { code, stdout, stderr } = await label();
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(JSON.parse(stdout)).toMatchObject({ ended: 'done', rows: 3, complete: 3, new_calls: 6 });
  expect(stdout + stderr).not.toContain('Antwerp');
  expect(provider.requests).toHaveLength(6);
  const [first = ''] = readFileSync(path.join(folder, 'cases.jsonl'), 'utf8').split('\n');
  expect(JSON.parse(first)).toMatchObject({
    source: 'captured',
    sampling_probability: 0.5,
    outcomes: { 'fake/small': { quality: 1 }, 'fake/large': { quality: 1 } }, // what an artifact is to learn from, not today's names of the ladder
  });
});

test('two names of one model, and --from captured of a state that has none, are errors', async () => {
  const { label } = await world(0);
  expectRefusal(await label('--models', 'cheap,fake/small'), /cheap,fake\/small names fake\/small twice/, 2);
  expectRefusal(await label(), /The state has no captured requests/, 1);
});

test.skipIf(process.platform === 'win32' || !LONG_RUN)(
  'a disk that fills up leaves whole lines in the journal, and the run goes on later',
  async () => {
    const { folder } = await world(0);
    const limited = 'trap "" XFSZ; ulimit -f 8; exec "$@"';
    writeFileSync(
      path.join(folder, 'prompts.jsonl'),
      Array.from(
        { length: 12 },
        (_, i) => `${JSON.stringify({ id: `q${i}`, prompt: `Where? (${i})` })}\n`,
      ).join(''),
    );
    const args =
      'label --from prompts.jsonl --models cheap,strong --graders graders.yaml --budget 1usd --out cases.jsonl'.split(
        ' ',
      );
    const stderr = await new Promise<string>((resolve) => {
      const command = ['-c', limited, 'sh', process.execPath, CLI, ...args];
      execFile('/bin/sh', command, { cwd: folder }, (_, _out, err) => resolve(err));
    });
    expect(stderr).toMatch(/EFBIG/);
    const journal = readFileSync(path.join(folder, 'cases.jsonl.journal'), 'utf8');
    expect(journal.length).toBeGreaterThan(1_000);
    expect(journal.endsWith('\n')).toBe(true);
    const paid = journal.split('\n').filter((line) => line.includes('"kind":"reply"')).length;
    const { code, stdout } = await cli([...args, '--json'], { cwd: folder });
    expect({ code }).toEqual({ code: 0 });
    expect(JSON.parse(stdout)).toMatchObject({ complete: 12, new_calls: 24 - paid });
  },
);

test('--select chooses by the scores of an artifact what is worth a label, once', async () => {
  const { folder } = await world(0);
  const prompts = Array.from({ length: 200 }, (_, i) => ({
    id: `q${i}`,
    prompt:
      i % 2
        ? `Where is harbour ${'x'.repeat(i)} of Antwerp?`
        : `Prove lemma ${'y'.repeat(i)} about sheaves and functors.`,
  }));
  writeFileSync(path.join(folder, 'prompts.jsonl'), prompts.map((row) => JSON.stringify(row)).join('\n'));
  const args =
    '--from prompts.jsonl --models cheap,strong --graders graders.yaml --budget 1usd --out cases.jsonl --json';
  const label = async (...more: string[]) => cli(['label', ...args.split(' '), ...more], { cwd: folder });
  const starter = path.join(PACKAGE_FOLDER, 'models', 'starter');
  expectRefusal(await label('--select', '40'), /--select needs --artifact/, 2);
  expectRefusal(await label('--artifact', starter), /--artifact goes with --select/, 2);
  const { code, stdout, stderr } = await label('--select', '40', '--artifact', starter, '--margin', '0.05');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stderr).toMatch(
    /Chose 24 to learn from and \d+ to be sealed, \d+ of which may stay cheap .* need a label/,
  );
  expect(stderr).toContain('Train on the labelled cases with --seed 2');
  const read = (name: string) =>
    readFileSync(path.join(folder, name), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  const [chosen, cases] = [read('cases.chosen.jsonl'), read('cases.jsonl')];
  const needed = chosen.filter((row) => row.label_needed !== false).length;
  expect(needed).toBeLessThan(chosen.length);
  expect(JSON.parse(stdout)).toMatchObject({ rows: needed, complete: needed, new_calls: 2 * needed });
  expect(cases.map(({ id }) => id).sort()).toEqual(chosen.map(({ id }) => id).sort());
  for (const { label_needed, outcomes } of cases)
    expect(Object.keys(outcomes)).toHaveLength(label_needed === false ? 0 : 2);
  const again = await label('--select', '40', '--artifact', starter, '--margin', '0.05');
  expect(again.stderr).toContain('Going on with the requests of cases.chosen.jsonl');
  expect(JSON.parse(again.stdout)).toMatchObject({ rows: needed, new_calls: 0 });
}, 60_000);
