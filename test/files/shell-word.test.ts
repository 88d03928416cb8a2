import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shellWord } from '../../router/shell-word.ts';

test('what needs no quotes has none', () => {
  for (const text of ['models/router-2', 'openai/gpt-4o-mini,openai/gpt-4o', '/srv/a.b_c'])
    expect(shellWord(text)).toBe(text);
  expect(shellWord("it's a design")).toBe(String.raw`'it'\''s a design'`);
});

test('a shell reads one word, whatever it is', () => {
  const text = fc.string({ unit: fc.constantFrom(...'ab \'"\\$`!*?~#&;|<>(){}[]\n\tü-='), maxLength: 12 });
  const texts = fc.sample(text, { numRuns: 200, seed: 1 });
  const { stdout } = spawnSync('sh', ['-c', `printf '%s\\0' ${texts.map(shellWord).join(' ')}`], {
    encoding: 'utf8',
  });
  expect(stdout.split('\0').slice(0, -1)).toEqual(texts);
});
