import { describe, expect, it } from 'vitest';
import { loadCases } from '../../evals/cases/index.ts';
import { jsonLines, written } from './written.ts';

const models = ['small', 'large'];
const keep = { models, keepUnlabelled: true };
const lines = (...rows: object[]) => written('rows.jsonl', jsonLines(rows));
const csv = (...rows: string[]) => written('rows.csv', `${rows.join('\n')}\n`);
const both = { small: { quality: 0 }, large: { quality: 1 } };

/** The prompts, each with the models that have an outcome. */
async function kept(file: string, options: object = keep) {
  const { cases, excluded, read, rejectedCount } = await loadCases([file], options);
  return {
    cases: cases.map(({ text, outcomes }) => [text, [...outcomes.keys()].sort().join()]),
    missing: excluded.missingOutcome,
    read,
    rejectedCount,
  };
}

describe('rows without all outcomes', () => {
  const table = csv('prompt,small.quality,large.quality', 'a,0,1', 'b,1,', 'c,,');
  const long = csv('prompt,model,quality', 'a,small,0', 'a,large,1', 'b,small,1', 'c,small,');
  const json = lines(
    { prompt: 'a', outcomes: both },
    { prompt: 'b', outcomes: { small: { quality: 1 }, third: { quality: 1 } } },
    { prompt: 'c', outcomes: {} },
  );

  it.each([
    ['JSON', json, 3],
    ['a table', table, 3],
    ['a table with a row a model', long, 4],
  ])('are left out of %s, or kept with what they have, and counted either way', async (_, file, read) => {
    const counts = { missing: 2, read, rejectedCount: 0 };
    expect(await kept(file, { models })).toEqual({ cases: [['a', 'large,small']], ...counts });
    const cases = [
      ['a', 'large,small'],
      ['b', 'small'],
      ['c', ''],
    ];
    expect(await kept(file)).toEqual({ cases, ...counts });
  });

  it('may lack the field outcomes, or have null there', async () => {
    const file = lines({ prompt: 'a', outcomes: both }, { prompt: 'b' }, { prompt: 'c', outcomes: null });
    expect(await kept(file)).toMatchObject({ missing: 2, rejectedCount: 0, cases: { length: 3 } });
    const { rejected } = await loadCases([file], { models, maxRejectShare: 1 });
    expect(rejected.map(({ line, field }) => [line, field])).toEqual([
      [2, 'outcomes'],
      [3, 'outcomes'],
    ]);
  });

  it('may be a table of prompts alone beside one with labels', async () => {
    const labelled = written('labelled.jsonl', jsonLines([{ prompt: 'a', outcomes: both }]));
    const { cases, excluded, notes } = await loadCases(
      [labelled, csv('prompt,model', 'b,any', 'b,any')],
      keep,
    );
    expect(cases.map(({ id }) => id)).toEqual(['labelled.jsonl:1', 'rows.csv:2', 'rows.csv:3']);
    expect(excluded).toEqual({ missingOutcome: 2, duplicates: 0 });
    expect(notes).toEqual(['Not read: model.']);
  });

  it('are still bad if an outcome that is there is bad', async () => {
    const file = lines(
      { prompt: 'a', outcomes: both },
      { prompt: 'b', outcomes: { small: { quality: 7 } } },
      { prompt: ' ' },
    );
    const { rejected } = await loadCases([file], { ...keep, maxRejectShare: 1 });
    expect(rejected.map(({ line, field }) => [line, field])).toEqual([
      [2, 'outcomes.small.quality'],
      [3, 'prompt'],
    ]);
  });

  it('are no longer missing once a row of the same id and text has the outcomes', async () => {
    const file = lines(
      { id: 1, prompt: 'a', outcomes: { small: { quality: 0 } } },
      { id: 2, prompt: 'b' },
      { id: 1, prompt: 'a', outcomes: { large: { quality: 1 } }, label: 'x' },
    );
    expect(await kept(file)).toMatchObject({
      cases: [
        ['a', 'large,small'],
        ['b', ''],
      ],
      missing: 1,
    });
  });
});

describe('a file without any label', () => {
  it.each([
    ['JSON without outcomes', lines({ prompt: 'a' }, { prompt: 'b', outcomes: {} })],
    ['empty cells', csv('prompt,small.quality,large.quality', 'a,,', 'b,,')],
    ['prompts alone', csv('prompt', 'a', 'b')],
  ])('is an error that says so: %s', async (_, file) => {
    await expect(loadCases([file], keep)).rejects.toMatchObject({
      code: 'insufficient-data',
      message: 'No case is labelled: of 2 rows 0 were rejected and 2 lack quality of all of small, large.',
    });
    await expect(loadCases([file], { models })).rejects.toThrow();
    expect((await loadCases([file], { ...keep, mayBeEmpty: true })).cases).toHaveLength(2);
  });

  it('and one in which no case has all outcomes', async () => {
    const file = lines(
      { prompt: 'a', outcomes: { small: { quality: 1 } } },
      { prompt: 'b', outcomes: { large: { quality: 1 } } },
    );
    await expect(loadCases([file], keep)).rejects.toThrow(/^No case is labelled: .* 2 lack quality of all/);
  });

  it('names a model that no row has, and a column that is misspelt', async () => {
    const file = lines({ prompt: 'a', outcomes: { small: { quality: 1 } } });
    await expect(loadCases([file], keep)).rejects.toThrow(/^No row has an outcome of large\./);
    await expect(loadCases([csv('prompt,small.qualty', 'a,1')], keep)).rejects.toThrow(
      /no column ends in \.quality \(did you mean small\.quality\?\)/,
    );
  });
});
