import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { sampled } from '../helpers/long-run.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';
import { cli, expectRefusal, jsonOf, scratchFolder } from './run-cli.ts';

const HOME = scratchFolder();
const { folder: ARTIFACT, easy, hard } = await tinyArtifact();

/** New wordings of what the artifact was trained on, easy ones first. */
const POOL = [...easy, ...hard].map((text, i) => `${text} Mind the secret number ${i}.`);

function file(name: string, text: string): string {
  const place = path.join(HOME, name);
  writeFileSync(place, text);
  return place;
}

const csvPool = file('pool.csv', `prompt,id\n${POOL.map((text, i) => `"${text}",p-${i}`).join('\n')}\n`);
const run = (name: string, ...more: string[]) => {
  const out = path.join(HOME, name, 'to-label.jsonl');
  mkdirSync(path.dirname(out), { recursive: true });
  const args = ['plan-labels', '--artifact', ARTIFACT, '--prompts', csvPool, '--out', out, ...more];
  return { out, planFile: out.replace('.jsonl', '.plan.json'), ended: cli(args) };
};

describe('plimsoll plan-labels', () => {
  it('writes the prompts to label and the plan, says what they are worth, and shows no prompt', async () => {
    const { out, planFile, ended } = run('usual', '--n', '20', '--created', '2026-01-02T03:04:05Z');
    const { code, stdout, stderr } = await ended;
    expect(code, stderr).toBe(0);
    const rows = readFileSync(out, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows).toHaveLength(20);
    for (const { id, prompt, outcomes } of rows) {
      expect(POOL[Number(id.slice(2))]).toBe(prompt);
      expect(outcomes).toEqual({});
    }
    const plan = JSON.parse(readFileSync(planFile, 'utf8'));
    expect(plan).toMatchObject({ margin: 0.03, drawn: { n: 20 }, created: '2026-01-02T03:04:05.000Z' });
    const { rows: below } = plan.below_limit;
    expect(stdout.split('\n')).toEqual([
      `Wrote ${out}: 20 prompts to label. The plan is ${planFile}.`,
      expect.stringMatching(
        new RegExp(`^limit 0\\.\\d{4}: ${below} of 200 prompts may stay cheap, [\\d.]+ % \\(`),
      ),
      `${200 - below} prompts above it need no label: the policy escalates them, and they lose nothing`,
      expect.stringMatching(
        /^If the policy loses 0\.015, half the margin, 20 labels probably certify a loss of at most 0\.\d+; for 0\.03 it takes about \d+\.$/,
      ),
      '',
    ]);
    expect(stderr).toMatch(/200 prompts; 0 left out, whose questions the artifact has seen/);
    expect(stdout + stderr + JSON.stringify(plan)).not.toMatch(/secret/);
  });

  it('takes margin and confidence from a suite, and prints JSON', async () => {
    const suite = file('suite.yaml', 'name: s\nmax_quality_loss: 0.2\nconfidence: 0.9\n');
    const { out, planFile, ended } = run('json', '--suite', suite, '--n', '30', '--json');
    const printed = jsonOf(await ended);
    expect(printed).toMatchObject({ out, plan_file: planFile, forecast: { quality_loss: 0.1 } });
    expect(printed.plan).toEqual(JSON.parse(readFileSync(planFile, 'utf8')));
    expect(printed.plan.margin).toBe(0.2);
  });

  it('says that it took all if fewer lie below the limit', async () => {
    const { ended } = run('all', '--n', '5000');
    const { stdout } = await ended;
    expect(stdout).toMatch(/: (\d+) prompts to label, which are all below the limit: 5000 were asked for\./);
  });

  it('reads a pool under other names, and counts bad rows', async () => {
    const lines = POOL.map((ask) => JSON.stringify({ ask, outcomes: 'none' }));
    const pool = file('pool.jsonl', `${lines.join('\n')}\n{"ask":" "}\n`);
    const { ended } = run('names', '--prompts', pool, '--map', 'prompt=ask', '--n', '3');
    const { code, stderr } = await ended;
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/prompt: empty/);
  });

  it.each(
    sampled([
      ['a margin of 0', ['--margin', '0'], /margin must be above 0/, {}],
      ['an empty pool', ['--prompts', file('empty.csv', '')], /the file is empty/, {}],
      [
        'a limit below every score',
        ['--limit', '-1'],
        /No prompt of 200 has a predicted loss of at most -1/,
        {},
      ],
      ['no weights', [], /Cannot read the encoder's weights/, { PLIMSOLL_WEIGHTS_DIR: HOME }],
    ]),
  )('%s: one message', async (name, more, message, env) => {
    const out = path.join(HOME, `${name.replaceAll(' ', '-')}.jsonl`);
    const args = ['plan-labels', '--artifact', ARTIFACT, '--prompts', csvPool, '--out', out, ...more];
    expectRefusal(await cli(args, { env }), message);
  });

  it('a table under another name: how to name its column, and no demand for labels', async () => {
    const { ended } = run('other-name', '--prompts', file('asked.csv', `asked,id\n${POOL[0]},1\n`));
    const { code, stderr } = await ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /there is no column prompt.*must be there; labels may be.*--map prompt=question\.$/m,
    );
  });

  it('without --out, or with a number that is none: wrong usage', async () => {
    expectRefusal(
      await cli(['plan-labels', '--artifact', 'x', '--prompts', 'y']),
      /--out <file>' not specified/,
      2,
    );
    expectRefusal(await run('usage', '--n', '0').ended, /whole number from 1/, 2);
  });
});
