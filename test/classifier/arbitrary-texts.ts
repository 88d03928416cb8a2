import fc from 'fast-check';

const SPACES = [
  ...' \t\v\f\n\r\u00a0\u1680\u180e\u2000\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u3000\ufeff',
  '\r\n',
  '\n\n',
];
const SIGNS = [...'`_-+*/\\=$<>%{}()[];:#&|,.!?\'"@~^×√∞،؟，。！？…’“', '```', '````', '``````'];
const NUMBERS = [
  '0',
  '1',
  '7',
  '12',
  '1/2',
  '3.5',
  '1,000',
  '.5',
  '1.2.3',
  '1/2/3',
  '9'.repeat(17),
  '٣',
  '１',
];
const LETTERS = [
  'a',
  'A',
  'b',
  'J',
  'k',
  'K',
  's',
  'S',
  'z',
  'Z',
  'word',
  'Word',
  'WORD',
  'naïve',
  'NAÏVE',
  'ÄÖ',
  'äö',
];
/** Combining and folding letters, the final sigma, letters of two units, and halves of such. */
const FOLDING = [...'İıßẞ\u212aſÅÅåΣσςᾳᾼǅǆ\u0307\u0301\u00ad', 'ΟΔΟΣ', '𐐀', '𐐨', '😀', '\ud800', '\udc00'];
const WORDS =
  'if each every per than when after before then more less remaining left rest half third quarter twice double triple times'
    .split(' ')
    .flatMap((word) => [
      word,
      word.toUpperCase(),
      word[0]!.toUpperCase() + word.slice(1),
      `${word}s`,
      word.slice(1),
      word.slice(0, -1),
    ]);
const OPTIONS = ['A.', '(b)', '\n c:', '\r\t(J)', '\u2028d)', 'k)', '((a)', 'A .'];
const NAMES = ['__proto__', 'constructor', '\0', 'toString'];

const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(' ', ' ', '\n', ...SPACES) },
  { weight: 3, arbitrary: fc.constantFrom(...SIGNS) },
  { weight: 2, arbitrary: fc.constantFrom(...NUMBERS) },
  { weight: 3, arbitrary: fc.constantFrom(...LETTERS) },
  { weight: 2, arbitrary: fc.constantFrom(...FOLDING) },
  { weight: 2, arbitrary: fc.constantFrom(...WORDS) },
  { weight: 1, arbitrary: fc.constantFrom(...OPTIONS, ...NAMES) },
);
/** Pieces of all kinds, in odd neighbourhoods. */
export const rich = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''));
/** Few different units, so that all short orders of them come up. */
export const numeric = fc.string({ unit: fc.constantFrom(...'0123456789,,..// a\n'), maxLength: 40 });
/** Lines that are options of a multiple-choice question, or nearly. */
export const optional = fc.string({
  unit: fc.constantFrom(...'AaJjKk(().):: \t\n\r\u2028\u00a0'),
  maxLength: 30,
});
/** Lone surrogates among them. */
export const binary = fc.string({ unit: 'binary', maxLength: 80 });
