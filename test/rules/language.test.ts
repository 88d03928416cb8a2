import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { routedText } from '../../router/prompt/index.ts';
import { type LanguageTest, openLanguages, RULE_LANGUAGES } from '../../router/rules/language.ts';

let languageOf: LanguageTest;
beforeAll(async () => {
  languageOf = await openLanguages();
});

test('any text has one of the languages, the same each time', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 3_000 }), (text) => {
      const language = languageOf(text);
      expect(RULE_LANGUAGES).toContain(language);
      languageOf('another text in between');
      expect(languageOf(text)).toBe(language);
    }),
  );
  expect(languageOf('')).toBe('und');
});

const FILES = [
  'tasks/held-out.jsonl',
  'everyday-multilingual.jsonl',
  'everyday-held-out.jsonl',
  'everyday-english.jsonl',
];

/** The figures of docs/RULES.md are those of this test. */
test('of the texts that ship most are told right, and few wrong', () => {
  const rows = FILES.flatMap((file) =>
    readFileSync(`training-data/${file}`, 'utf8').split('\n').filter(Boolean),
  )
    .map((line) => JSON.parse(line))
    .map(({ prompt, messages = [{ role: 'user', content: prompt }], language }) => ({
      text: routedText({ messages }),
      language,
    }));
  let [right, wrong] = [0, 0];
  for (const { text, language } of rows) {
    const told = languageOf(text);
    if (told === language) right++;
    else if (told !== 'und') wrong++;
  }
  expect(rows.length).toBe(4_111);
  expect(right / rows.length).toBeCloseTo(0.878, 2);
  expect(wrong / rows.length).toBeCloseTo(0.049, 2);
});
