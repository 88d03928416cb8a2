import { describe, expect, it } from 'vitest';
import { parseColumnMap } from '../../evals/case-files/index.ts';
import { loadCases } from '../../evals/cases/index.ts';
import { jsonLines, soundRow, written } from '../cases/written.ts';

const csv = (...lines: string[]) => written('cases.csv', `${lines.join('\n')}\n`);
const json = (...rows: unknown[]) => written('cases.jsonl', jsonLines(rows));
const plain = async (file: string, map?: string, models?: string[]) => {
  const loaded = await loadCases([file], {
    maxRejectShare: 1,
    ...(map !== undefined && { columns: parseColumnMap(map) }),
    ...(models && { models }),
  });
  return {
    ...loaded,
    rows: loaded.cases.map(({ text, outcomes }) => [
      text,
      Object.fromEntries([...outcomes].map(([model, { quality }]) => [model, quality])),
    ]),
  };
};
const TWO = [
  ['a', { small: 1, large: 0.5 }],
  ['b', { small: 0, large: 1 }],
];

describe('names of columns and keys', () => {
  it.each([
    ['upper case', csv('PROMPT,small.QUALITY,large.Quality', 'a,1,0.5', 'b,0,1')],
    ['spaces', csv(' prompt , small.quality,large . quality ', 'a,1,0.5', 'b,0,1')],
    ['long, upper case', csv('Prompt,Model,Quality', 'a,small,1', 'a,large,0.5', 'b,small,0', 'b,large,1')],
    [
      'JSON, upper case and spaces',
      json(
        { Prompt: 'a', OUTCOMES: { small: { Quality: 1 }, large: { ' quality ': 0.5 } } },
        { prompt: 'b', outcomes: { small: { quality: 0 }, large: { quality: 1 } } },
      ),
    ],
    [
      'JSON as a table',
      json(
        { Prompt: 'a', 'small.Quality': 1, 'large.quality': 0.5 },
        { prompt: 'b', 'small.quality': 0, 'large.quality': 1 },
      ),
    ],
  ])('are known in any case: %s', async (_, file) => {
    const { rows, notes } = await plain(file);
    expect(rows).toEqual(TWO);
    expect(notes).toEqual([]);
  });

  it('models are known in any case, if they are written in one', async () => {
    const file = csv('prompt,SMALL.quality,Large.quality', 'a,1,0.5', 'b,0,1');
    expect((await plain(file, undefined, ['small', 'large'])).rows).toEqual(TWO);
    const twice = csv('prompt,SMALL.quality,Small.quality', 'a,1,0.5');
    await expect(plain(twice, undefined, ['small'])).rejects.toThrow(/write small in 2 ways: SMALL, Small/);
    await expect(plain(twice, undefined, ['Small'])).resolves.toMatchObject({
      rows: [['a', { Small: 0.5 }]],
    });
  });

  it.each([
    ['columns', csv('Prompt,prompt,small.quality', 'a,b,1'), /:1: the column prompt stands twice/],
    ['columns of a model', csv('prompt,small.quality,small.Quality', 'a,1,1'), /small\.Quality stands twice/],
  ])('twice: %s', async (_, file, message) => {
    await expect(plain(file)).rejects.toThrow(message);
  });

  it('twice in a row of JSON is a bad row', async () => {
    const { rejected } = await plain(json(soundRow(1), soundRow(2, { Prompt: 'other' })));
    expect(rejected).toMatchObject([
      { line: 2, field: 'prompt', reason: 'given twice: as prompt and as Prompt' },
    ]);
  });
});

describe('--map', () => {
  it.each([
    [
      'a table',
      csv('question,gpt-4o-mini,gpt-4o', 'a,1,0.5', 'b,0,1'),
      'prompt=question,small.quality=gpt-4o-mini,large.quality=gpt-4o',
    ],
    [
      'a name with a comma',
      written('cases.tsv', 'asked, how\tA\tB\na\t1\t0.5\nb\t0\t1\n'),
      'prompt=asked, how,small.quality=A,large.quality=B',
    ],
    [
      'any case',
      csv('Question ,A,B', 'a,1,0.5', 'b,0,1'),
      'Prompt = question,small.QUALITY=a, large.quality=b',
    ],
    [
      'in place of the own name',
      csv('prompt,question,small.quality,B', 'template,a,1,0.5', 'template,b,0,1'),
      'prompt=question,large.quality=B',
    ],
    [
      'a long table',
      csv('q,who,score', 'a,small,1', 'a,large,0.5', 'b,small,0', 'b,large,1'),
      'prompt=q,model=who,quality=score',
    ],
    [
      'JSON',
      json({ question: 'a', m: 1, n: 0.5 }, { question: 'b', m: 0, n: 1 }),
      'prompt=question,small.quality=m,large.quality=n',
    ],
    [
      'JSON with paths',
      json({ ask: { text: 'a' }, scores: { m: 1, n: 0.5 } }, { ask: { text: 'b' }, scores: { m: 0, n: 1 } }),
      'prompt=ask.text,small.quality=scores.m,large.quality=scores.n',
    ],
  ])('names the columns of %s', async (_, file, map) => {
    expect((await plain(file, map)).rows).toEqual(TWO);
  });

  it.each([
    ['promt=question', /there is no field promt \(did you mean prompt\?\)/],
    ['small.qualty=x', /there is no field small\.qualty \(did you mean small\.quality\?\)/],
    ['prompt', /"prompt" is not name=column/],
    ['prompt=', /is not name=column/],
    ['prompt=a,prompt=b', /prompt is given twice/],
    [
      'large.quality=score,small.quality= Score',
      /large\.quality and small\.quality are both given the column Score; it can hold one of them/,
    ],
    ['prompt=q,key=q', /prompt and key are both given the column q/],
    ['task=topic', /no file has topic/],
    ['prompt=question', /there is no column question, which --map names\./, 'ask,small.quality'],
    [
      'prompt=questin',
      /no column questin, which --map names \(did you mean question\?\)/,
      'question,small.quality',
    ],
    ['small.quality=small scor', /no column small scor, which .* mean small score\?/, 'prompt,small score'],
    ['quality=scor', /no column scor, which .* mean score\?/, 'prompt,model,score'],
  ])('refuses %s', async (map, message, header = 'prompt,small.quality') => {
    const file = csv(header, header.replaceAll(/[^,]+/g, '1'));
    await expect(async () => plain(file, map)).rejects.toThrow(message);
  });
});

describe('names that are not read', () => {
  it('are none of those that the map reads by a path; the fields beside them stay', async () => {
    const file = json({
      prompt: 'a',
      scores: { m: 1 },
      outcomes: { small: { score: 0.5, cost_usd: 0.25, price: 2 }, large: { quality: 1, latency: 30 } },
    });
    const map =
      'small.quality=outcomes.small.score,large.latency_ms=outcomes.large.latency,medium.quality=scores.m';
    const { cases, notes } = await loadCases([file], { columns: parseColumnMap(map) });
    expect(notes).toEqual(['Not read: outcomes.<model>.price.']);
    expect(Object.fromEntries(cases[0]!.outcomes)).toEqual({
      small: { quality: 0.5, costUsd: 0.25 },
      medium: { quality: 1 },
      large: { quality: 1, latencyMs: 30 },
    });
  });

  it.each([
    ['a column', csv('prompt,small.quality,notes', 'a,1,x'), ['Not read: notes.']],
    [
      'a misspelt column',
      csv('prompt,taks,small.quality', 'a,t,1'),
      ['Not read: taks (did you mean task?).'],
    ],
    [
      'a misspelt quality',
      csv('prompt,small.quality,large.qualty', 'a,1,1'),
      ['Not read: large.qualty (did you mean large.quality?).'],
    ],
    [
      'a misspelt model',
      csv('prompt,small.quality,smal.cost_usd', 'a,1,1'),
      ['Not read: smal.cost_usd (there is no smal.quality; did you mean small?).'],
    ],
    [
      'a bare quality',
      csv('prompt,small.quality,quality', 'a,1,1'),
      ['Not read: quality (of which model?).'],
    ],
    [
      '__proto__ and constructor',
      csv('prompt,small.quality,__proto__,constructor', 'a,1,1,1'),
      ['Not read: __proto__, constructor.'],
    ],
    [
      'keys of JSON',
      json({ ...soundRow(1), promtp: 'x', outcomes: { small: { quality: 1, cost_us: 2, judge: 'x' } } }),
      [
        'Not read: promtp (did you mean prompt?), outcomes.<model>.cost_us (did you mean cost_usd?), outcomes.<model>.judge.',
      ],
    ],
    [
      '__proto__ in JSON',
      written(
        'cases.jsonl',
        '{"prompt":"a","__proto__":{"b":1},"outcomes":{"small":{"quality":1,"__proto__":2}}}\n',
      ),
      ['Not read: __proto__, outcomes.<model>.__proto__.'],
    ],
  ])('are listed: %s', async (_, file, notes) => {
    const found = await plain(file);
    expect(found.notes).toEqual(notes);
    expect(found.cases).toHaveLength(1);
  });

  it('a model called constructor is one; __proto__ cannot be, and is named', async () => {
    const { rows } = await plain(csv('prompt,constructor.quality,toString.quality', 'a,1,0.5'));
    expect(rows).toEqual([['a', { constructor: 1, toString: 0.5 }]]);
    await expect(plain(csv('prompt,__proto__.quality', 'a,1'))).rejects.toThrow(
      /:1: __proto__ cannot be the name of a model/,
    );
    const { rejected } = await plain(csv('prompt,model,quality', 'a,__proto__,1', 'b,small,1'));
    expect(rejected).toMatchObject([{ line: 2, field: 'model' }]);
    const nested = '{"prompt":"a","outcomes":{"__proto__":{"quality":1},"small":{"quality":1}}}\n';
    const file = written('cases.jsonl', `${nested}${jsonLines([soundRow(1)])}`);
    expect((await plain(file)).rejected).toMatchObject([{ line: 1, field: 'outcomes.__proto__' }]);
  });

  it('a slip in the name of a model in some rows is asked about; another version is not', async () => {
    const rows = (slip: string) =>
      json(
        ...Array.from({ length: 60 }, (_, i) =>
          soundRow(i, {
            outcomes: { [i === 7 ? slip : 'gpt-small']: { quality: 1 }, large: { quality: 1 } },
          }),
        ),
      );
    expect((await plain(rows('gpt-smal'))).notes).toEqual([
      'gpt-smal (1 rows) is a model of its own: is gpt-small meant?',
    ]);
    expect((await plain(rows('gpt-small-2'))).notes).toEqual([]);
    const { notes } = await plain(csv('prompt,gpt-4.quality,gpt-4o.quality', 'a,1,1', 'b,1,0'));
    expect(notes).toEqual([]);
  });

  it('rows with more or fewer cells than the header are all named', async () => {
    const file = csv(
      'prompt,small.quality,large.quality',
      'a,1',
      'b,1,1,',
      'c,1,1,1',
      'd',
      'e,1,1',
      ',',
      'f,0,1',
    );
    const { rejected, rejectKinds, cases } = await plain(file);
    expect(cases).toHaveLength(2);
    expect(rejected.map(({ line, reason }) => [line, reason])).toEqual(
      [2, 4, 4, 1, 2].map((cells, i) => [[2, 3, 4, 5, 7][i], `${cells} cells under a header of 3 columns`]),
    );
    expect(rejectKinds).toMatchObject([{ count: 5, first: { length: 3 } }]);
  });

  it.each([
    [
      'no prompt',
      csv('promt,small.quality', 'a,1'),
      /there is no column prompt \(did you mean promt\?\)\. .*--map/,
    ],
    [
      'no quality',
      csv('prompt,small.qualty', 'a,1'),
      /no column ends in \.quality \(did you mean small\.quality\?\)/,
    ],
    [
      'no header',
      csv('What is the way to the harbour,1,0', 'a,1,0'),
      /the first line is no header: its cell 2 is a number/,
    ],
  ])('a header with %s says what to do', async (_, file, message) => {
    const error = await plain(file).catch((caught: unknown) => caught as Error);
    expect(error).toMatchObject({ code: 'invalid-input', message: expect.stringMatching(message) });
    expect((error as Error).message).not.toContain('harbour');
  });
});
