import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadCases } from '../../evals/cases/index.ts';
import { heldOutCases } from '../../evals/gate/index.ts';
import { readArtifact } from '../../router/artifact/index.ts';
import { itLong } from '../helpers/long-run.ts';
import { LARGE, MEDIUM, madeUpRows, SMALL, writeRows } from './made-up-data.ts';
import { cli, ended, expectRefusal, jsonOf, scratchFolder, startCli, told } from './run-cli.ts';

const HOME = scratchFolder();
const ARTIFACT = path.join(HOME, 'models', 'made');
const DATA = writeRows(HOME, 'cases.jsonl', madeUpRows());
const CREATED = '2025-01-01T00:00:00.000Z';
const PARTS = ['MODEL_CARD.md', 'classifier.onnx', 'golden.json', 'manifest.json', 'seen-questions.bin'];
const EASY = 'What is the capital of Portugal?';
const HARD = 'Prove that the eigenvalues of a Hermitian operator are real.';

const trainArgs = (out: string, ...more: string[]) => [
  ...['train', '--data', DATA, '--cheap', SMALL, '--strong', LARGE, '--out', out],
  ...['--created', CREATED, '--escalation-rate', '0.5', ...more],
];

beforeAll(async () => {
  const { manifest, out } = jsonOf(await cli(trainArgs(ARTIFACT, '--json')));
  expect(out).toBe(ARTIFACT);
  expect(manifest).toEqual(JSON.parse(readFileSync(path.join(ARTIFACT, 'manifest.json'), 'utf8')));
});

describe('after plimsoll train', () => {
  it('the artifact lies there whole, with nothing beside it', () => {
    expect(readdirSync(path.dirname(ARTIFACT))).toEqual(['made']);
    expect(readdirSync(ARTIFACT).sort()).toEqual(PARTS);
  });

  itLong(
    'the same command gives the same bytes, says how far it is on stderr and the result on stdout',
    async () => {
      const again = path.join(scratchFolder(), 'made');
      const { code, stdout, stderr } = await cli(trainArgs(again));
      expect(code, stderr).toBe(0);
      for (const part of PARTS) {
        expect(readFileSync(path.join(again, part)).equals(readFileSync(path.join(ARTIFACT, part)))).toBe(
          true,
        );
      }
      expect(stdout).toMatch(
        /^Wrote .*made-small -> made-large\ntrained on 166 cases; 134 stay sealed for the gate\nAPGR on the training cases 0\.\d{3} /,
      );
      expect(stdout).toMatch(
        /\nthreshold 0\.\d{4}: escalates 50\.0 % \(.*\), mean quality loss .* an estimate that promises nothing, on 166 cases\n$/,
      );
      expect(stderr).toMatch(/^reading cases: 300 cases;.*\nembedding: .*\ntraining: lr, lambda /);
    },
  );

  it('inspect checks it and says what it is, and heeds no configuration that lies about', async () => {
    const elsewhere = scratchFolder();
    writeFileSync(path.join(elsewhere, 'plimsoll.config.yaml'), 'ladder: { nobody: x }\n');
    const report = jsonOf(await cli(['inspect', ARTIFACT, '--json'], { cwd: elsewhere }));
    expect(report).toMatchObject({
      folder: ARTIFACT,
      verdict: { status: 'none', why: expect.stringContaining('the gate has not run on it') },
      manifest: { name: 'made', created: CREATED },
    });
    const { stdout } = await cli(['inspect', ARTIFACT]);
    expect(stdout).toContain(`sha256     ${report.sha256}`);
    expect(stdout).toContain('golden     8 cases, all as they should be');
    expect(stdout).toContain('split      166 train, 134 sealed test, seed 1');
    expect(stdout).toMatch(/^policy {5}default v1: threshold 0\.\d{4} by escalation-rate$/m);
    expect(stdout).toMatch(/^APGR {7}0\.\d{3} on 166 training cases/m);
    expect(stdout).toContain('verdict    none');
  });

  it('route decides on an argument and on stdin alike', async () => {
    const byArgument = jsonOf(
      await cli(['route', EASY, '--artifact', ARTIFACT, '--allow-ungated', '--json']),
    );
    expect(byArgument).toMatchObject({ candidate: 'cheap', model: SMALL, escalated: false, stale: false });
    const byStdin = jsonOf(
      await cli(['route', '--artifact', ARTIFACT, '--allow-ungated', '--json'], { stdin: `${EASY}\n` }),
    );
    const { id: _, latency_ms: __, ...same } = byArgument;
    expect(byStdin).toMatchObject(same);
    const said = await cli(['route', HARD, '--artifact', ARTIFACT, '--allow-ungated']);
    expect(said.stdout).toMatch(/^strong \(made-large\): over-threshold\npredicted loss 0\./);
    expect(said).toMatchObject({ code: 0, stderr: '' });
  });

  it('route --explain: the parts add up to the logit', async () => {
    const { explanation, escalated } = jsonOf(
      await cli(['route', HARD, '--artifact', ARTIFACT, '--allow-ungated', '--explain', '--json']),
    );
    expect(escalated).toBe(true);
    const { logit, intercept, features, word_pieces: pieces, word_pairs: pairs } = explanation.cheap;
    const total = [...features, ...pieces, ...pairs].reduce(
      (sum, { contribution }) => sum + contribution,
      intercept,
    );
    expect(total).toBeCloseTo(logit, 4);
    const said = await cli(['route', HARD, '--artifact', ARTIFACT, '--allow-ungated', '--explain']);
    expect(said.stdout).toMatch(/\ncheap: logit -?\d.* for the average text, and\n {2}[+-]\d/);
  });

  it.each([
    ['5 MB', Buffer.alloc(5_000_000, 'the quick brown fox jumps over 12 dogs. ')],
    [
      'NUL, broken UTF-8, a lone surrogate',
      Buffer.from([0x68, 0x69, 0x20, 0x00, 0xff, 0x20, 0xed, 0xa0, 0x80, 0x78]),
    ],
  ])('route decides on %s from stdin', async (_, stdin) => {
    const decision = jsonOf(
      await cli(['route', '--artifact', ARTIFACT, '--allow-ungated', '--json'], { stdin }),
    );
    expect(decision).toMatchObject({ reason: expect.stringMatching(/^(within|over)-threshold$/) });
  });

  it('calibrate sets another threshold, on cases that the artifact has not seen', async () => {
    const folder = scratchFolder();
    const rows = madeUpRows().map((one) => ({ ...one, prompt: `In short. ${one.prompt}` }));
    const fresh = writeRows(folder, 'fresh.jsonl', rows);
    const out = path.join(folder, 'cheaper');
    const args = ['calibrate', '--artifact', ARTIFACT, '--data', fresh, '--out', out];
    const done = await cli([...args, '--escalation-rate', '0.2', '--json']);
    const [, used] = /^(\d+) cases calibrate, \d+ stay sealed for the gate$/m.exec(done.stderr)!;
    const { manifest } = jsonOf(done);
    expect(manifest).toMatchObject({ name: 'cheaper', policy: { version: 2, chosen_by: { target: 0.2 } } });
    expect(manifest.policy.expected).toMatchObject({ n: Number(used) });
    expect(manifest.policy.expected.escalation_rate).toBeLessThanOrEqual(0.2);
    const decision = jsonOf(await cli(['route', EASY, '--artifact', out, '--allow-ungated', '--json']));
    expect(decision.threshold).toBe(manifest.policy.threshold);
  });

  it('calibrate refuses the data that the artifact was trained on: nothing of them is left for it', async () => {
    const out = path.join(scratchFolder(), 'again');
    const run = await cli(['calibrate', '--artifact', ARTIFACT, '--data', DATA, '--out', out]);
    expectRefusal(
      run,
      /No case is left to calibrate on: 166 ask questions that made has seen, and 134 stay sealed for the gate\. Give cases of other traffic .* the gate finds the threshold by itself\.$/m,
    );
    expect(existsSync(out)).toBe(false);
  });

  it('calibrate on cases that are new to the artifact keeps its test part of them for the gate', async () => {
    const folder = scratchFolder();
    const rows = madeUpRows().map((one) => ({ ...one, prompt: `In short. ${one.prompt}` }));
    const other = writeRows(folder, 'other.csv', rows);
    const out = path.join(folder, 'other');
    const { code, stdout, stderr } = await cli([
      ...['calibrate', '--artifact', ARTIFACT, '--data', other, '--out', out, '--cheap', MEDIUM],
      ...['--max-quality-loss', '0.3'],
    ]);
    expect(code, stderr).toBe(0);
    const { split, policy } = readArtifact(out).manifest;
    const { calibration = { n: 0 }, test } = split;
    expect(calibration.n + test.n).toBe(300);
    expect(test.n).toBeGreaterThan(90); // 40 %
    expect(policy.walk_from).toBeLessThanOrEqual(policy.threshold);
    expect(stdout).toContain(`\npreview of the threshold ${policy.threshold.toFixed(4)}: escalates `);
    expect(stderr).toContain(`${calibration.n} cases calibrate, ${test.n} stay sealed for the gate\n`);
    expect(stdout).toContain(
      `trained on 166 cases, calibrated on ${calibration.n}; ${test.n} stay sealed for the gate\nAPGR on the calibration cases`,
    );
    const card = readFileSync(path.join(out, 'MODEL_CARD.md'), 'utf8');
    expect(card).toContain(`166 cases to train, ${calibration.n} to calibrate, ${test.n} sealed`);
    expect(card).toMatch(
      /The weights are those of `made` .* cases of `other\.csv` \(sha256 `[0-9a-f]{16}…`\)/,
    );
    const { cases } = await loadCases([other], { models: [MEDIUM, LARGE] });
    const { heldOut, sha256 } = heldOutCases(cases, readArtifact(out));
    expect({ n: heldOut.length, sha256 }).toEqual(test);
  });

  it('calibrate on old cases and new ones leaves out what the training has learned from', async () => {
    const folder = scratchFolder();
    const more = madeUpRows().map((one) => ({
      ...one,
      id: `new-${one.id}`,
      prompt: `In short. ${one.prompt}`,
    }));
    const both = writeRows(folder, 'both.jsonl', [...madeUpRows(), ...more]);
    const args = ['calibrate', '--artifact', ARTIFACT, '--data', both, '--out', path.join(folder, 'both')];
    const { stderr } = await cli([...args, '--escalation-rate', '0.5']);
    const [, used, sealed] = /(\d+) cases calibrate, (\d+) stay sealed for the gate, 166 are left out/.exec(
      stderr,
    )!;
    expect(Number(used) + Number(sealed)).toBe(600 - 166);
  });

  it('serve answers over HTTP, logs on stderr alone and leaves with 0 on SIGINT', async () => {
    const server = startCli(['serve', '--artifact', ARTIFACT, '--allow-ungated', '--port', '0']);
    const end = ended(server);
    const [, url] = await told(server, /listens on (http:[^"]*)"/);
    const answer = await fetch(`${url}/v1/route`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: EASY }),
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ candidate: 'cheap' });
    server.kill('SIGINT');
    expect(await end).toMatchObject({ code: 0, stdout: '' });
  });

  it('a reader that closes stdout early is no error', async () => {
    const child = startCli(['inspect', ARTIFACT, '--json']);
    const end = ended(child);
    child.stdout.destroy();
    expect(await end).toMatchObject({ code: 0, stderr: '' });
  });

  it('train --force replaces the artifact', async () => {
    const copy = path.join(scratchFolder(), 'made');
    cpSync(ARTIFACT, copy, { recursive: true });
    const { manifest } = jsonOf(
      await cli(trainArgs(copy, '--force', '--seed', '2', '--folds', '2', '--json')),
    );
    expect(manifest.split.seed).toBe(2);
    expect(readdirSync(path.dirname(copy))).toEqual(['made']);
  });
});
