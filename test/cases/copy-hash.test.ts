import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyHash, copyHashes, questionKey } from '../../evals/cases/question-key.ts';
import { cpuMs } from '../helpers/cpu-ms.ts';

const words = fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 8 });
const mark = fc.constantFrom(' ', '\n', '\t', '?', '. ', ', ', ' - ', '(', ') ');
const counter = fc.oneof(fc.constant(''), fc.nat().map(String));

describe('copyHash', () => {
  it('is shared by copies that differ in case, marks and numbers at either end', () => {
    fc.assert(
      fc.property(words, mark, mark, counter, counter, (all, between, around, before, after) => {
        const copy = `${before}${around}${all.join(between).toUpperCase()}${around}${after}`;
        expect(copyHash(copy)).toBe(copyHash(all.join(' ')));
      }),
    );
  });

  it('is shared by copies with a numbered tag at either end, also if each has one', () => {
    const tag = fc.tuple(fc.constantFrom('request', 'Case', 'copy no.', 'id', ''), fc.nat(), fc.boolean());
    const name = (word: string, number: number) => (word === '' ? `#${number}` : `${word} ${number}`);
    fc.assert(
      fc.property(words, tag, tag, (all, [word, number, bracketed], [other, twin, before]) => {
        const text = `${all.join(' ')}?`;
        const tagged = name(word, number);
        const behind = bracketed ? `(${tagged})` : String(number);
        expect(copyHash(`${text} ${behind}`)).toBe(copyHash(text));
        expect(copyHash(`${text} [${tagged}] ${behind}`)).toBe(copyHash(text));
        const ahead = name(other, twin);
        expect(copyHash(before ? `[${ahead}] ${text}` : `${ahead}: ${text}`)).toBe(copyHash(text));
      }),
    );
  });

  it.each([
    ' - request 17',
    ' – Copy #4',
    '\nRequest: 17',
    '\n\nCase no. 3',
    ' ①',
    ' ١٧',
    ' １７',
    ' (request ١٧)',
  ])('is shared by a copy that ends with %j', (end) => {
    for (const text of ['What is a lien?', 'Wo liegt 北京'])
      expect(copyHash(text + end)).toBe(copyHash(text));
    expect(copyHash(`١٧ What is a lien?${end}`)).toBe(copyHash('What is a lien?'));
  });

  // Marks that no reader sees, and the typography of another export.
  const invisible = fc.constantFrom('\u200b', '\u00ad', '\u2060', '\ufeff', '\u200e', '\ufe0f', '\u{e0041}');
  const typeset = fc.constantFrom(
    '\u00a0',
    '\u2009',
    '\u3000',
    '“',
    '’',
    '…',
    '—',
    '•',
    '、',
    '。',
    '→',
    '✓',
    '😀',
  );

  it('is shared by copies in other characters: invisible ones, typography, capitals and full width', () => {
    const sentence = fc.array(fc.constantFrom('what', 'лицо', 'größe', 'über', '北京', 'été', 'lien'), {
      minLength: 2,
      maxLength: 6,
    });
    fc.assert(
      fc.property(sentence, invisible, typeset, typeset, fc.nat(20), (all, hidden, mark, end, at) => {
        const plain = all.join(' ');
        const copies = [
          `${plain.slice(0, at)}${hidden}${plain.slice(at)}`,
          `${all.join(mark)}${end}`,
          `${end}${plain.toUpperCase().normalize('NFD')}${mark}`,
          plain.replace(/[a-z]/g, (one) => String.fromCodePoint(one.charCodeAt(0) + 0xfee0)),
        ];
        for (const copy of copies) {
          expect(copyHashes(copy)).toEqual(
            copyHashes(plain.replaceAll('ß', copy.includes('SS') ? 'ss' : 'ß')),
          );
          expect(questionKey(copies[0]!)).toBe(questionKey(plain));
        }
      }),
    );
  });

  it('tells apart texts of symbols alone', () => {
    expect(copyHash('😀')).not.toBe(copyHash('😢'));
    expect(copyHash('😀\ufe0f')).toBe(copyHash('😀'));
  });

  it.each([
    ['a superscript', 'Simplify x²', 'Simplify x³'],
    ['a line with a number', 'Start at 5.\nAdd 17', 'Start at 5.\nSubtract 17'],
    ['a number in words', '你好一', '你好二'],
  ])('does not leave out %s', (_, text, other) => {
    expect(copyHash(text)).not.toBe(copyHash(other));
  });

  it('does not take a formula or a sentence for a tag', () => {
    expect(copyHash('Expand (x - 3)')).not.toBe(copyHash('Expand (y - 4)'));
    expect(copyHash('Why? Because of 9 cats')).not.toBe(copyHash('Why? Because of 9 dogs'));
    expect(copyHash('Request 7')).toBe(copyHash('Request 8'));
    expect(copyHash('Request 7:')).not.toBe(copyHash('Request 8:')); // nothing is left of them
    const [text, other] = ['What is a lien? Be brief', 'What is a lien?'];
    expect(copyHash(`${text} 17`)).toBe(copyHash(text));
    expect(copyHash(text)).not.toBe(copyHash(other));
  });

  it('without digits is shared by what differs in numbers alone', () => {
    const numberlessHash = (text: string) => copyHashes(text).numberlessHash;
    expect(numberlessHash('Add 3 to both sides')).toBe(numberlessHash('Add 4 to both sides'));
    expect(numberlessHash('Add 3 to both sides')).not.toBe(numberlessHash('Add 3 to one side'));
  });

  it('takes time in proportion to the text, whatever it is', () => {
    const long = ['((((', 'aa '.repeat(3), 'a1'.repeat(3), '\n. '].map((piece) => piece.repeat(200_000));
    expect(
      cpuMs(() => {
        for (const text of long) copyHash(text);
      }),
    ).toBeLessThan(1000);
  });

  it.each([
    ['another word', 'What is a lien?', 'What is a loan?'],
    ['a word more', 'What is a lien?', 'So what is a lien?'],
    ['a number in the middle', 'Add 3 to both sides', 'Add 4 to both sides'],
    ['other numbers, where there is no letter', '3 + 4', '3 + 5'],
    ['another script', '\u4f60\u597d\uff0c\u4e16\u754c', '\u4f60\u597d\uff0c\u4e16\u4eba'],
  ])('is not shared with %s', (_, text, other) => {
    expect(copyHash(text)).not.toBe(copyHash(other));
  });

  it('is a whole number below 2^53 for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(Number.isSafeInteger(copyHash(text))).toBe(true);
      }),
    );
  });
});
