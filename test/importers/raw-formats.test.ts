import { describe, expect, it } from 'vitest';
import { jsonArray } from '../../evals/case-files/index.ts';
import { pythonLiteral } from '../../scripts/importers/raw-file.ts';
import { extractAnswer, sameNumber, sameText } from '../../scripts/importers/zeroeval.ts';

async function elements(text: string, chunkBytes: number): Promise<unknown[]> {
  const bytes = Buffer.from(text);
  const found: unknown[] = [];
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  }
  for await (const { parse } of jsonArray('x.json', chunks())) found.push(parse());
  return found;
}

describe('jsonArray', () => {
  const rows = [{ a: 'é "]}," \\', b: [1, [2], {}] }, 'x,y', 3, null, [], { 漢: '[{' }];

  it.each([1, 2, 3, 7, 1000])('reads every kind of element from chunks of %i bytes', async (chunkBytes) => {
    expect(await elements(JSON.stringify(rows), chunkBytes)).toEqual(rows);
    expect(await elements(`\uFEFF \n${JSON.stringify(rows, null, 2)}\n`, chunkBytes)).toEqual(rows);
  });

  it('reads an empty array', async () => {
    expect(await elements(' [ ] ', 2)).toEqual([]);
  });

  it.each(['{"a": 1}', '[1, 2', '[{"a": 1}', '"x"', '[1] [2]', 'x[1]', '[1]]'])(
    'refuses %s',
    async (text) => {
      await expect(elements(text, 4)).rejects.toMatchObject({ code: 'invalid-input' });
    },
  );

  it('names a broken element without ending the run', async () => {
    const found: unknown[] = [];
    async function* chunks() {
      yield Buffer.from('[{"a": 1}, {"a": }, 3]');
    }
    for await (const { element, parse } of jsonArray('x.json', chunks())) {
      try {
        found.push(parse());
      } catch (error) {
        found.push(`${element}: ${(error as Error).message}`);
      }
    }
    expect(found).toEqual([{ a: 1 }, expect.stringMatching(/^2: not valid JSON/), 3]);
  });
});

describe('pythonLiteral', () => {
  it.each([
    [`['it\\'s', "a \\"b\\"", 'line\\nend\\x41\\u00e9']`, ["it's", 'a "b"', 'line\nendAé']],
    [
      `{'text': ['1', '2'], 'n': -1.5e3, 'ok': True, 'none': None}`,
      { text: ['1', '2'], n: -1500, ok: true, none: null },
    ],
    ['[]', []],
    ['[1, ]', [1]],
  ])('reads %s', (text, value) => {
    expect(pythonLiteral(text)).toEqual(value);
  });

  it.each(['[1 2]', "['a", '[1] x', '{1}', 'f()', ''])('refuses %s', (text) => {
    expect(() => pythonLiteral(text)).toThrow('not a Python literal');
  });
});

describe('ZeroEval’s rules', () => {
  it.each([
    ['Sure: {"reasoning": "a\nb", "answer": "7"} and {"answer": "8"}', 'any', '7'],
    ['{"answer": [1, "a", true, null]}', 'any', "[1, 'a', True, None]"],
    ['{"reasoning": "he said "no"", "answer": "7", broken', 'any', '7'],
    ['"answer": 42, done', 'any', '42'],
    ['answer: 42', 'any', '42'],
    ['so it is $\\boxed{36}$', 'Meta-Llama-3.1-8B-Instruct', '36'],
    ['so it is $\\boxed{36}$', 'Qwen2-7B', undefined],
    ['no idea', 'any', undefined],
  ])('takes the answer out of %s', (output, model, answer) => {
    expect(extractAnswer(output, model)).toBe(answer);
  });

  it.each([
    ['$1,200 a week', '# 1200', true],
    ['5/4', '1.25', true],
    ['3/4 cup', '3', true],
    ['-15', '15', false],
    ['none', '0', false],
    ['18.0', '# 18', true],
  ])('the same number: %s and %s', (answer, key, same) => {
    expect(sameNumber(answer, key)).toBe(same);
  });

  it.each([
    ['"ab"', "'ab'", true],
    ["''", "''", true],
    ['a\nb', "'a\\nb'", true],
    ['[1,2]', '[1, 2]', false],
  ])('the same text: %s and %s', (answer, key, same) => {
    expect(sameText(answer, key)).toBe(same);
  });
});
