import fc from 'fast-check';
import Papa from 'papaparse';
import { describe, expect, it } from 'vitest';
import { loadCases } from '../../evals/cases/index.ts';
import { runImport } from '../../scripts/importers/index.ts';
import { jsonLines, soundRow, written } from './written.ts';

/** What no message may hold a word of. */
const SECRET = 'Where did the captain hide the map, and who else of the crew knows of it?';
const WORD = /captain|crew|\bmap,/;

const others = Array.from({ length: 3 }, (_, i) => soundRow(i));
const tables = (rows: readonly (readonly unknown[])[], newline = '\n') =>
  Papa.unparse(
    rows.map((row) => [...row]),
    { newline },
  );

/** Files that cannot be read as cases, with the prompt in the wrong place. */
const FILES: readonly (readonly [string, string, string])[] = [
  [
    'no header',
    'a.csv',
    tables([
      [SECRET, 'yes', 'no'],
      [`${SECRET} 2`, 'no', 'no'],
    ]),
  ],
  [
    'CR line ends and no column of prompts',
    'a.csv',
    tables([['q', 'a'], ...Array(2000).fill([SECRET, 1])], '\r'),
  ],
  ['one line without an end', 'a.csv', `prompt ${SECRET} `.repeat(2000)],
  [
    'the prompt as model',
    'a.csv',
    tables([
      ['prompt', 'model', 'quality'],
      ['small', SECRET, 'often'],
      ['small', SECRET, '1'],
    ]),
  ],
  [
    'the prompt as quality',
    'a.csv',
    tables([
      ['prompt', 'small.quality'],
      ['1', SECRET],
      ['0', SECRET],
    ]),
  ],
  [
    'the prompt as cost',
    'a.csv',
    tables([
      ['prompt', 'small.quality', 'small.cost_usd'],
      ['x', 1, SECRET],
    ]),
  ],
  ['an open quote', 'a.csv', `prompt,small.quality\n"${SECRET},1\n${SECRET},1\n`],
  ['another delimiter', 'a.csv', `prompt|small.quality\n${SECRET}|1\n`],
  ['a table without tabs', 'a.tsv', `prompt,small.quality\n${SECRET},1\n`],
  ['too many cells', 'a.csv', `prompt,small.quality\n${SECRET},1\n${SECRET},1\n`],
  ['broken JSON', 'a.jsonl', `{"prompt": "${SECRET}" "outcomes": {}}\n`.repeat(9)],
  ['the prompt as a key', 'a.jsonl', jsonLines([{ [SECRET]: 1, outcomes: {} }])],
  [
    'the prompt as a model of JSON',
    'a.jsonl',
    jsonLines([{ prompt: 'x', outcomes: { [SECRET]: { quality: 9 } } }]),
  ],
  ['the prompt as an outcome', 'a.jsonl', jsonLines([{ prompt: 'x', outcomes: { small: SECRET } }])],
  ['the prompt as outcomes', 'a.json', JSON.stringify([{ prompt: 'x', outcomes: SECRET }])],
  ['strings', 'a.json', JSON.stringify([SECRET, SECRET])],
  ['a string', 'a.json', JSON.stringify(SECRET)],
  ['an array cut off', 'a.json', JSON.stringify([{ prompt: SECRET }]).slice(0, -3)],
  [
    'the prompt as id of two',
    'a.jsonl',
    jsonLines([
      { ...others[0], id: SECRET },
      { ...others[1], id: SECRET },
    ]),
  ],
];

async function messagesOf(file: string): Promise<string[]> {
  const out = written('out.jsonl', '');
  const runs = [
    loadCases([file], { models: ['tiny', 'large'] }),
    loadCases([file], { maxRejectShare: 1 }).then(({ notes, rejected }) => [notes, rejected]),
    ...['csv', 'jsonl'].map((format) => {
      const notes: string[] = [];
      const onNotes = (lines: readonly string[]) => notes.push(...lines);
      return runImport({ format, inputs: [file], out, force: true, maxRejectShare: 1, onNotes }).then(
        () => notes,
      );
    }),
  ];
  const ended = await Promise.allSettled(runs);
  return ended.map((end) =>
    end.status === 'rejected' ? String((end.reason as Error).message) : JSON.stringify(end.value),
  );
}

describe('no message holds a prompt', () => {
  it.each(FILES)('%s', async (_, name, content) => {
    for (const message of await messagesOf(written(name, content))) {
      expect(message).not.toMatch(WORD);
      expect(message.length).toBeLessThan(3000);
      for (const line of message.split('\n')) expect(line.length).toBeLessThan(1200);
    }
  });

  it('in whatever columns it is', async () => {
    const cell = fc.constantFrom(SECRET, '1', 'small', '', '0,5', '"', 'x');
    const header = fc.constantFrom(
      'prompt',
      'model',
      'quality',
      'small.quality',
      'id',
      SECRET,
      '',
      'large.cost_usd',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(header, { minLength: 1, maxLength: 4 }),
        fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 }),
        async (names, rows) => {
          for (const message of await messagesOf(written('a.csv', tables([names, ...rows])))) {
            expect(message).not.toMatch(WORD);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('rejected rows', () => {
  it('are reported by kind, the most frequent first, each with its first three places', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => {
      if (i % 4 === 1) return soundRow(i, { outcomes: { small: { quality: 'often' } } });
      if (i % 10 === 2) return soundRow(i, { prompt: '' });
      return i === 39 ? soundRow(i, { outcomes: { small: { quality: 1, cost_usd: -1 } } }) : soundRow(i);
    });
    const file = written('kinds.jsonl', jsonLines(rows));
    const error = await loadCases([file]).catch((caught: unknown) => caught as Error);
    expect((error as Error).message.replaceAll(file, 'F').split('\n').slice(1, 10)).toEqual([
      '  F:2: outcomes.small.quality: must be a number from 0 to 1, is string',
      '  F:6: outcomes.small.quality: must be a number from 0 to 1, is string',
      '  F:10: outcomes.small.quality: must be a number from 0 to 1, is string',
      '  and 7 more of this kind',
      '  F:3: prompt: empty: no text to score',
      '  F:13: prompt: empty: no text to score',
      '  F:23: prompt: empty: no text to score',
      '  and 1 more of this kind',
      expect.stringMatching(/^ {2}F:40: outcomes\.small\.cost_usd: /),
    ]);
  });

  it('of an import with nothing but bad rows are reported and written', async () => {
    for (const [format, file] of [
      ['csv', written('bad.csv', `prompt,small.quality\n${'a,often\n'.repeat(1500)}`)],
      [
        'jsonl',
        written('bad.jsonl', jsonLines(Array.from({ length: 1500 }, (_, i) => soundRow(i, { prompt: '' })))),
      ],
    ] as const) {
      const rejectsFile = written('rejects.jsonl', '');
      const out = written('out.jsonl', '');
      const run = runImport({ format, inputs: [file], out, force: true, rejectsFile });
      await expect(run).rejects.toThrow(
        /1500 of 1500 rows .*\n.*bad\.\w+:\d: .*\n.*\n.*\n {2}and 1497 more of this kind/,
      );
      const { readFileSync } = await import('node:fs');
      expect(readFileSync(rejectsFile, 'utf8').trimEnd().split('\n')).toHaveLength(1500);
    }
  });
});
