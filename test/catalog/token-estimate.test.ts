import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { estimateTokens, jsonTokens } from '../../router/catalog/token-estimate.ts';
import { staticTokenizer } from '../../router/encoders/index.ts';
import { scaled } from '../helpers/long-run.ts';

const tokenizer = staticTokenizer();
const ratioOf = (text: string): number => estimateTokens(text) / tokenizer.encode(text).length;
const read = (file: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8');
const prompts = (file: string): string[] =>
  read(file)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).prompt)
    .filter((prompt) => typeof prompt === 'string');

/** Of a one-liner the estimate may be off by a third, which is a token or two. */
const isLong = (text: string) => text.length >= 80;

describe('beside the word-piece tokenizer', () => {
  test('English prompts, each and in sum', () => {
    const texts = prompts('training-data/everyday-english.jsonl');
    expect(texts.length).toBeGreaterThan(300);
    const ratios = texts.filter(isLong).map(ratioOf);
    expect(Math.min(...ratios)).toBeGreaterThan(0.75);
    expect(Math.max(...ratios)).toBeLessThan(1.6);
    const whole = ratioOf(texts.join('\n'));
    expect(whole).toBeGreaterThan(1.05);
    expect(whole).toBeLessThan(1.25);
  });

  test('prompts in other languages', () => {
    const ratios = prompts('training-data/everyday-multilingual.jsonl').filter(isLong).map(ratioOf);
    expect(Math.min(...ratios)).toBeGreaterThan(0.45);
    expect(Math.max(...ratios)).toBeLessThan(1.7); // digits and signs among other letters
  });

  test.each([
    ['router/config/load.ts', 1, 1.4],
    ['docs/METRICS.md', 1, 1.4],
    ['plimsoll.config.schema.json', 1, 1.6],
  ])('%s', (file, least, most) => {
    const ratio = ratioOf(read(file));
    expect(ratio).toBeGreaterThan(least);
    expect(ratio).toBeLessThan(most);
  });
});

describe('by the rules', () => {
  test.each([
    ['', 0],
    ['a', 1],
    ['Word', 1],
    ['words and words', 3],
    ['internationalization', 4],
    ['HTTP', 2],
    ['HTTPserver', 4],
    ['camelCase', 2],
    ['2026', 2],
    ['a  b', 3],
    ['a\n\nb', 3],
    ['f(x);', 5],
    ['Привет', 3],
    ['你好', 2],
    ['😀', 2],
  ])('%j is %i', (text, tokens) => expect(estimateTokens(text)).toBe(tokens));

  test('data without blanks are not taken for a few words', () => {
    const base64 = Buffer.from(Uint8Array.from({ length: 3_000 }, (_, i) => (i * 7919) % 251)).toString(
      'base64',
    );
    expect(estimateTokens(base64)).toBeGreaterThan(base64.length / 3);
    expect(estimateTokens('a'.repeat(10_000))).toBe(2_000);
  });
});

/** The same rules for whole runs of characters. */
const RUNS: readonly (readonly [RegExp, (run: string) => number])[] = [
  [/(?<![A-Z])[A-Z][a-z]+|[a-z]+/g, (run) => Math.ceil(run.length / 5)],
  [/(?<![A-Z])[A-Z](?![a-zA-Z])|[A-Z]{2,}/g, (run) => Math.ceil(run.length / 3)],
  [/[0-9]+|[\u00c0-\u08ff]+/g, (run) => Math.ceil(run.length / 2)],
  [/[\t ]{2,}|[\n\r]+/g, () => 1],
  [/[^\t\n\r 0-9A-Za-z\u00c0-\u08ff]/g, () => 1],
];

/** By the runs of each kind: as slow as it is plain. */
function countedByRuns(text: string): number {
  const counts = RUNS.flatMap(([run, tokens]) => (text.match(run) ?? []).map(tokens));
  return counts.reduce((sum, count) => sum + count, 0);
}

describe('properties', () => {
  const text = fc.string({ unit: 'binary', maxLength: 200 });

  test('more text is never fewer tokens', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const both = estimateTokens(a + b);
        expect(both).toBeGreaterThanOrEqual(estimateTokens(a));
        expect(both).toBeGreaterThanOrEqual(estimateTokens(b) - 1); // the first word may go on from a
        expect(both).toBeLessThanOrEqual(estimateTokens(a) + estimateTokens(b) + 1);
      }),
      { numRuns: scaled(2_000) },
    );
  });

  test('as many as its runs say', () => {
    const like = fc.string({
      unit: fc.constantFrom(...'aabcABC019 \t\n\r.;é\u007f\u0080¿Àжऀ你😀'),
      maxLength: 40,
    });
    fc.assert(
      fc.property(fc.oneof(like, text), (a) => {
        expect(estimateTokens(a)).toBe(countedByRuns(a));
      }),
      { numRuns: scaled(10_000) },
    );
  });

  test('a whole number, never more than UTF-16 units', () => {
    fc.assert(
      fc.property(text, (a) => {
        const tokens = estimateTokens(a);
        expect(Number.isInteger(tokens)).toBe(true);
        expect(tokens).toBeLessThanOrEqual(a.length);
      }),
    );
  });

  test('JSON counts its names and values, and may be nested as deep as it likes', () => {
    expect(jsonTokens({ city: 'Paris' })).toBeGreaterThan(estimateTokens('city Paris'));
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(jsonTokens([a, b])).toBe(jsonTokens(a) + jsonTokens(b) + 1);
      }),
    );
    expect(jsonTokens(JSON.parse('['.repeat(200_000) + ']'.repeat(200_000)))).toBe(200_000);
  });
});
