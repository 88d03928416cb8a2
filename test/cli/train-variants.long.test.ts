import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { LONG_RUN } from '../helpers/long-run.ts';
import { LARGE, MEDIUM, madeUpRows, rowsWithReplies, SMALL, writeRows } from './made-up-data.ts';
import { cli, ended, jsonOf, scratchFolder, startCli, told } from './run-cli.ts';

const HOME = scratchFolder();
const ROWS = madeUpRows();
const HARD = 'Prove that the eigenvalues of a Hermitian operator are real.';

const trainArgs = (data: string, out: string, ...more: string[]) => [
  ...['train', '--data', writeRows(HOME, data, ROWS), '--cheap', SMALL, '--strong', LARGE],
  ...['--out', path.resolve(HOME, out), '--folds', '2', '--json', '--escalation-rate', '0.5', ...more],
];

describe('plimsoll train', () => {
  it('learns the same from JSON Lines, a wide and a long table', async () => {
    const files = LONG_RUN ? ['cases.jsonl.gz', 'long.csv', 'wide.csv'] : ['cases.jsonl.gz', 'long.csv'];
    const manifests = await Promise.all(
      files.map(async (data) => {
        return jsonOf(await cli(trainArgs(data, `from-${path.basename(data)}`))).manifest;
      }),
    );
    const [first] = manifests;
    for (const { policy, classifier, split } of manifests) {
      const { cost_saved: _, cost_saved_interval: __, ...expected } = policy.expected; // the tables here name no costs
      expect({ ...policy, expected }).toEqual({ ...first.policy, expected });
      expect({ classifier, split }).toEqual({ classifier: first.classifier, split: first.split });
    }
    const rows = { 'cases.jsonl.gz': 300, 'long.csv': 900, 'wide.csv': 300 };
    expect(Object.fromEntries(manifests.map(({ data }) => [data.files[0].file, data.files[0].rows]))).toEqual(
      Object.fromEntries(files.map((file) => [file, rows[file as keyof typeof rows]])),
    );
  });

  it('a cascade, which the gate judges by the replies, and inspect describes', async () => {
    const data = writeRows(HOME, 'replies.jsonl', rowsWithReplies());
    const pair = ['--data', data, '--cheap', SMALL, '--strong', LARGE, '--cascade', '--folds', '2'];
    const out = path.join(HOME, 'cascade');
    const trained = await cli(['train', ...pair, '--out', out, '--escalation-rate', '0.5']);
    expect(trained.stdout).toContain(`each reply of ${SMALL} judged before it goes out`);
    expect(trained.stderr).toMatch(/ only at the gateway\. .*cascade-unchecked/);
    const suite = path.join(HOME, 'cascade-suite.yaml');
    writeFileSync(suite, 'name: cascade\nmax_quality_loss: 0.3\n');
    const gated = jsonOf(await cli(['gate', '--artifact', out, '--suite', suite, '--data', data, '--json']));
    expect(gated.evidence.cascade).toMatchObject({ accept: gated.policy.threshold, latency: null });
    expect(gated.evidence.cost.saved_against_strong).toBeGreaterThan(0);
    expect((await cli(['inspect', out])).stdout).toContain(`judges the replies of ${SMALL}`);
    const again = await cli([
      'calibrate',
      '--artifact',
      out,
      '--data',
      data,
      '--out',
      path.join(HOME, 'again'),
    ]);
    expect(again.stderr).toContain(
      'cascade is a cascade: the judge of its replies learned from these models',
    );
  });

  it('a cascade of cases without replies is refused, with the fields to give', async () => {
    const { code, stderr } = await cli(trainArgs('no-replies.jsonl', 'none', '--cascade'));
    expect(code).toBe(1);
    expect(stderr).toContain(
      `Give outcomes.${SMALL} at least one of answer (the text), confidence_logprob and signals.`,
    );
    expect(existsSync(path.join(HOME, 'none'))).toBe(false);
  });

  it('a ladder of three: each rung has its head, and any of them may be chosen', async () => {
    const data = writeRows(HOME, 'ladder.jsonl', ROWS);
    const out = path.join(HOME, 'ladder');
    const ladder = [SMALL, MEDIUM, LARGE];
    const args = [
      'train',
      '--data',
      data,
      '--ladder',
      ladder.join(','),
      '--out',
      out,
      '--folds',
      '2',
      '--json',
    ];
    const { manifest } = jsonOf(await cli([...args, '--escalation-rate', '0.5']));
    expect(manifest.ladder).toEqual(ladder.map((model) => ({ candidate: model, model })));
    const decision = jsonOf(await cli(['route', HARD, '--artifact', out, '--allow-ungated', '--json']));
    expect(Object.keys(decision.scores)).toEqual(ladder);
    const { scores, threshold, model } = decision;
    expect(model).toBe(ladder.find((rung) => scores[LARGE] - scores[rung] <= threshold));
  });

  it.runIf(LONG_RUN)('with minilm: a linear classifier that routes', async () => {
    const { manifest } = jsonOf(await cli(trainArgs('minilm.jsonl', 'minilm', '--encoder', 'minilm')));
    expect(manifest).toMatchObject({ encoder: { id: 'minilm' }, classifier: { kind: 'linear' } });
    const decision = jsonOf(
      await cli(['route', HARD, '--artifact', path.join(HOME, 'minilm'), '--allow-ungated', '--json']),
    );
    expect(decision.scores.cheap).toBeLessThan(decision.scores.strong);
  });

  it('Ctrl-C while it trains: ends at once by the signal, and nothing is left', async () => {
    const home = scratchFolder();
    const child = startCli(trainArgs('stopped.jsonl', path.join(home, 'deep', 'artifact')));
    const end = ended(child);
    await told(child, /^embedding: 166 texts/m); // training comes next
    child.kill('SIGINT');
    expect(await end).toMatchObject({ code: null, signal: 'SIGINT', stdout: '' }); // a shell calls it 130
    expect(readdirSync(home)).toEqual([]);
  });

  it('Ctrl-C while it writes: waits until all is written', async () => {
    const home = scratchFolder();
    const script = path.join(home, 'child.ts');
    const uninterrupted = new URL('../../router/files/write.ts', import.meta.url);
    writeFileSync(
      script,
      `import { writeFileSync } from 'node:fs';
      import { uninterrupted } from '${uninterrupted}';
      uninterrupted(() => {
        process.kill(process.pid, 'SIGINT');
        writeFileSync(${JSON.stringify(path.join(home, 'written'))}, '');
      });
      process.kill(process.pid, 'SIGINT');
      setTimeout(() => {}, 60_000);`,
    );
    const { signal } = await ended(startCli([], {}, script));
    expect(signal).toBe('SIGINT');
    expect(existsSync(path.join(home, 'written'))).toBe(true);
  });
});
