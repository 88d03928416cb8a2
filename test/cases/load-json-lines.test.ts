import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { loadCases, questionKey } from '../../evals/cases/index.ts';
import { fixture, jsonLines, soundRow, written } from './written.ts';

const six = fixture('six.jsonl');

describe('loadCases from JSON Lines', () => {
  it('reads prompts, outcomes and amounts in the words of the house', async () => {
    const { cases, read, rejectedCount, excluded } = await loadCases([six]);
    expect([cases.length, read, rejectedCount, excluded]).toEqual([
      6,
      6,
      0,
      { missingOutcome: 0, duplicates: 0 },
    ]);
    expect(cases[0]).toEqual({
      id: 'sum-1',
      text: 'What is 17 + 25?',
      key: questionKey('What is 17 + 25?'),
      source: 'made',
      task: 'arithmetic',
      outcomes: new Map([
        ['small', { quality: 1, inputTokens: 12, outputTokens: 3, costUsd: 0.00001, latencyMs: 210.5 }],
        ['large-2.5', { quality: 1, inputTokens: 12, outputTokens: 2, costUsd: 0.0004, latencyMs: 900 }],
      ]),
    });
  });

  it('takes the row’s own key and group', async () => {
    const { cases } = await loadCases([six]);
    expect(cases[2]).toMatchObject({ key: '00000000000000aa', group: 'talk' });
  });

  it('scores context as the earlier turn of the person, and no system text', async () => {
    const { cases } = await loadCases([six]);
    expect(cases[3]?.text).toBe('Now make it shorter.\n\nDraft a note to the harbour master.');
    expect(cases[3]?.turns).toBe(2);
  });

  it('scores what the person wrote in messages', async () => {
    const { cases } = await loadCases([six]);
    expect(cases[4]).toMatchObject({ text: 'Which holds best?\n\nName three knots.', turns: 2 });
  });

  it('keeps the chosen models and counts rows that lack one', async () => {
    const { cases, excluded, rejectedCount } = await loadCases([six], { models: ['large-2.5'] });
    expect(cases).toHaveLength(5);
    expect([excluded.missingOutcome, rejectedCount]).toEqual([1, 0]);
    expect(cases.every(({ outcomes }) => [...outcomes.keys()].join() === 'large-2.5')).toBe(true);
  });

  it('reads the label from another field; outcomes without it are missing', async () => {
    const { cases, excluded } = await loadCases([six], { qualityField: 'quality_regraded' });
    expect(cases.map(({ id }) => id)).toEqual(['sum-1']);
    expect(cases[0]?.outcomes.get('small')?.quality).toBe(0.5);
    expect(excluded.missingOutcome).toBe(5);
  });

  it('names models that are there when one is not', async () => {
    await expect(loadCases([six], { models: ['small', 'large-25'] })).rejects.toMatchObject({
      code: 'not-found',
      message:
        'No row has an outcome of large-25. Did you mean large-2.5? Models with their number of rows: small (6), large-2.5 (5).',
    });
  });

  it('names at most twelve models', async () => {
    const outcomes = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`m${i}`, { quality: 1 }]));
    const file = written('many.jsonl', jsonLines([soundRow(1, { outcomes })]));
    await expect(loadCases([file], { models: ['unlike'] })).rejects.toThrow(/m11 \(1\) and 8 more\.$/);
  });

  it('names the quality fields that are there when the chosen one is not', async () => {
    await expect(loadCases([six], { qualityField: 'quality_2' })).rejects.toMatchObject({
      code: 'not-found',
      message: 'No outcome has a field quality_2. Quality fields in the data: quality, quality_regraded.',
    });
  });

  it('stops when no row has all of the models', async () => {
    const rows = [
      soundRow(1, { outcomes: { a: { quality: 1 } } }),
      soundRow(2, { outcomes: { b: { quality: 1 } } }),
    ];
    const file = written('apart.jsonl', jsonLines(rows));
    await expect(loadCases([file], { models: ['a', 'b'] })).rejects.toMatchObject({
      code: 'insufficient-data',
      message: 'No case is left: of 2 rows 0 were rejected and 2 lack quality of all of a, b.',
    });
  });

  it('hashes the bytes as stored and counts rows of each file', async () => {
    const text = readFileSync(six, 'utf8');
    const zipped = written('six.jsonl.gz', text);
    const { files, excluded, cases } = await loadCases([six, zipped]);
    const hashes = [six, zipped].map((file) => createHash('sha256').update(readFileSync(file)).digest('hex'));
    expect(files).toEqual([
      { file: six, sha256: hashes[0], rows: 6 },
      { file: zipped, sha256: hashes[1], rows: 6 },
    ]);
    expect([cases.length, excluded.duplicates]).toEqual([6, 6]);
  });

  it('reads gzip in several members, as cat writes them', async () => {
    const parts = [gzipSync(jsonLines([soundRow(1)])), gzipSync(jsonLines([soundRow(2)]))];
    const { cases } = await loadCases([written('two.ndjson.gz', Buffer.concat(parts))]);
    expect(cases.map(({ id }) => id)).toEqual(['row-1', 'row-2']);
  });

  it('accepts a byte order mark, CRLF, blank lines and a last line without end', async () => {
    const text = `\uFEFF${JSON.stringify(soundRow(1))}\r\n\r\n  \r\n${JSON.stringify(soundRow(2))}`;
    const { cases, read, files } = await loadCases([written('windows.json', text)]);
    expect([cases.length, read, files[0]?.rows]).toEqual([2, 2, 2]);
  });

  it('tolerates lone surrogates and NUL', async () => {
    const line = JSON.stringify(soundRow(1, { prompt: 'half \ud800 and \0 nothing' }));
    const { cases } = await loadCases([written('odd.jsonl', `${line}\n`)]);
    expect(cases[0]?.text).toBe('half \uFFFD and \uFFFD nothing');
  });

  it('reads rows that are cut by chunk borders, in characters of several bytes', async () => {
    const rows = Array.from({ length: 50 }, (_, i) => soundRow(i, { prompt: `${i} ${'⚓é'.repeat(2000)}` }));
    const { cases } = await loadCases([written('long.jsonl', jsonLines(rows))]);
    expect(cases.map(({ text }) => text)).toEqual(rows.map(({ prompt }) => prompt));
  });

  it('gives an id by file and line to rows without, and to a second row of one id', async () => {
    const rows = [soundRow(1, { id: undefined }), soundRow(2, { id: 7 }), soundRow(3, { id: 7 })];
    const { cases } = await loadCases([written('ids.jsonl', jsonLines(rows))]);
    expect(cases.map(({ id }) => id)).toEqual(['ids.jsonl:1', '7', '7@ids.jsonl:3']);
  });

  it('reports progress every 1,000 rows', async () => {
    const seen: number[] = [];
    const file = written('many.jsonl', jsonLines(Array.from({ length: 2500 }, (_, i) => soundRow(i))));
    await loadCases([file, file], { onProgress: (rows) => seen.push(rows) });
    expect(seen).toEqual([1000, 2000, 3000, 4000, 5000]);
  });
});

describe('duplicates', () => {
  const twice = (over: object) =>
    loadCases([
      written(
        'twice.jsonl',
        jsonLines([
          soundRow(2, { outcomes: { small: { quality: 0, cost_usd: 0.2 }, large: { quality: 1 } } }),
          soundRow(2, { id: 'again', outcomes: { small: { quality: 1 }, third: { quality: 0.5 } }, ...over }),
        ]),
      ),
    ]);

  it('keep the first and average each model’s outcomes', async () => {
    const { cases, excluded } = await twice({});
    expect(excluded.duplicates).toBe(1);
    expect(cases.map(({ id }) => id)).toEqual(['row-2']);
    expect(cases[0]?.outcomes).toEqual(
      new Map([
        ['small', { quality: 0.5, costUsd: 0.2 }],
        ['large', { quality: 1 }],
        ['third', { quality: 0.5 }],
      ]),
    );
  });

  it('are not folded across groups, nor when the text differs', async () => {
    expect((await twice({ group: 'other' })).cases).toHaveLength(2);
    expect((await twice({ prompt: 'How many knots are 2 miles an hour' })).cases).toHaveLength(2);
  });
});
