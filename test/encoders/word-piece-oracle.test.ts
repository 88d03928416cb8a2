import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMinilmFile } from '../../router/encoders/weights.ts';
import { createWordPieceTokenizer } from '../../router/encoders/word-piece.ts';
import { scaled } from '../helpers/long-run.ts';

/** The tokenizer as it is written down: string by string, with nothing remembered. */
const bytes = readMinilmFile('tokenizer');
const vocabulary = new Map<string, number>(
  Object.entries(JSON.parse(new TextDecoder().decode(bytes)).model.vocab),
);
const unknownId = vocabulary.get('[UNK]')!;

function oracle(text: string): number[] {
  return wordsOf(normalised(text)).flatMap(idsOf);
}

function normalised(text: string): string {
  if (!/[^\t\n\r\x20-\x7e]/.test(text)) return text.toLowerCase();
  return text
    .replace(/[\0\ufffd]|(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu, '')
    .replace(
      /[\u4e00-\u9fff\u3400-\u4dbf\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu,
      ' $& ',
    )
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase();
}

function wordsOf(text: string): string[] {
  const words: string[] = [];
  let word = '';
  for (const character of text) {
    const kind = kindOf(character);
    if (kind === 'letter') word += character;
    else {
      if (word !== '') words.push(word);
      word = '';
      if (kind === 'punctuation') words.push(character);
    }
  }
  return word === '' ? words : [...words, word];
}

function kindOf(character: string): 'space' | 'punctuation' | 'letter' {
  if (character <= ' ' || /\p{White_Space}/u.test(character)) return 'space';
  const ascii = character <= '\x7f';
  const mark = ascii ? !/[A-Za-z0-9]/.test(character) : /\p{P}/u.test(character);
  return mark ? 'punctuation' : 'letter';
}

function idsOf(word: string): number[] {
  const characters = Array.from(word);
  if (characters.length > 100) return [unknownId];
  const ids: number[] = [];
  for (let start = 0; start < characters.length; ) {
    let end = characters.length;
    let id: number | undefined;
    for (; end > start && id === undefined; end--) {
      const part = characters.slice(start, end).join('');
      id = vocabulary.get(start === 0 ? part : `##${part}`);
    }
    if (id === undefined) return [unknownId];
    ids.push(id);
    start = end + 1;
  }
  return ids;
}

const LETTERS = 'a B z 9 é É ñ Ł İ ı ß ẞ ſ Σ ς σ K Å Ё й ك ש क ก 한 ㅎ ᄒ 𝒜 ½ ² ﬁ ŉ Ǆ';
const MARKS = '. , _ - $ + ` ~ ^ « » “ ” ’ – — … · ¿ ° × € 、 。 । ، 𐄀 → ∑ 😀 🇺🇦 👩‍👧';
const IDEOGRAPHS = '中 東 豈 𠀀 𪜀 丽 〇';
const UNSEEN = ['\u0301', '\u0327', '\u20dd', '\u0903', '\u200b', '\u00ad', '\u200d', '\ufeff', '\ufffd'];
const CONTROLS = ['\0', '\x01', '\x0b', '\x1f', '\x7f', '\x85', '\ud83d', '\ude00', '\ue000', '\u{e0001}'];
const SPACES = [' ', '\n', '\t', '\r', '\xa0', '\u1680', '\u2003', '\u2028', '\u202f', '\u205f', '\u3000'];
const SIGNS_OF_NFD = ['\u037e', '\u0387', '\u1fef', '\u2000', '\u2126', '\u2329', '\u226e'];
const WORDS = [
  'the',
  'The',
  'unbelievably',
  'x'.repeat(100),
  'é'.repeat(101),
  '𝒜'.repeat(100),
  'q'.repeat(201),
];
const parts = [...[LETTERS, MARKS, IDEOGRAPHS].flatMap((list) => list.split(' ')), ...WORDS].concat(
  UNSEEN,
  CONTROLS,
  SPACES,
  SIGNS_OF_NFD,
);

describe('the word-piece tokenizer beside a plain one', () => {
  const tokenizer = createWordPieceTokenizer(bytes);
  const agrees = (text: string): void => {
    expect([...tokenizer.encode(text)]).toEqual(oracle(text));
  };

  it('cuts any mixture of letters, accents, marks, ideographs and control characters alike', () => {
    const text = fc.string({ unit: fc.constantFrom(...parts), maxLength: 24 });
    fc.assert(fc.property(text, agrees), { numRuns: scaled(4000) });
  });

  it('cuts what people write alike', () => {
    const file = new URL('../../training-data/everyday-english.jsonl', import.meta.url);
    for (const line of readFileSync(file, 'utf8').trimEnd().split('\n')) {
      agrees(line);
      agrees(String(JSON.parse(line).prompt));
    }
  });

  it('cuts every character of the basic plane alike, between letters and alone', () => {
    for (let code = 0; code <= 0xffff; code += 8) {
      const row = Array.from({ length: 8 }, (_, i) => String.fromCharCode(code + i));
      agrees(row.map((character) => `a${character}b ${character}`).join(' '));
    }
  });

  it('cuts more words than it remembers alike, the first ones again after the last', () => {
    const word = (n: number): string => `w${((n * 7919) % 99_991).toString(36)}`;
    const text = (from: number): string => Array.from({ length: 500 }, (_, i) => word(from + i)).join(' ');
    for (let from = 0; from < 40_000; from += 500) agrees(text(from));
    agrees(text(0));
  });

  it('takes a text of one huge word for one unknown piece', () => {
    expect([...tokenizer.encode('ab'.repeat(500_000))]).toEqual([unknownId]);
  });
});
