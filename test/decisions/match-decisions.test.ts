import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCase } from '../../evals/cases/index.ts';
import { type MatchRequest, matchDecisions } from '../../evals/decisions/match-decisions.ts';
import { PlimsollError } from '../../router/errors.ts';
import { LADDER, promptOf, threeCases, written } from './decision-world.ts';

const cases = threeCases();
const DECIDED = [0, 1, 2].map((i) => ({ id: `case-${i}`, model: 'small' }));

async function refused(
  content: string | readonly unknown[],
  more: Partial<MatchRequest> = {},
  name = 'd.jsonl',
): Promise<PlimsollError> {
  const file = written(name, content);
  const error = await matchDecisions({ file, cases, ladder: LADDER, ...more }).catch((caught) => caught);
  expect(error).toBeInstanceOf(PlimsollError);
  expect(error.message).toContain(file);
  expect(error.message).not.toContain('capital');
  return error;
}

describe('decisions that cannot be judged', () => {
  it('are of no case: how many, the first three, and what ids look like', async () => {
    const unknown = ['x', 'y', 'z', 'w'].map((id) => ({ id, model: 'small' }));
    const { message } = await refused([...DECIDED, ...unknown]);
    expect(message).toMatch(/4 decisions are of no case in the data/);
    expect(message).toMatch(/id "x" \(line 4\), id "y" \(line 5\), id "z" \(line 6\); .* such as "case-0"/);
    expect(message).toMatch(/--ignore-unknown/);
    expect((await refused([{ prompt: 'Which capital?', model: 'small' }])).message).toMatch(
      /a prompt \(line 1\)/,
    );
  });

  it('of no case can be left out, whatever they chose', async () => {
    const file = written('d.jsonl', [{ id: 'x', model: 'another' }, ...DECIDED]);
    const read = await matchDecisions({ file, cases, ladder: LADDER, ignoreUnknown: true });
    expect([read.unknown, ...read.rungs]).toEqual([1, 0, 0, 0]);
  });

  it('are missing: how many, the first three', async () => {
    const { message } = await refused([{ id: 'case-9', model: 'small' }], { cases: threeCases(10) });
    expect(message).toMatch(/9 of the 10 cases have no decision\. The first: "case-0", "case-1", "case-2"/);
    expect(message).toMatch(/a router that gave no decision has decided nothing/);
  });

  it('contradict each other: both lines', async () => {
    const { message } = await refused([...DECIDED, { prompt: promptOf(1), model: 'large' }]);
    expect(message).toMatch(
      /d\.jsonl:4: the case "case-1" is decided twice: large here, and small on line 2/,
    );
  });

  it('may be stated twice alike', async () => {
    const file = written('d.jsonl', [...DECIDED, ...DECIDED]);
    expect((await matchDecisions({ file, cases, ladder: LADDER })).rows).toBe(6);
  });

  it('chose a model outside the ladder: the model, the ladder, the line', async () => {
    const error = await refused([DECIDED[0], { id: 'case-1', model: 'Large-2' }]);
    expect(error.message).toMatch(
      /d\.jsonl:2: the model "Large-2" is not on the ladder, which is small < large\./,
    );
    expect(error.message).toMatch(/Is it large\?/);
    expect(error.place).toMatchObject({ line: 2, field: 'model' });
  });

  it('name a prompt of two cases whose outcomes differ', async () => {
    const twin = parseCase(
      { id: 'twin', prompt: promptOf(0), outcomes: { small: { quality: 1 }, large: { quality: 1 } } },
      '',
    );
    const { message } = await refused([{ prompt: promptOf(0), model: 'small' }], { cases: [...cases, twin] });
    expect(message).toMatch(
      /:1: 2 cases have this prompt, and their outcomes differ, such as "case-0" and "twin"/,
    );
    expect(message).toMatch(/by its id/);
  });

  it('name a prompt of two cases with the same outcomes: both are decided', async () => {
    const file = written('d.jsonl', [...DECIDED.slice(1), { prompt: promptOf(0), model: 'large' }]);
    const twin = { ...cases[0]!, id: 'twin' };
    const read = await matchDecisions({ file, cases: [...cases, twin], ladder: LADDER });
    expect([...read.rungs]).toEqual([1, 0, 0, 1]);
    const apart = ['small', 'large'].map((model) => ({ prompt: promptOf(0), model }));
    expect((await refused(apart, { cases: [...cases, twin] })).message).toMatch(
      /decided twice: .* 2 cases have this prompt: if each was decided for itself, name it by its id/,
    );
  });

  it.each([
    ['an empty file', '', 'd.jsonl', /the file is empty/],
    ['white space', '\n \n', 'd.jsonl', /the file is empty/],
    ['a header alone', 'id,model\n', 'd.csv', /the file is empty/],
    [
      'no column that is known',
      'request,chosen\n1,small\n',
      'd.csv',
      /:2: no decision can be read .* It has request, chosen, .*--decisions-map/,
    ],
    [
      'no model',
      [{ id: 'case-0', modle: 'small' }],
      'd.jsonl',
      /:1: no decision can be read .* It has id, modle/,
    ],
    [
      'an empty model',
      [DECIDED[0], { id: 'case-1', model: ' ' }],
      'd.jsonl',
      /:2: the field "model" is missing or empty/,
    ],
    [
      'neither id nor prompt',
      [DECIDED[0], { model: 'small' }],
      'd.jsonl',
      /:2: the field "id" is missing or empty, and there is no key/,
    ],
    [
      'a list as the model',
      [{ id: 'case-0', model: ['small'] }],
      'd.jsonl',
      /the field "model" must be a name/,
    ],
    ['no object', '[1, 2]', 'd.json', /:1: must be an object/],
    ['no JSON', '{"id": "case-0", "model": \n', 'd.jsonl', /:1: /],
    ['half a record', 'id,model\ncase-0\n', 'd.csv', /:2: 1 cells under a header of 2 columns/],
    ['an ending that names no format', 'id,model\n', 'd.txt', /cannot tell the format/],
  ] as const)('%s', async (_, content, name, pattern) => {
    expect((await refused(content as string, {}, name)).message).toMatch(pattern);
  });

  it('a map that does not fit: which column', async () => {
    const columns = (map: Record<string, string>) => ({ columns: new Map(Object.entries(map)) });
    const { message } = await refused([{ id: 'case-0', chosen: 'small' }], columns({ model: 'choice' }));
    expect(message).toMatch(/there is no column choice, which --decisions-map names/);
    const late = await refused(DECIDED, columns({ context: 'before' }));
    expect(late.message).toMatch(/there is no column before/);
    const file = written('d.jsonl', DECIDED);
    await expect(
      matchDecisions({ file, cases, ladder: LADDER, ...columns({ quality: 'score' }) }),
    ).rejects.toThrow(/decisions have no column quality\. They have id, key, prompt/);
  });
});

describe('hard cases', () => {
  const hardCases = ['h-0', 'h-1'].map((id) => ({
    id,
    text: `A hard one, ${id}`,
    tier: 'strong' as const,
    slice: 'proof',
    language: 'en',
    why: 'it is',
    characters: 16,
  }));

  it('are judged if all of them have a decision, and left out if none has', async () => {
    const both = [...DECIDED, { id: 'h-0', model: 'large' }, { prompt: hardCases[1]!.text, model: 'small' }];
    const read = await matchDecisions({ file: written('d.jsonl', both), cases, hardCases, ladder: LADDER });
    expect([...read.hardRungs!]).toEqual([1, 0]);
    const none = await matchDecisions({
      file: written('d.jsonl', DECIDED),
      cases,
      hardCases,
      ladder: LADDER,
    });
    expect(none.hardRungs).toBeUndefined();
  });

  it('are refused if some have a decision', async () => {
    const { message } = await refused([...DECIDED, { id: 'h-1', model: 'large' }], { hardCases });
    expect(message).toMatch(/1 of the 2 hard cases have no decision\. The first: "h-0"/);
  });
});

describe('the order of rows', () => {
  it('does not matter, nor how each row names its case', async () => {
    const many = threeCases(12);
    const naming = fc.array(fc.constantFrom('id', 'prompt'), { minLength: 12, maxLength: 12 });
    const chosen = fc.array(fc.constantFrom(0, 1), { minLength: 12, maxLength: 12 });
    const order = fc.shuffledSubarray([...many.keys()], { minLength: 12 });
    await fc.assert(
      fc.asyncProperty(naming, chosen, order, async (names, rungs, places) => {
        const rows = places.map((i) => ({
          ...(names[i] === 'id' ? { id: many[i]!.id } : { prompt: promptOf(i) }),
          model: LADDER[rungs[i]!],
        }));
        const read = await matchDecisions({ file: written('d.jsonl', rows), cases: many, ladder: LADDER });
        expect([...read.rungs]).toEqual(rungs);
      }),
      { numRuns: 40 },
    );
  });
});
