import { describe, expect, it } from 'vitest';
import { loadCases } from '../../evals/cases/index.ts';
import { fixture, written } from '../cases/written.ts';

const HEADER = 'prompt,small.quality,large.quality';
const csv = (lines: readonly string[], end = '\n') =>
  written('cases.csv', lines.map((line) => line + end).join(''));
const loose = { maxRejectShare: 1 };

describe('loadCases from wide CSV', () => {
  it('reads one row a prompt; an empty cell is missing', async () => {
    const { cases, files } = await loadCases([fixture('wide.csv')]);
    expect(files[0]?.rows).toBe(3);
    expect(cases.map(({ id, text, task, group }) => ({ id, text, task, group }))).toEqual([
      { id: 'w1', text: 'What is 17 + 25?', task: 'arithmetic', group: undefined },
      { id: 'w2', text: 'Spell "bowline",\nthen explain it\nin one line.', task: 'writing', group: 'g1' },
      { id: 'w3', text: 'How deep is a fathom?', task: undefined, group: undefined },
    ]);
    expect(cases[0]?.outcomes).toEqual(
      new Map([
        ['small', { quality: 1, costUsd: 0.00001 }],
        ['large-2.5', { quality: 1, costUsd: 0.0004, inputTokens: 12, outputTokens: 2, latencyMs: 900 }],
      ]),
    );
    expect(cases[1]?.outcomes.get('small')).toEqual({ quality: 0.25 });
    expect([...(cases[2]?.outcomes.keys() ?? [])]).toEqual(['small']);
  });

  it('reads another quality field and chosen models', async () => {
    const options = { qualityField: 'quality_regraded', models: ['large-2.5', 'small'] };
    const { cases, excluded } = await loadCases([fixture('wide.csv')], options);
    expect(cases.map(({ id }) => id)).toEqual(['w1']);
    expect(cases[0]?.outcomes.get('small')?.quality).toBe(0.5);
    expect(excluded.missingOutcome).toBe(2);
  });

  it('accepts a byte order mark, CRLF, semicolons, gzip and a last line without end', async () => {
    const text = '\uFEFFprompt;small.quality\r\n"one\r\ntwo, three";1\r\nfour;0';
    const { cases } = await loadCases([written('excel.csv.gz', text)]);
    expect(cases.map(({ text: prompt }) => prompt)).toEqual(['one\ntwo, three', 'four']);
  });

  it('counts a row without any outcome as missing, not as bad', async () => {
    const { excluded, rejectedCount } = await loadCases([csv([HEADER, 'a,1,1', 'b,,'])]);
    expect([excluded.missingOutcome, rejectedCount]).toEqual([1, 0]);
  });

  it('names physical lines, also behind cells over several lines and blank lines', async () => {
    const file = csv([
      HEADER,
      '"a',
      '',
      'b",1,1',
      '',
      'c,2,1',
      'd,1',
      'e,one,1',
      'f,"0,5",1',
      ',1,1',
      'g,NaN,1',
    ]);
    const { rejected, read } = await loadCases([file], loose);
    expect(read).toBe(7);
    expect(rejected).toEqual([
      { file, line: 6, field: 'outcomes.small.quality', reason: 'must be a number from 0 to 1, is 2' },
      { file, line: 7, reason: '2 cells under a header of 3 columns' },
      { file, line: 8, field: 'outcomes.small.quality', reason: 'must be a number from 0 to 1, is string' },
      { file, line: 10, field: 'prompt', reason: 'missing or empty' },
      { file, line: 11, field: 'outcomes.small.quality', reason: 'must be a number from 0 to 1, is string' },
    ]);
  });

  it('names physical lines over chunk borders', async () => {
    const rows = Array.from(
      { length: 3000 },
      (_, i) => `"${'é line\r\n'.repeat(i % 7)}row ${i} ""q""",1,${i === 2999 ? 5 : 0}`,
    );
    const file = csv([HEADER, ...rows], '\r\n');
    const { rejected, cases } = await loadCases([file]);
    const line = 2 + rows.slice(0, -1).reduce((sum, row) => sum + row.split('\n').length, 0);
    expect(rejected.map((row) => row.line)).toEqual([line]);
    expect(cases[6]?.text).toBe(`${'é line\n'.repeat(6)}row 6 "q"`);
  });

  it.each([
    ['left open', ['a,1,1', '"b,1,1', 'c,1,1'], 3],
    ['closed too early', ['a,1,1', '"b" or not,1,1', 'c,1,1'], 3],
    ['left open before another', ['"a,1,1', '"b",1,1'], 2],
  ])('stops at a quote that is %s', async (_, lines, line) => {
    const file = csv([HEADER, ...lines]);
    await expect(loadCases([file], loose)).rejects.toMatchObject({
      code: 'invalid-input',
      place: { file, line },
      message: expect.stringMatching(/quoted cell.*not closed/),
    });
  });

  it('stops early at a quote left open in a large file', async () => {
    const rows = Array.from({ length: 300_000 }, (_, i) => `filler of forty characters, row number ${i}`);
    await expect(loadCases([csv([HEADER, 'a,1,1', '"open', ...rows])])).rejects.toMatchObject({
      place: { line: 3 },
    });
  });

  it('keeps a quote in the middle of a bare cell', async () => {
    const { cases } = await loadCases([csv([HEADER, 'a 5" pipe,1,1'])]);
    expect(cases[0]?.text).toBe('a 5" pipe');
  });

  it.each([
    ['no prompt', 'question,small.quality', /no column prompt/],
    ['no quality', 'prompt,small,large', /no column ends in \.quality.*Columns: prompt, small, large/],
    ['a column twice', 'prompt,small.quality,small.quality', /small\.quality stands twice/],
  ])('stops at a header with %s', async (_, header, message) => {
    const file = csv([header, 'a,1,1']);
    await expect(loadCases([file])).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringMatching(message),
    });
  });

  it('stops at bytes that are no UTF-8', async () => {
    const file = written('latin.csv', Buffer.from(`${HEADER}\na,1,1\ncafé,1,1\n`, 'latin1'));
    await expect(loadCases([file])).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringMatching(/UTF-8/),
    });
  });
});

describe('loadCases from long CSV', () => {
  it('gathers the rows of a prompt by id, or else by prompt', async () => {
    const { cases, read, excluded } = await loadCases([fixture('long.csv')]);
    expect([read, excluded]).toEqual([6, { missingOutcome: 0, duplicates: 0 }]);
    expect(cases.map(({ id, text }) => [id, text])).toEqual([
      ['l1', 'What is 17 + 25?'],
      ['long.csv:3', 'How deep is a fathom?'],
      ['long.csv:6', 'Tie a\nbowline.'],
    ]);
    expect(cases[0]).toMatchObject({ task: 'arithmetic' });
    expect(cases[0]?.outcomes).toEqual(
      new Map([
        ['small', { quality: 1, costUsd: 0.00001, latencyMs: 210.5 }],
        ['large-2.5', { quality: 1, costUsd: 0.0004, latencyMs: 900 }],
      ]),
    );
    expect([...(cases[1]?.outcomes ?? [])]).toEqual([['small', { quality: 0.5 }]]);
  });

  it('counts prompts that lack a chosen model', async () => {
    const { cases, excluded } = await loadCases([fixture('long.csv')], { models: ['small', 'large-2.5'] });
    expect([cases.length, excluded.missingOutcome]).toEqual([2, 1]);
    expect((await loadCases([fixture('long.csv')], { models: ['large-2.5'] })).cases).toHaveLength(2);
  });

  it('averages several rows of one prompt and model', async () => {
    const { cases, excluded } = await loadCases([
      csv(['prompt,model,quality', 'a,small,1', 'a,small,0', 'a,small,1']),
    ]);
    expect(cases[0]?.outcomes.get('small')?.quality).toBeCloseTo(2 / 3, 12);
    expect(excluded.duplicates).toBe(2);
  });

  it('rejects a row of a prompt that stands for another number of requests', async () => {
    const rows = ['a,small,1,4', 'a,large,1,', 'a,large,0,2', 'b,small,1,', 'b,large,1,3'];
    const file = csv(['prompt,model,quality,weight', ...rows]);
    const { cases, rejected } = await loadCases([file], { ...loose, keepWeights: true });
    expect(cases.map(({ weight, outcomes }) => [weight, outcomes.get('large')?.quality])).toEqual([
      [4, 1],
      [undefined, undefined],
    ]);
    expect(rejected.map(({ line, field }) => [line, field])).toEqual([
      [4, 'weight'],
      [6, 'weight'],
    ]);
  });

  it('rejects bad rows on their own lines', async () => {
    const rows = ['1,a,small,1', '1,b,large,1', '2,c,small,x', '2,c,,1', '3,,small,1', '4,d,small,1,'];
    const file = csv(['id,prompt,model,quality', ...rows]);
    const { cases, rejected } = await loadCases([file], loose);
    expect(cases.map(({ id }) => id)).toEqual(['1']);
    expect(rejected.map(({ line, field, reason }) => [line, field, reason])).toEqual([
      [3, 'prompt', 'not the prompt that line 2 has under the same id'],
      [4, 'outcomes.small.quality', 'must be a number from 0 to 1, is string'],
      [5, 'model', 'empty'],
      [6, 'prompt', 'missing or empty'],
      [7, undefined, '5 cells under a header of 4 columns'],
    ]);
  });

  it('stops at a header without quality', async () => {
    await expect(loadCases([csv(['prompt,model', 'a,small'])])).rejects.toThrow(/no column quality/);
  });
});
