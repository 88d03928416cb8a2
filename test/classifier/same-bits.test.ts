import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binary, numeric, optional, rich } from './arbitrary-texts.ts';
import { expectSameBits } from './expect-same-bits.ts';

const EVERYDAY = new URL('../../training-data/everyday-english.jsonl', import.meta.url);

describe('structural features have the bits of the reference formulas', () => {
  it.each([
    ['of all kinds of pieces', rich, 6000],
    ['of digits and what joins them', numeric, 4000],
    ['of lines that may be options', optional, 3000],
    ['of any units', binary, 1000],
  ])('for strings %s', (_, strings, numRuns) => {
    fc.assert(fc.property(strings, expectSameBits), { numRuns, seed: 7 });
  });

  it('for every unit, alone and between others', () => {
    for (let unit = 0; unit < 2 ** 16; unit += 16) {
      const signs = Array.from({ length: 16 }, (_, i) => String.fromCharCode(unit + i));
      expectSameBits(signs.map((sign) => `${sign} a${sign}A if${sign} 1${sign}2.${sign}\n`).join('x'));
    }
  });

  it('for the everyday prompts', () => {
    const lines = readFileSync(EVERYDAY, 'utf8').trimEnd().split('\n');
    const prompts = lines.map((line) => (JSON.parse(line) as { prompt?: unknown }).prompt);
    const texts = prompts.filter((prompt) => typeof prompt === 'string');
    expect(texts.length).toBeGreaterThan(100);
    for (const text of [...texts, ...lines]) expectSameBits(text);
  });

  it.each([
    ['nothing', ''],
    ['one space', ' '],
    ['Kelvin signs, which are k in lower case', '\u212a k K \u212a\u212a kk k\u212a'],
    ['letters that grow in lower case', 'İ'.repeat(5000)],
    ['words that grow in lower case', 'İ i̇ '.repeat(5000)],
    ['a digit more than doubles hold', '9007199254740993 9007199254740993.5'],
    ['halfway between two floats', '16777217 0.1 123.456 99999.99999999999'],
    ['many zeros behind the point', `0.${'0'.repeat(30)}1 and 1${'0'.repeat(25)}.5`],
    ['10^12 and its neighbours', '999999999999.9 1000000000000 1000000000001'],
    ['more digits than any double', '8'.repeat(400)],
    ['more decimals than any double', `3.${'7'.repeat(400)}`],
    ['no option behind the end, after a text that had one there', '  '],
  ])('for %s', (_, text) => {
    expectSameBits('      a) b) c) '.repeat(4));
    expectSameBits(text);
  });
});
