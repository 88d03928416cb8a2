import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { LONG_RUN } from '../helpers/long-run.ts';
import { LARGE, type MadeUpRow, madeUpRows, SMALL } from './made-up-data.ts';
import { cli, expectRefusal, jsonOf, scratchFolder } from './run-cli.ts';

const HOME = scratchFolder();
const ROWS = madeUpRows();
const NAMES = `prompt=question,${SMALL}.quality=A,${LARGE}.quality=B,${SMALL}.cost_usd=price a,${LARGE}.cost_usd=price b`;

const file = (name: string, content: string | Buffer) => {
  writeFileSync(path.join(HOME, name), content);
  return name;
};
const quality = ({ outcomes }: MadeUpRow, model: string) => outcomes[model]!.quality;
const run = (...args: string[]) => cli(args, { cwd: HOME });

/** As a spreadsheet of another language has it: tabs, percentages, decimal commas, a cheap model that costs more. */
const SHEET = gzipSync(
  `QUESTION\tA\tB\tPrice A \tPrice B\tNotes\r\n${ROWS.map(
    (row) =>
      `${row.prompt}\t${95 * quality(row, SMALL)} %\t${97 * quality(row, LARGE)} %\t0,02\t0,001\t-\r\n`,
  ).join('')}`,
);

describe('data as people have them', { timeout: 120_000 }, () => {
  it('train and gate read the same sheet by the same flags, and say how; --json stays one document', async () => {
    const data = file('sheet.tsv.gz', SHEET);
    const out = path.join('models', 'sheet');
    const models = ['--cheap', SMALL, '--strong', LARGE];
    const reading = ['--data', data, '--map', NAMES];
    const trained = await run(
      'train',
      ...reading,
      ...models,
      '--out',
      out,
      '--max-quality-loss',
      '0.4',
      '--json',
    );
    expect(jsonOf(trained).manifest.data).toMatchObject({
      quality_scale: 'percent',
      columns: { prompt: 'question', [`${SMALL}.quality`]: 'A' },
    });
    const suite = file('suite.yaml', 'name: sheet\nmax_quality_loss: 0.5\nbeats_random: false\n');
    const gated = await run('gate', '--artifact', out, '--suite', suite, ...reading, '--json');
    expect([0, 10, 11], gated.stderr).toContain(gated.code);
    const { sealed } = JSON.parse(gated.stdout);
    expect(sealed.n + sealed.excluded.seen).toBe(ROWS.length);
    for (const { stderr } of [trained, gated]) {
      expect(stderr).toMatch(
        /^sheet\.tsv\.gz: qualities are read as percent \(35 % is 0\.35\); .*0,5 is read as 0\.5$/m,
      );
      expect(stderr).toMatch(/^Not read: Notes\.$/m);
      expect(
        stderr.match(/^Warning: the ladder is in another order than the data: made-small costs more/gm),
      ).toHaveLength(1);
    }
  });

  it('import makes canonical cases of them, which need no flags', async () => {
    const data = file('sheet.tsv.gz', SHEET);
    const args = ['import', 'csv', data, '--map', NAMES, '--out', 'canonical.jsonl', '--json'];
    expect(jsonOf(await run(...args))).toMatchObject({
      cases: ROWS.length,
      models: [LARGE, SMALL],
      rejected: 0,
    });
    const [first] = readFileSync(path.join(HOME, 'canonical.jsonl'), 'utf8').split('\n');
    expect(JSON.parse(first!)).toMatchObject({
      prompt: ROWS[0]!.prompt,
      outcomes: { [SMALL]: { quality: 0.95 * quality(ROWS[0]!, SMALL), cost_usd: 0.02 } },
    });
  });

  it.runIf(LONG_RUN)('an import of nothing but bad rows says why, and writes them', async () => {
    const rows = ROWS.map(({ prompt }) => `"${prompt}",often,never\n`).join('');
    const data = file('bad.csv', `prompt,${SMALL}.quality,${LARGE}.quality\n${rows}`);
    const ended = await run('import', 'csv', data, '--out', 'never.jsonl', '--rejects', 'rejects.jsonl');
    expectRefusal(
      ended,
      /300 of 300 rows \(100 %\) were rejected.*\n {2}bad\.csv:2: outcomes\.made-small\.quality: must be .*\n.*\n.*\n {2}and 297 more of this kind\n.*--quality-scale/,
    );
    expect(readFileSync(path.join(HOME, 'rejects.jsonl'), 'utf8').trimEnd().split('\n')).toHaveLength(300);
  });

  it('a table without a header, with CR line ends, is refused without a prompt', async () => {
    const data = file('mac.csv', ROWS.map(({ prompt }) => `"${prompt}",1,0\r`).join(''));
    const ended = await run('assess', '--data', data, '--cheap', SMALL, '--strong', LARGE);
    expectRefusal(ended, /mac\.csv:1: the first line is no header/);
    expect(ended.stderr.length).toBeLessThan(600);
    expect(ended.stderr).not.toContain(ROWS[0]!.prompt.slice(0, 20));
  });

  it.each([
    ['a scale that is none', ['--quality-scale', 'stars'], /worst and the best number/],
    ['a map that is none', ['--map', 'prompt'], /not name=column/],
  ])('wrong usage: %s', async (_, flags, message) => {
    const args = ['assess', '--data', 'x.csv', '--cheap', SMALL, '--strong', LARGE];
    expectRefusal(await run(...args, ...flags), message, 2);
  });

  it('a scale for an importer that knows its files is refused', async () => {
    const ended = await run('import', 'routellm', 'x.csv', '--out', 'y.jsonl', '--quality-scale', '0-100');
    expectRefusal(ended, /are for the formats csv and jsonl; routellm knows how its files are written/, 2);
  });
});
