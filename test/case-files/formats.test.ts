import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import Papa from 'papaparse';
import { describe, expect, it } from 'vitest';
import { loadCases } from '../../evals/cases/index.ts';
import { jsonLines, soundRow, written } from '../cases/written.ts';
import { itLong, scaled } from '../helpers/long-run.ts';

interface MadeRow {
  readonly id: string;
  readonly prompt: string;
  readonly group: string;
  readonly outcomes: Record<string, { quality: number; cost_usd: number }>;
}

/** Text as people write it: quotes, separators, line ends, letters of every plane. */
const prompt = fc
  .string({
    unit: fc.constantFrom('"', ',', ';', '\t', '\n', "'", '{', '}', '[', '\\', ' ', 'a', 'é', '⚓', '問'),
  })
  .map((text) => `a${text}`);
const outcome = fc.record({
  quality: fc.integer({ min: 0, max: 1000 }).map((value) => value / 1000),
  cost_usd: fc.integer({ min: 0, max: 1e6 }).map((value) => value / 1000),
});
const rows = fc
  .array(fc.record({ prompt, small: outcome, large: outcome }), { minLength: 1, maxLength: 8 })
  .map((made) =>
    made.map(
      (row, i): MadeRow => ({
        id: `id-${i}`,
        prompt: row.prompt,
        group: `group-${i}`,
        outcomes: { small: row.small, 'large-2.5': row.large },
      }),
    ),
  );

const flat = ({ outcomes, ...row }: MadeRow): Record<string, unknown> => ({
  ...row,
  ...Object.fromEntries(
    Object.entries(outcomes).flatMap(([model, one]) => [
      [`${model}.quality`, one.quality],
      [`${model}.cost_usd`, one.cost_usd],
    ]),
  ),
});
const long = ({ outcomes, ...row }: MadeRow) =>
  Object.entries(outcomes).map(([model, one]) => ({ ...row, model, ...one }));
const table = (records: readonly object[], newline: string, delimiter: string, quotes = false) =>
  Papa.unparse([...records], { newline, delimiter, quotes });
/** A file of an old Mac has no line feed, in its cells neither. */
const returns = (text: string) => text.replaceAll('\n', '\r');
const utf16 = (text: string, bigEndian = false) => {
  const bytes = Buffer.from(`\uFEFF${text}`, 'utf16le');
  return bigEndian ? bytes.swap16() : bytes;
};

/** The same cases in every way of writing them. */
const WAYS: Readonly<Record<string, (made: readonly MadeRow[]) => [name: string, content: string | Buffer]>> =
  {
    'JSON Lines': (made) => ['a.jsonl', jsonLines(made)],
    'JSON Lines with CR': (made) => ['a.jsonl', returns(jsonLines(made))],
    'JSON Lines with CRLF and a mark': (made) => [
      'a.ndjson',
      `\uFEFF${jsonLines(made).replaceAll('\n', '\r\n')}`,
    ],
    'a JSON array': (made) => ['a.json', JSON.stringify(made)],
    'a JSON array, a row a line': (made) => [
      'a.jsonl',
      `[\n${made.map((row) => JSON.stringify(row)).join(',\n')}\n]\n`,
    ],
    'a pretty JSON array': (made) => ['a.json', JSON.stringify(made, null, 2)],
    'pretty objects': (made) => ['a.json', made.map((row) => JSON.stringify(row, null, 2)).join('\n')],
    'pretty objects with tabs, CRLF and blank lines': (made) => [
      'a.jsonl',
      made.map((row) => JSON.stringify(row, null, '\t').replaceAll('\n', '\r\n')).join('\r\n\r\n'),
    ],
    'JSON with the columns of a table': (made) => ['a.json', JSON.stringify(made.map(flat))],
    'JSON with a row a model': (made) => ['a.json', JSON.stringify(made.flatMap(long))],
    'CSV with LF': (made) => ['a.csv', table(made.map(flat), '\n', ',')],
    'CSV with CRLF and a mark': (made) => ['a.csv', `\uFEFF${table(made.map(flat), '\r\n', ',')}`],
    'CSV with CR': (made) => ['a.csv', returns(table(made.map(flat), '\n', ','))],
    'CSV, all quoted': (made) => ['a.csv', table(made.map(flat), '\n', ',', true)],
    'CSV with semicolons': (made) => ['a.csv', table(made.map(flat), '\r\n', ';')],
    'CSV with a row a model': (made) => ['a.csv', table(made.flatMap(long), '\n', ',')],
    TSV: (made) => ['a.tsv', table(made.map(flat), '\n', '\t')],
    'TSV in UTF-16 LE': (made) => ['a.tsv', utf16(table(made.map(flat), '\r\n', '\t'))],
    'CSV in UTF-16 BE': (made) => ['a.csv', utf16(table(made.map(flat), '\n', ','), true)],
    'JSON in UTF-16 LE': (made) => ['a.json', utf16(JSON.stringify(made, null, 1))],
  };

async function loaded(name: string, content: string | Buffer) {
  const { cases, rejected } = await loadCases([written(name, content)]);
  expect(rejected).toEqual([]);
  return cases.map(({ id, text, group, outcomes }) => ({ id, text, group, outcomes }));
}

describe('the same cases', () => {
  it.each(Object.keys(WAYS))('come from %s as from JSON Lines, plain and gzipped', async (way) => {
    await fc.assert(
      fc.asyncProperty(rows, async (made) => {
        const expected = await loaded(...WAYS['JSON Lines']!(made));
        const [name, content] = WAYS[way]!(made);
        expect(await loaded(name, content)).toEqual(expected);
        expect(await loaded(`${name}.gz`, gzipSync(content))).toEqual(expected);
      }),
      { numRuns: scaled(40) },
    );
  });

  itLong.each(Object.keys(WAYS))('come from %s over chunk borders', async (way) => {
    const made = Array.from({ length: 400 }, (_, i) => ({
      id: `id-${i}`,
      prompt: `${i} "é⚓"\n${'long, '.repeat(i)}`,
      group: `group-${i}`,
      outcomes: { small: { quality: 0.5, cost_usd: 0.25 }, 'large-2.5': { quality: 1, cost_usd: 2 } },
    }));
    const expected = await loaded(...WAYS['JSON Lines']!(made));
    expect(await loaded(...WAYS[way]!(made))).toEqual(expected);
  });
});

describe('places in JSON', () => {
  const bad = soundRow(2, { prompt: '' });

  it('are the lines on which objects begin', async () => {
    const text = [soundRow(1), bad, soundRow(3)].map((row) => JSON.stringify(row, null, 2)).join('\n\n');
    const { rejected } = await loadCases([written('pretty.json', text)], { maxRejectShare: 1 });
    const line = JSON.stringify(soundRow(1), null, 2).split('\n').length + 2;
    expect(rejected).toMatchObject([{ line, field: 'prompt' }]);
  });

  it.each([
    ['pretty', [null, 2] as const, JSON.stringify([soundRow(1)], null, 2).split('\n').length],
    ['on one line', [] as const, 1],
  ])('are lines, in an array that is %s', async (_, how, line) => {
    const text = JSON.stringify([soundRow(1), bad], ...(how as [null, number]));
    const { rejected } = await loadCases([written('array.json', text)], { maxRejectShare: 1 });
    expect(rejected).toMatchObject([{ line, field: 'prompt' }]);
    expect(rejected[0]!.reason).toMatch(line === 1 ? /element 2 of the array/ : /^empty: no text to score$/);
  });

  it('a broken object over several lines is one rejected row', async () => {
    const pretty = (i: number) => JSON.stringify(soundRow(i), null, 2);
    const text = [
      pretty(1),
      pretty(2).replace('},', '}'),
      pretty(3),
      '{"prompt": "cut off",\n',
      pretty(4),
    ].join('\n');
    const { cases, rejected } = await loadCases([written('pretty.json', text)], { maxRejectShare: 1 });
    expect(cases.map(({ id }) => id)).toEqual(['row-1', 'row-3', 'row-4']);
    const first = pretty(1).split('\n').length;
    expect(rejected.map(({ line }) => line)).toEqual([first + 1, 3 * first + 1]);
  });

  it.each([
    ['{"id": 1, "prompt": "the captain', 'in a string'],
    ['{"prompt": "the captain", ', 'behind a comma'],
    ['{"prompt": "the captain", "outcomes":', 'behind a colon'],
    ['{"prompt": "the captain", "outcomes": {"small": {"quality": 1}', 'behind an object'],
    ['{"prompt": ["the captain",', 'in a list'],
  ])('a line of JSON Lines that is cut off takes no other with it: %s', async (cut) => {
    const text = `${jsonLines([soundRow(1)])}${cut}\n${jsonLines([soundRow(2), soundRow(3)])}`;
    const { cases, rejected } = await loadCases([written('cut.jsonl', text)], { maxRejectShare: 1 });
    expect(cases.map(({ id }) => id)).toEqual(['row-1', 'row-2', 'row-3']);
    expect(rejected.map(({ line }) => line)).toEqual([2]);
  });

  it.each([
    ['an array that is cut off', `[${JSON.stringify(soundRow(1))},`, /cut off before its end/],
    [
      'a string that is not closed in an array',
      '[\n{"prompt": "the captain,\n"b": 1}]',
      /:2: a string is not closed/,
    ],
    [
      'UTF-16 without a mark',
      Buffer.from('{"prompt": 1}', 'utf16le'),
      /looks like UTF-16 without a byte order mark/,
    ],
  ])('%s stops the run', async (_, content, message) => {
    const error = await loadCases([written('bad.json', content)]).catch((caught: unknown) => caught as Error);
    expect(error).toMatchObject({ code: 'invalid-input', message: expect.stringMatching(message) });
    expect((error as Error).message).not.toContain('captain');
  });
});
