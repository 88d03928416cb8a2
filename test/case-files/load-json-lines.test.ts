import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseColumnMap } from '../../evals/case-files/index.ts';
import { loadCases, questionKey } from '../../evals/cases/index.ts';
import { fixture, jsonLines, soundRow, written } from '../cases/written.ts';

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

describe('rows of one request', () => {
  const twice = (over: object) =>
    loadCases([
      written(
        'twice.jsonl',
        jsonLines([
          soundRow(2, { outcomes: { small: { quality: 0, cost_usd: 0.2 }, large: { quality: 1 } } }),
          soundRow(2, { outcomes: { small: { quality: 1 }, third: { quality: 0.5 } }, ...over }),
        ]),
      ),
    ]);

  it('have one id and text: the first stays, with each model’s outcomes averaged', async () => {
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

  it.each([
    ['id', { id: 'again' }, 'again'],
    ['id, for one has none', { id: undefined }, 'twice.jsonl:2'],
    ['group', { group: 'other' }, 'row-2@twice.jsonl:2'],
    ['key', { key: 'other' }, 'row-2@twice.jsonl:2'],
    ['text', { prompt: 'How many knots are 2 miles an hour' }, 'row-2@twice.jsonl:2'],
  ])('are never of another %s', async (_, over, id) => {
    const { cases, excluded } = await twice(over);
    expect(cases.map((one) => one.id)).toEqual(['row-2', id]);
    expect(cases[0]?.outcomes.get('small')?.quality).toBe(0);
    expect(excluded.duplicates).toBe(0);
  });

  it('are refused if they stand for other numbers of requests: which file comes first decides nothing', async () => {
    const row = (over: Record<string, unknown>, i: number) =>
      written(`once-${i}.jsonl`, jsonLines([soundRow(2, over)]));
    const rows = [{ weight: 1 }, { weight: 5 }, { sampling_probability: 0.2 }].map(row);
    const reading = { keepWeights: true, maxRejectShare: 0.5 };
    for (const [first, second] of [
      [rows[0]!, rows[1]!],
      [rows[1]!, rows[0]!],
    ] as const) {
      const { cases, rejected } = await loadCases([first, second], reading);
      expect(cases).toHaveLength(1);
      expect(rejected).toMatchObject([
        { field: 'weight', reason: expect.stringMatching(/^stands for [15] requests/) },
      ]);
    }
    const { cases, rejected } = await loadCases(rows.slice(1), reading);
    expect([cases[0]!.weight, rejected]).toEqual([5, []]);
  });

  it.each([
    [
      'labels.jsonl',
      '{"prompt":"One?","label_source":"judge","outcomes":{"small":{"quality":1},"large":{"quality":1,"label_source":"human"}}}',
    ],
    [
      'flat.jsonl',
      '{"prompt":"One?","label_source":"judge","small.quality":1,"large.quality":1,"large.label_source":"human"}',
    ],
    [
      'wide.csv',
      'prompt,label_source,small.quality,large.quality,large.label_source\nOne?,judge,1,1,human\n',
    ],
    ['long.csv', 'prompt,model,quality,label_source\nOne?,small,1,judge\nOne?,large,1,human\n'],
  ])('of %s have the source that their row names, where they name none', async (name, text) => {
    const [one] = (await loadCases([written(name, text)])).cases;
    expect([...one!.outcomes].map(([model, { labelSource }]) => [model, labelSource])).toEqual([
      ['small', 'judge'],
      ['large', 'human'],
    ]);
    const unknown = text.replace('judge', 'oracle');
    await expect(loadCases([written(name, unknown)], { maxRejectShare: 0 })).rejects.toThrow(
      /label_source: must be one of/,
    );
  });

  it('are found behind another prompt of the same id', async () => {
    const rows = [
      soundRow(1, { id: 7 }),
      soundRow(2, { id: 7 }),
      soundRow(2, { id: '7', label: 'expert' }),
      soundRow(2, { id: 7, label: 'judge' }),
    ];
    const { cases, excluded } = await loadCases([written('ids.jsonl', jsonLines(rows))]);
    expect(cases.map(({ id, label }) => [id, label])).toEqual([
      ['7', undefined],
      ['7@ids.jsonl:2', 'expert'],
    ]);
    expect(excluded.duplicates).toBe(2);
  });

  it('without ids are requests of their own, each with an id of its own, in every layout', async () => {
    const prompt = fc.constantFrom('one', 'two', 'three');
    const row = fc.record({ prompt, quality: fc.constantFrom(0, 0.25, 1) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 12 }),
        fc.constantFrom('lines', 'array', 'csv'),
        async (rows, layout) => {
          const wide = rows.map((one) => ({
            prompt: one.prompt,
            outcomes: { small: { quality: one.quality } },
          }));
          const table = rows.map((one) => `${one.prompt},${one.quality}\n`);
          const file = {
            lines: () => written('a.jsonl', jsonLines(wide)),
            array: () => written('a.json', JSON.stringify(wide)),
            csv: () => written('a.csv', `prompt,small.quality\n${table.join('')}`),
          }[layout]();
          const { cases, excluded } = await loadCases([file, file]); // the same name twice
          expect(cases.map(({ text, outcomes }) => [text, outcomes.get('small')?.quality])).toEqual(
            [...rows, ...rows].map((one) => [one.prompt, one.quality]),
          );
          expect(new Set(cases.map(({ id }) => id)).size).toBe(2 * rows.length);
          expect(excluded.duplicates).toBe(0);
        },
      ),
    );
  });
});

describe('labels', () => {
  it('name the reply that requests share, and a note counts them', async () => {
    const rows = [1, 2, 3, 4].map((n) => soundRow(n, { label: n < 4 ? 12 : undefined }));
    const { cases, notes } = await loadCases([written('labels.jsonl', jsonLines(rows))]);
    expect(cases.map(({ label }) => label)).toEqual(['12', '12', '12', undefined]);
    expect(notes).toEqual([
      expect.stringMatching(/^3 cases have a label, 1 of them distinct: .*rename the field label\.$/),
    ]);
  });

  it('are no note where each is of one request', async () => {
    const rows = [1, 2].map((n) => soundRow(n, { label: `label-${n}` }));
    expect((await loadCases([written('labels.jsonl', jsonLines(rows))])).notes).toEqual([]);
  });

  it('are read from a table, and under another name', async () => {
    const file = written('labels.csv', 'prompt,small.quality,reply\na,1,r1\nb,0,r1\n');
    const { cases } = await loadCases([file], { columns: parseColumnMap('label=reply') });
    expect(cases.map(({ label }) => label)).toEqual(['r1', 'r1']);
  });

  it('must be names or numbers', async () => {
    const file = written('labels.jsonl', jsonLines([soundRow(1), soundRow(2, { label: true })]));
    const { rejected } = await loadCases([file], { maxRejectShare: 1 });
    expect(rejected).toEqual([{ file, line: 2, field: 'label', reason: 'must be a name or a number' }]);
  });
});
