import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { featureExtractor, STRUCTURAL_FEATURES } from '../../router/classifier/structural-features.ts';

const log = Math.log1p;

/** The order is that of the vectors in artifacts that exist: a change makes them unreadable. */
const NAMES = [
  'characters_log',
  'words_log',
  'mean_word_length',
  'digit_share',
  'capital_share',
  'line_breaks_log',
  'question_marks_log',
  'code_fences_log',
  'math_sign_share',
  'code_sign_share',
  'comma_share',
  'vocabulary_richness',
  'numbers_log',
  'lettered_options_log',
  'non_ascii_share',
  'sentence_length_log',
  'decimals_log',
  'largest_number_log',
  'relation_words_log',
  'fraction_words_log',
];

const EXAMPLES: readonly (readonly [string, string, number])[] = [
  ['characters_log', 'abcd efg', log(8)],
  ['characters_log', '🙂', log(2)], // UTF-16 units
  ['words_log', ' two\n\twords ', log(2)],
  ['words_log', '', 0],
  ['mean_word_length', 'a bcd ef', 2],
  ['mean_word_length', `ab ${'x'.repeat(500)}`, 16], // (2 + 30) / 2
  ['mean_word_length', '  ', 0],
  ['digit_share', 'a1b2', 0.5],
  ['digit_share', '٣٤', 0], // Arabic digits are no ASCII digits
  ['capital_share', 'ABcÄ', 0.5],
  ['line_breaks_log', 'a\n\nb\r\nc', log(3)],
  ['question_marks_log', 'a? b？ c؟ d!', log(3)],
  ['code_fences_log', '```js\nx\n``` and ``', log(2)],
  ['math_sign_share', '1+1=2', 2 / 5],
  ['math_sign_share', '√π∑x', 3 / 4],
  ['code_sign_share', 'f(x);', 3 / 5],
  ['comma_share', 'a,b，c،', 3 / 6],
  ['vocabulary_richness', 'The the THE end', 0.5],
  ['vocabulary_richness', ' ', 1],
  ['numbers_log', '1,000.5 and 3.14, then 7', log(3)],
  ['lettered_options_log', 'Q?\nA. one\n (b) two\nc: three\nD four\nAB. five', log(3)],
  ['non_ascii_share', 'naïv', 0.25],
  ['sentence_length_log', 'One two three. Four five six? Yes', log(7 / 2)],
  ['sentence_length_log', 'v1.2 is out', log(3)], // no end of a sentence: one sentence
  ['sentence_length_log', 'See v1.2 or v1.3. Then go!', log(6 / 2)],
  ['decimals_log', 'It costs 3.50 or 4.25 euros, not 5.', log(2)],
  ['largest_number_log', 'Between 12 and 1,250.5 apples', Math.log10(1251.5)],
  ['largest_number_log', `A number of many digits: ${'9'.repeat(400)}`, Math.log10(1 + 1e12)],
  ['largest_number_log', 'no number', 0],
  ['relation_words_log', 'If each box holds 3 more than the last, how many are left?', log(5)],
  ['fraction_words_log', 'Half of it, then twice 3/4', log(3)],
];

function featureOf(name: string, text: string): number {
  return featureExtractor([name]).extract(text)[0]!;
}

describe('structural features', () => {
  it('have these names in this order, none of them twice', () => {
    expect(STRUCTURAL_FEATURES).toEqual(NAMES);
    expect(new Set(NAMES).size).toBe(NAMES.length);
  });

  it.each(EXAMPLES)('%s of %j is %d', (name, text, expected) => {
    expect(featureOf(name, text)).toBeCloseTo(expected, 6);
  });

  it('each have an example by hand', () => {
    expect(new Set(EXAMPLES.map(([name]) => name))).toEqual(new Set(NAMES));
  });

  it('are finite and not negative for every string, and shares are no more than 1', () => {
    const extractor = featureExtractor();
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({ maxLength: 300 }),
      fc
        .array(fc.constantFrom('\ud800', '\udc00', '\0', '```', '\n', 'A)', '?', '1,0', ' ', '∑'), {
          maxLength: 60,
        })
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (value) => {
        extractor.extract(value).forEach((x, i) => {
          expect(Number.isFinite(x) && x >= 0).toBe(true);
          if (NAMES[i]!.endsWith('_share') || NAMES[i] === 'vocabulary_richness')
            expect(x).toBeLessThanOrEqual(1);
        });
      }),
      { numRuns: 500, seed: 1 },
    );
  });
});

describe('featureExtractor', () => {
  it('keeps the order of the names that it is given', () => {
    const extractor = featureExtractor(['comma_share', 'words_log']);
    expect(extractor.names).toEqual(['comma_share', 'words_log']);
    expect(Array.from(extractor.extract('a, b'))).toEqual([0.25, Math.fround(log(2))]);
  });

  it('gives a vector of its own for every text', () => {
    const extractor = featureExtractor(['words_log']);
    const vectors = Array.from({ length: 200 }, (_, i) => extractor.extract('a '.repeat(i)));
    expect(vectors.map((vector) => vector[0])).toEqual(vectors.map((_, i) => Math.fround(log(i))));
  });

  it('refuses a name that it does not know', () => {
    expect(() => featureExtractor(['words_log', 'emoji_share'])).toThrow(
      expect.objectContaining({
        code: 'invalid-artifact',
        message: expect.stringContaining('"emoji_share"'),
      }),
    );
  });
});
