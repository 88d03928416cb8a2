import { describe, expect, it } from 'vitest';
import { loadHardCases, loadParaphrases } from '../../evals/cases/index.ts';
import { jsonLines, written } from './written.ts';

const hard = {
  id: 'h-1',
  slice: 'proof',
  language: 'en',
  prompt: ' Prove that there are infinitely many primes. ',
  tier: 'strong',
  why: 'A proof.',
};
const pair = { id: 'p-1', a: 'Name three knots. ', b: 'Tell me three knots.', language: 'en' };

const fileOf = (...rows: readonly unknown[]) => written('rows.jsonl', jsonLines(rows));

describe('loadHardCases', () => {
  it('gives the routed text and its length', () => {
    expect(loadHardCases(fileOf(hard))).toEqual([
      { ...hardWithoutPrompt(), text: 'Prove that there are infinitely many primes.', characters: 44 },
    ]);
  });

  it('scores what the person wrote in an agent session, and counts only those turns', () => {
    const messages = [
      { role: 'user', content: 'Fix the failing test.' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'run_tests', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: '1 failed' },
      { role: 'user', content: 'And do not touch the fixture.' },
    ];
    const { prompt: _, ...rest } = hard;
    expect(loadHardCases(fileOf({ ...rest, messages }))[0]).toMatchObject({
      text: 'And do not touch the fixture.\n\nFix the failing test.',
      turns: 2,
    });
  });

  it('takes a slice of any lower-case dashed name', () => {
    expect(loadHardCases(fileOf({ ...hard, slice: 'tax-2026' }))[0]?.slice).toBe('tax-2026');
  });

  it.each([
    ['an unknown field', { teir: 'cheap' }, undefined, 'teir'],
    ['a bad tier', { tier: 'medium' }, 'tier', 'Invalid option'],
    ['a slice with a capital', { slice: 'Proof' }, 'slice', 'lower-case'],
    ['a slice with a space', { slice: 'long proof' }, 'slice', 'lower-case'],
    ['no slice', { slice: undefined }, 'slice', 'Invalid input'],
    ['a bad language', { language: 'English' }, 'language', 'language code'],
    ['prompt and messages', { messages: [{ role: 'user', content: 'Hi.' }] }, 'prompt', 'either'],
    ['a long reason', { why: 'x'.repeat(161) }, 'why', 'Too big'],
    ['an id twice', { id: 'h-1' }, 'id', 'earlier row'],
  ])('names file, line and field of %s', (_name, over, field, reason) => {
    const file = fileOf(hard, { ...hard, id: 'h-2', ...over });
    expect(() => loadHardCases(file)).toThrow(
      expect.objectContaining({
        code: 'invalid-input',
        message: expect.stringContaining(`${file}:2`),
        place: { file, line: 2, ...(field !== undefined && { field }) },
      }),
    );
    expect(() => loadHardCases(file)).toThrow(reason);
  });

  it.each([
    ['the very text', hard.prompt],
    ['another case and other white space', 'prove that  there are infinitely many PRIMES'],
    ['a number at the end', 'Prove that there are infinitely many primes. (request 17)'],
    ['a number within', 'Prove that there are 100 infinitely many primes.'],
  ])('refuses %s under another id, and names both lines', (_, prompt) => {
    const other = { ...hard, id: 'h-2', prompt: 'Prove that the root of two is irrational.' };
    expect(loadHardCases(fileOf(hard, other))).toHaveLength(2);
    const file = fileOf(hard, other, { ...hard, id: 'h-3', prompt });
    expect(() => loadHardCases(file)).toThrow(`${file}:3: its text is that of line 1, but for case`);
  });

  it('names the line in which no person wrote anything', () => {
    const { prompt: _, ...rest } = hard;
    const file = fileOf({ ...rest, messages: [{ role: 'system', content: 'Be brief.' }] });
    expect(() => loadHardCases(file)).toThrow(
      expect.objectContaining({ code: 'invalid-input', place: { file, line: 1 } }),
    );
  });

  it('names the line of bad JSON and does not quote it', () => {
    const file = written('rows.jsonl', `${JSON.stringify(hard)}\n\n{"id": secret}\n`);
    expect(() => loadHardCases(file)).toThrow(
      expect.objectContaining({ message: `${file}:3: not valid JSON`, place: { file, line: 3 } }),
    );
  });

  it('refuses a file that is empty, not UTF-8 or not there', () => {
    expect(() => loadHardCases(written('rows.jsonl', '\n'))).toThrow('no row of data');
    expect(() => loadHardCases(written('rows.jsonl', Uint8Array.of(0x7b, 0xff)))).toThrow('cannot be read');
    expect(() => loadHardCases('no/such.jsonl')).toThrow(expect.objectContaining({ code: 'not-found' }));
  });
});

describe('loadParaphrases', () => {
  it('gives the routed texts of both wordings', () => {
    expect(loadParaphrases(fileOf(pair))).toEqual([{ ...pair, a: 'Name three knots.' }]);
  });

  it.each([
    ['two equal wordings', { b: 'Name three knots.' }, 'b', 'other words'],
    ['a blank wording', { b: ' ' }, 'b', 'Too small'],
    ['an unknown field', { tier: 'cheap' }, undefined, 'tier'],
    ['an id twice', { id: 'p-1' }, 'id', 'earlier row'],
  ])('names file, line and field of %s', (_name, over, field, reason) => {
    const file = fileOf(pair, { ...pair, id: 'p-2', ...over });
    expect(() => loadParaphrases(file)).toThrow(
      expect.objectContaining({
        code: 'invalid-input',
        place: { file, line: 2, ...(field !== undefined && { field }) },
      }),
    );
    expect(() => loadParaphrases(file)).toThrow(reason);
  });
});

it('a paraphrase that repeats a wording of an earlier line is refused', () => {
  const file = fileOf(pair, {
    id: 'p-2',
    a: 'Which knots are there?',
    b: 'name three knots',
    language: 'en',
  });
  expect(() => loadParaphrases(file)).toThrow(`${file}:2: its text is that of line 1`);
});

function hardWithoutPrompt() {
  const { prompt: _, ...rest } = hard;
  return rest;
}
