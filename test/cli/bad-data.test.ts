import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { sampled } from '../helpers/long-run.ts';
import { jsonLines, LARGE, type MadeUpRow, madeUpRows, SMALL, writeRows } from './made-up-data.ts';
import { cli, expectRefusal, scratchFolder } from './run-cli.ts';

const HOME = scratchFolder();
const ROWS = madeUpRows();
const DATA = writeRows(HOME, 'cases.jsonl', ROWS);
const OTHER_FOLDER = path.join(HOME, 'precious');
mkdirSync(OTHER_FOLDER);
writeFileSync(path.join(OTHER_FOLDER, 'notes.txt'), 'keep');

const file = (name: string, content: string | Buffer) => {
  const place = path.join(HOME, name);
  writeFileSync(place, content);
  return place;
};
const rows = (name: string, change: (row: MadeUpRow, i: number) => object) =>
  file(name, jsonLines(ROWS.map(change)));
const qualities = (name: string, of: (row: MadeUpRow, i: number) => Record<string, unknown>) =>
  rows(name, (row, i) => {
    const changed = Object.entries(of(row, i)).map(([model, quality]) => [model, { quality }]);
    return { ...row, outcomes: { ...row.outcomes, ...Object.fromEntries(changed) } };
  });
const qualityOf = ({ outcomes }: MadeUpRow, model: string) => outcomes[model]!.quality;
const whole = readFileSync(writeRows(HOME, 'whole.jsonl.gz', ROWS));

const COMMANDS = {
  train: (data: string) => ['train', '--data', data, '--cheap', SMALL, '--strong', LARGE],
  assess: (data: string) => ['assess', '--data', data, '--cheap', SMALL, '--strong', LARGE],
};

describe('data that nothing can be learned from', () => {
  it.each(
    sampled([
      ['a file that is not there', path.join(HOME, 'absent.jsonl'), /absent\.jsonl: there is no such file\./],
      ['a folder', HOME, /: this is a folder; name the files in it\./],
      ['another ending', file('cases.txt', 'x'), /cases\.txt: cannot tell the format .*\.jsonl.*\.csv/],
      [
        'a cut off .gz',
        file('cut.jsonl.gz', whole.subarray(0, 1000)),
        /cut\.jsonl\.gz: .* middle of the compressed stream/,
      ],
      [
        'a broken quote',
        file('quote.csv', `id,prompt,${SMALL}.quality,${LARGE}.quality\n1,a,1,0\n2,"b,1,0\n3,c,0,1\n`),
        /quote\.csv:3: a quoted cell .* is not closed/,
      ],
      [
        'no row of use',
        rows('blank.jsonl', (row) => ({ ...row, prompt: ' \n' })),
        /300 of 300 rows .*\n.*blank\.jsonl:1: prompt: empty/,
      ],
      [
        'quality above 1',
        qualities('above.jsonl', (row, i) => ({ [SMALL]: i % 10 === 0 ? 1.7 : qualityOf(row, SMALL) })),
        /300 of 300 rows .*agree on none.*above\.jsonl:1: outcomes\.made-small\.quality: must be a number from 0 to 1, is 1\.7.*--quality-scale/s,
      ],
      [
        'quality left out',
        qualities('left-out.jsonl', (row, i) => ({ [LARGE]: i % 2 ? undefined : qualityOf(row, LARGE) })),
        /left-out\.jsonl:2: outcomes\.made-large\.quality: missing/,
      ],
      [
        'fewer than 50 cases',
        writeRows(HOME, 'few.csv', ROWS.slice(0, 49)),
        /Too few usable cases: 49\. At least 50/,
      ],
      [
        'only good answers',
        qualities('good.jsonl', () => ({ [LARGE]: 1 })),
        /Every answer of made-large has quality 1/,
      ],
      [
        'equally good models',
        qualities('equal.jsonl', (row) => ({ [LARGE]: qualityOf(row, SMALL) })),
        /made-large \(mean quality 0\.540\) is no better than made-small \(0\.540\).*send everything to the cheap one/,
      ],
      [
        'a strong model that is worse',
        qualities('swapped.jsonl', (row) => ({
          [SMALL]: qualityOf(row, LARGE),
          [LARGE]: qualityOf(row, SMALL),
        })),
        /made-large \(mean quality 0\.540\) is no better than made-small \(0\.927\)/,
      ],
      [
        'one failure in all',
        qualities('one.jsonl', (_, i) => ({ [LARGE]: i === 7 ? 0 : 1 })),
        /Too few of the \w+ cases have an answer of made-large with a quality below 1: [01] of \d+\. Add cases that it fails\./,
      ],
    ]),
  )('%s: one message, and nothing is left', async (_, data, message) => {
    const home = scratchFolder();
    const out = path.join(home, 'deep', 'artifact');
    expectRefusal(await cli([...COMMANDS.train(data), '--out', out]), message);
    expect(readdirSync(home)).toEqual([]);
  });

  it('assess counts on three folds, and says the same', async () => {
    const ended = await cli(COMMANDS.assess(path.join(HOME, 'one.jsonl')));
    expectRefusal(ended, /Too few of the labelled cases .* below 1: 1 of 300/);
  });
});

describe('flags that do not fit', () => {
  const out = path.join(HOME, 'never', 'made');
  const train = (...more: string[]) => [
    ...COMMANDS.train(DATA),
    ...(more.includes('--out') ? [] : ['--out', out]),
    ...more,
  ];
  it.each(
    sampled([
      [
        'a model that the data do not have',
        ['train', '--data', DATA, '--cheap', 'made-smal', '--strong', LARGE, '--out', out],
        /No row has an outcome of made-smal\. Did you mean made-small\? Models .* made-small \(300\), made-medium \(300\), made-large \(300\)/,
      ],
      [
        'a quality field of no row',
        train('--quality-field', 'grade'),
        /No outcome has a field grade\. .* quality\./,
      ],
      [
        'a hub model that is not allowed',
        train('--encoder', 'transformers:nobody/nothing'),
        /allow its download: --allow-hub/,
      ],
      [
        'a name with a blank',
        train('--name', 'my router'),
        /"my router" cannot name an artifact\..* in --name\./,
      ],
      ['no name of a folder', train('--out', ''), /--out is empty/],
      [
        '--abstain, here without a number, of a learner that keeps no cases',
        train('--learner', 'lr', '--abstain'),
        /The learner lr keeps no labelled cases/,
      ],
      [
        '--out below a file',
        train('--out', path.join(DATA, 'x')),
        /Cannot write the artifact to .* \(ENOTDIR\)/,
      ],
      ['--out over a folder', train('--out', OTHER_FOLDER), /exists already.*--force/],
      [
        '--force over what is no artifact',
        train('--out', OTHER_FOLDER, '--force'),
        /is no artifact: it is not replaced/,
      ],
      [
        'import to a folder that is not there',
        ['import', 'jsonl', DATA, '--out', path.join(out, 'x.jsonl')],
        /Cannot write the cases to .* \(ENOENT\): no such folder\. Make its folder first/,
      ],
      [
        'import below a file',
        ['import', 'jsonl', DATA, '--out', path.join(DATA, 'x.jsonl')],
        /Cannot write the cases to .* \(ENOTDIR\): a part of the path is a file/,
      ],
    ]),
  )('%s: one message, and nothing is left', async (_, args, message) => {
    expectRefusal(await cli(args), message);
    expect(readdirSync(HOME)).not.toContain('never');
    expect(readdirSync(OTHER_FOLDER)).toEqual(['notes.txt']);
  });
});
