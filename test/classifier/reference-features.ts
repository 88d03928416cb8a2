import { type SignCounts, signCounts } from './reference-sign-counts.ts';

/**
 * The structural features written down as regular expressions, word strings and a Set: slow and plain. The published artifacts
 * were trained with these formulas, so what serves must come to the same bits.
 */
export function referenceFeatures(text: string): Float32Array {
  const shape = { text, words: text.split(/\s+/).filter((word) => word !== ''), signs: signCounts(text) };
  return Float32Array.from(FORMULAS, (formula) => formula(shape));
}

interface TextShape {
  readonly text: string;
  readonly words: readonly string[];
  readonly signs: SignCounts;
}

const log = Math.log1p;

const NUMBER = /\d+(?:[.,]\d+)*/g;
const LETTERED_OPTION = /^[ \t]*\(?[A-Ja-j][.):]/gm;
const SENTENCE_END = /[.!?。！？](?=\s|$)/g;
const DECIMAL = /\d\.\d/g;
const RELATION_WORD = /\b(?:if|each|every|per|than|when|after|before|then|more|less|remaining|left|rest)\b/gi;
const FRACTION = /\b(?:half|third|quarter|twice|double|triple|times)\b|\d\/\d/gi;

/** In the order of the feature vector. */
const FORMULAS: readonly ((shape: TextShape) => number)[] = [
  ({ text }) => log(text.length),
  ({ words }) => log(words.length),
  meanWordLength,
  ({ text, signs }) => share(signs.digits, text),
  ({ text, signs }) => share(signs.capitals, text),
  ({ signs }) => log(signs.lineBreaks),
  ({ signs }) => log(signs.questionMarks),
  ({ text }) => log(occurrences(text, '```')),
  ({ text, signs }) => share(signs.mathSigns, text),
  ({ text, signs }) => share(signs.codeSigns, text),
  ({ text, signs }) => share(signs.commas, text),
  vocabularyRichness,
  ({ text, signs }) => (signs.digits === 0 ? 0 : log(matches(text, NUMBER))),
  ({ text }) => log(matches(text, LETTERED_OPTION)),
  ({ text, signs }) => share(signs.nonAscii, text),
  ({ text, words }) => log(words.length / Math.max(1, matches(text, SENTENCE_END))),
  ({ text, signs }) => (signs.digits === 0 ? 0 : log(matches(text, DECIMAL))),
  largestNumber,
  ({ text }) => log(matches(text, RELATION_WORD)),
  ({ text }) => log(matches(text, FRACTION)),
];

function meanWordLength({ words }: TextShape): number {
  const letters = words.reduce((total, word) => total + Math.min(word.length, 30), 0);
  return letters / Math.max(1, words.length);
}

function vocabularyRichness({ words }: TextShape): number {
  if (words.length === 0) return 1;
  return new Set(words.map((word) => word.toLowerCase())).size / words.length;
}

function largestNumber({ text, signs }: TextShape): number {
  if (signs.digits === 0) return 0;
  let largest = 0;
  for (const [digits] of text.matchAll(/\d[\d,]*(?:\.\d+)?/g)) {
    largest = Math.max(largest, Number(digits.replaceAll(',', '')));
  }
  return Math.log10(1 + Math.min(largest, 1e12));
}

function share(count: number, text: string): number {
  return count / Math.max(1, text.length);
}

function matches(text: string, pattern: RegExp): number {
  let found = 0;
  pattern.lastIndex = 0;
  while (pattern.test(text)) found++;
  return found;
}

function occurrences(text: string, part: string): number {
  let found = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) found++;
  return found;
}
