import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseQualityScale } from '../../evals/case-files/index.ts';
import { loadCases } from '../../evals/cases/index.ts';
import { runImport } from '../../scripts/importers/run-import.ts';
import { jsonLines, soundRow, written } from '../cases/written.ts';

type Cell = string | number | boolean;

/** A table with these qualities of two models, one row each. */
function tableOf(small: readonly Cell[], large: readonly Cell[]): string {
  const rows = small.map((cell, i) => `question ${i};${cell};${large[i]}\n`);
  return written('cases.csv', `prompt;small.quality;large.quality\n${rows.join('')}`);
}

function jsonOf(small: readonly Cell[], large: readonly Cell[]): string {
  const rows = small.map((quality, i) =>
    soundRow(i, { outcomes: { small: { quality }, large: { quality: large[i] } } }),
  );
  return written('cases.jsonl', jsonLines(rows));
}

async function read(file: string, scale?: string) {
  const loaded = await loadCases([file], {
    maxRejectShare: 1,
    ...(scale !== undefined && { qualityScale: parseQualityScale(scale) }),
  });
  const column = (model: string) => loaded.cases.map(({ outcomes }) => outcomes.get(model)?.quality);
  return { small: column('small'), large: column('large'), ...loaded };
}

const repeated = (cells: readonly Cell[]) => Array.from({ length: 40 }, (_, i) => cells[i % cells.length]!);

describe('qualities on another scale', () => {
  it.each<[string, Cell[], Cell[], number[], number[], string]>([
    ['TRUE and FALSE', ['TRUE', 'FALSE'], ['TRUE', 'TRUE'], [1, 0], [1, 1], 'boolean'],
    ['true and false, with 1 and 0', ['true', 'false'], ['1', '0'], [1, 0], [1, 0], 'boolean'],
    ['yes and no', ['Yes', 'no'], ['NO', 'yes'], [1, 0], [0, 1], 'boolean'],
    ['percentages', ['35 %', '0 %'], ['100%', '62,5 %'], [0.35, 0], [1, 0.625], 'percent'],
    ['percentages and a bare 0', ['35 %', '0'], ['100 %', '50 %'], [0.35, 0], [1, 0.5], 'percent'],
    ['0 to 100', ['35', '0'], ['100', '62.5'], [0.35, 0], [1, 0.625], '0-100'],
    ['0 to 100 with decimal commas', ['35,5', '0'], ['100', '62,25'], [0.355, 0], [1, 0.6225], '0-100'],
    ['1 to 5', ['1', '2'], ['5', '4'], [0, 0.25], [1, 0.75], '1-5'],
    ['decimal commas', ['0,5', '0'], ['1', '0,125'], [0.5, 0], [1, 0.125], 'decimal'],
  ])('%s are read when all agree, and one line says so', async (_, small, large, low, high, words) => {
    const found = await read(tableOf(repeated(small), repeated(large)));
    expect(found.rejected).toEqual([]);
    expect([found.small.slice(0, 2), found.large.slice(0, 2)]).toEqual([low, high]);
    expect(found.notes).toHaveLength(1);
    expect(found.notes[0]).toContain(words === 'decimal' ? '0,5 is read as 0.5' : `read as ${words} (`);
  });

  it.each<[string, Cell[], Cell[], number[], number[], string[]]>([
    ['percentages, and 1 to 5', ['35 %', '0 %'], ['1', '5'], [0.35, 0], [0, 1], ['percent', '1-5']],
    ['words, and percentages', ['yes', 'no'], ['80 %', '5 %'], [1, 0], [0.8, 0.05], ['boolean', 'percent']],
    ['words, and 0 to 100', ['yes', 'no'], ['80', '35'], [1, 0], [0.8, 0.35], ['boolean', '0-100']],
    ['0 to 100, and 1 to 5', ['35', '80'], ['5', '1'], [0.35, 0.8], [1, 0], ['0-100', '1-5']],
    ['percentages, and 0 to 1', ['35 %', '0 %'], ['0.5', '1'], [0.35, 0], [0.5, 1], ['percent']],
  ])('of each model its own: %s, told in one line each', async (_, small, large, low, high, words) => {
    const [left, right] = [repeated(small), repeated(large)];
    const table = tableOf(left, right);
    const json = jsonOf(left.map(asCell), right.map(asCell));
    for (const file of [table, json]) {
      const found = await read(file);
      expect(found.rejected).toEqual([]);
      expect([found.small.slice(0, 2), found.large.slice(0, 2)]).toEqual([low, high]);
      expect(found.notes).toHaveLength(words.length);
      for (const [at, word] of words.entries()) expect(found.notes[at]).toContain(`read as ${word} (`);
    }
    const out = written('out.jsonl', '');
    const notes: string[] = [];
    const onNotes = (lines: readonly string[]) => notes.push(...lines);
    await runImport({ format: 'csv', inputs: [table], out, force: true, onNotes });
    expect(notes).toHaveLength(words.length);
    const again = await read(out);
    expect([again.small.slice(0, 2), again.large.slice(0, 2)]).toEqual([low, high]);
  });

  /** In JSON numbers are no texts. */
  function asCell(cell: Cell): Cell {
    return /^[\d.]+$/.test(String(cell)) ? Number(cell) : cell;
  }

  it('of JSON: words of truth, true and false, percentages as text', async () => {
    expect((await read(jsonOf([true, false], [true, true]))).small).toEqual([1, 0]);
    expect((await read(jsonOf(['yes', 'no'], [true, true]))).small).toEqual([1, 0]);
    expect((await read(jsonOf(['35 %', '0 %'], ['90 %', '80 %']))).large).toEqual([0.9, 0.8]);
    expect((await read(jsonOf(['0.5', '0'], ['1', '0.75']))).large).toEqual([1, 0.75]);
  });

  it.each<[string, Cell[], Cell[]]>([
    ['only 0 and 1', ['0', '1'], ['1', '1']],
    ['numbers from 0 to 1', ['0.2', '1'], ['0', '0.875']],
    ['numbers with exponents', ['2e-1', '1.0'], ['0', '1e0']],
  ])('%s are from 0 to 1, without a word', async (_, small, large) => {
    const found = await read(tableOf(small, large));
    expect(found.small).toEqual(small.map(Number));
    expect(found.notes).toEqual([]);
    expect(found.rejected).toEqual([]);
  });

  it.each<[string, Cell[], Cell[]]>([
    ['0, 1 and 5', ['0', '1'], ['5', '1']],
    ['1 to 4', ['1', '2'], ['3', '4']],
    ['2 to 5', ['2', '3'], ['5', '4']],
    ['0 to 10', ['1', '7'], ['10', '9']],
    ['0 and 1 of one model, 0 to 100 of the other', ['0', '1'], ['85', '40']],
    ['fractions and numbers up to 100', ['0.5', '0.25'], ['85', '40']],
    ['numbers above 100', ['35', '0'], ['150', '40']],
    ['negative numbers', ['-1', '35'], ['50', '100']],
    ['0 and 1 with a slip of 11 in each', ['1', '0', '1', '11'], ['1', '1', '11', '1']],
    ['1 with few 5s', [...Array(19).fill('1'), '5'], [...Array(19).fill('1'), '5']],
    ['percentages and bare numbers', ['35 %', '40'], ['50 %', '60 %']],
    ['words and scores', ['yes', '3'], ['no', 'yes']],
    ['thousands or decimals', ['1,234', '1,000'], ['1,500', '1,250']],
    ['decimal commas and points', ['0,5', '0.5'], ['0,5', '0.5']],
  ])('%s are no scale that is guessed: what is not from 0 to 1 is rejected', async (_, small, large) => {
    const file = tableOf(repeated(small), repeated(large));
    const found = await read(file).catch((error: unknown) => error as { message: string });
    if ('message' in found) expect(found.message).toMatch(/No case is left.*\n.*must be /);
    else {
      expect(found.rejectedCount).toBeGreaterThan(0);
      const known = [...found.small, ...found.large];
      const cells = [...small, ...large].map((cell) => String(cell));
      for (const quality of known) expect(cells.some((cell) => asItSays(cell) === quality)).toBe(true);
    }
    await expect(loadCases([file])).rejects.toThrow(/rejected; 2 % are allowed.*--quality-scale/s);
  });

  /** A cell by itself: what no scale can change. */
  function asItSays(cell: string): number {
    if (/^\d+ %$/.test(cell)) return Number.parseInt(cell, 10) / 100;
    return cell === 'yes' ? 1 : cell === 'no' ? 0 : Number(cell);
  }

  const marks = repeated(['1', '2', '3', '4', '5', '3', '4', '5', '2', '3', '4', '5']);
  it.each<[string, Cell[]]>([
    ['a slip of 55', ['55', '44']],
    ['a slip of 99, and 1 in few rows', [...Array(8).fill('5'), '99', '99']],
    ['a 0', ['0']],
    ['a 6', ['6', '6']],
    ['a fraction', ['0.5']],
    ['a negative number', ['-1']],
    ['a number above 100', ['500']],
    ['bad words and a 0', ['n/a', '?', '0']],
  ])(
    'marks from 1 to 5 with %s are read on no scale, however many rows may be rejected',
    async (_, cells) => {
      const small = [...marks.filter((mark) => cells.length < 10 || mark !== '1'), ...cells];
      const large = [...marks.slice(0, small.length - cells.length), ...Array(cells.length).fill('5')];
      const table = tableOf(small, large);
      for (const maxRejectShare of [undefined, 0.5, 1]) {
        const options = maxRejectShare === undefined ? {} : { maxRejectShare };
        await expect(loadCases([table], options)).rejects.toThrow(/--quality-scale/);
        const out = written('out.jsonl', '');
        const imported = runImport({ format: 'csv', inputs: [table], out, force: true, ...options });
        await expect(imported).rejects.toThrow(/--quality-scale/);
      }
      const named = await loadCases([table], { maxRejectShare: 1, qualityScale: parseQualityScale('1-5') });
      expect(named.cases.length).toBeGreaterThan(30);
    },
  );

  it('a number off 0 to 1 in few rows is a slip, as before', async () => {
    const small = [...Array(199).fill('1'), '55'];
    const { small: column, rejected } = await read(tableOf(small, Array(200).fill('0')));
    expect(column).toEqual(Array(199).fill(1));
    expect(rejected).toMatchObject([{ line: 201, reason: 'must be a number from 0 to 1, is 55' }]);
  });

  it('a word that is none in a column of words is a bad row', async () => {
    const { rejected, small } = await read(tableOf(['TRUE', 'FALSE', 'maybe'], ['TRUE', 'TRUE', 'TRUE']));
    expect(small).toEqual([1, 0]);
    expect(rejected).toMatchObject([
      { line: 4, reason: 'must be TRUE or FALSE (or yes and no, 1 and 0), is string' },
    ]);
  });

  it.each<[string, Cell[], Cell[], number[]]>([
    ['1-5', [1, 2], [3, 4], [0, 0.25]],
    ['1-4', [1, 2], [3, 4], [0, 1 / 3]],
    ['0-10', [1, 5], [9, 10], [0.1, 0.5]],
    ['0-100', [0, 1], [1, 1], [0, 0.01]],
    ['percent', [35, 0], [100, 50], [0.35, 0]],
    ['boolean', [1, 0], [1, 1], [1, 0]],
    ['0-1', [1, 0], [1, 1], [1, 0]],
    ['-1-1', [-1, 0], [1, 1], [0, 0.5]],
  ])('--quality-scale %s applies, whatever the numbers look like', async (scale, small, large, expected) => {
    for (const file of [tableOf(small, large), jsonOf(small, large)]) {
      expect((await read(file, scale)).small).toEqual(expected);
    }
  });

  it('--quality-scale rejects what is off it', async () => {
    const { rejected } = await read(tableOf(['35', '150'], ['90', '80']), '0-100');
    expect(rejected).toMatchObject([{ line: 3, reason: 'must be a number from 0 to 100, is 150' }]);
  });

  it.each(['', '5', '5-1', '1-1', 'stars', '0-100-200'])('no scale: %j', (text) => {
    expect(() => parseQualityScale(text)).toThrow(/must be the worst and the best number, such as 0-1/);
  });

  it('numbers on two scales in two files are refused; words and numbers are not', async () => {
    const unit = jsonOf([0.25, 0.5], [1, 0.75]);
    const hundred = tableOf(['35', '0'], ['100', '62.5']);
    await expect(loadCases([unit, hundred])).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringMatching(/on the scale 0-1, .* on 0-100\. .*--quality-scale/),
    });
    const words = tableOf(['TRUE', 'FALSE'], ['TRUE', 'TRUE']);
    expect((await loadCases([unit, words])).rejectedCount).toBe(0);
  });

  it.each([
    ['qualities alone', 'a;0,5;0.25;1.5\nb;0,125;1;2\n', [0.5, 0.125], [0.25, 1]],
    ['costs alone', 'a;0.5;0,25;1,234\nb;0.125;1;2\n', [0.5, 0.125], [0.25, 1]],
  ])('decimal commas of %s', async (_, rows, qualities, costs) => {
    const text = `prompt;small.quality;small.cost_usd;small.latency_ms\n${rows}`;
    const { small, cases } = await read(written('cases.csv', text));
    expect(small).toEqual(qualities);
    expect(cases.map(({ outcomes }) => outcomes.get('small')?.costUsd)).toEqual(costs);
  });

  it('costs with decimal commas are read by what the whole file shows', async () => {
    const text = 'prompt;small.quality;small.cost_usd\na;1;0,0012\nb;0,5;1,250\n';
    const { cases } = await loadCases([written('cases.csv', text)]);
    expect(cases.map(({ outcomes }) => outcomes.get('small'))).toEqual([
      { quality: 1, costUsd: 0.0012 },
      { quality: 0.5, costUsd: 1.25 },
    ]);
  });

  it('the scale is that of the models asked for', async () => {
    const text = 'prompt,small.quality,large.quality,score.quality\na,1,0,87\nb,0,0.5,35\n';
    const { cases } = await loadCases([written('cases.csv', text)], { models: ['small', 'large'] });
    expect(cases.map(({ outcomes }) => outcomes.get('large')!.quality)).toEqual([0, 0.5]);
  });

  it('any scores of 0 to 100 and 1 to 5 come back, each on its scale', async () => {
    const scores = (low: number, high: number) =>
      fc.array(fc.integer({ min: low, max: high }), { minLength: 30, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(scores(2, 100), scores(2, 100), async (small, large) => {
        const n = Math.min(small.length, large.length);
        const found = await read(tableOf(small.slice(0, n), [...large.slice(0, n - 1), 100]));
        expect(found.small).toEqual(small.slice(0, n).map((score) => score / 100));
      }),
      { numRuns: 20 },
    );
    await fc.assert(
      fc.asyncProperty(scores(2, 5), scores(2, 5), async (small, large) => {
        const n = Math.min(small.length, large.length);
        const found = await read(tableOf([1, ...small.slice(1, n)], [5, ...large.slice(1, n)]));
        expect(found.small.slice(1)).toEqual(small.slice(1, n).map((score) => (score - 1) / 4));
      }),
      { numRuns: 20 },
    );
  });
});
