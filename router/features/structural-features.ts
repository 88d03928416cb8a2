import { type SignCounts, signCounts } from './sign-counts.ts';

/** What the features are computed from: the routed text, its words and signs, split and counted once for all of them. */
export interface TextShape {
  readonly text: string;
  readonly words: readonly string[];
  readonly signs: SignCounts;
}

export interface StructuralFeature {
  /** Stands in the manifest; a rename is a new feature. */
  readonly name: string;
  /** Finite for every string, the empty one included. */
  readonly of: (shape: TextShape) => number;
}

export function textShape(text: string): TextShape {
  return { text, words: text.split(/\s+/).filter((word) => word !== ''), signs: signCounts(text) };
}

/** Counts grow without bound and matter by ratio, so they enter as log(1 + count); shares are 0..1 of the characters. */
const log = Math.log1p;

function characters({ text }: TextShape): number {
  return log(text.length);
}

function words(shape: TextShape): number {
  return log(shape.words.length);
}

/** Characters a word; long words go with technical prose. Capped, so that one base64 blob does not decide. */
function meanWordLength(shape: TextShape): number {
  const letters = shape.words.reduce((total, word) => total + Math.min(word.length, 30), 0);
  return letters / Math.max(1, shape.words.length);
}

function digitShare({ text, signs }: TextShape): number {
  return share(signs.digits, text);
}

function capitalShare({ text, signs }: TextShape): number {
  return share(signs.capitals, text);
}

function lineBreaks({ signs }: TextShape): number {
  return log(signs.lineBreaks);
}

function questionMarks({ signs }: TextShape): number {
  return log(signs.questionMarks);
}

/** Markdown code fences, opened or closed. */
function codeFences({ text }: TextShape): number {
  return log(occurrences(text, '```'));
}

function mathSignShare({ text, signs }: TextShape): number {
  return share(signs.mathSigns, text);
}

/** Brackets, semicolons and the like; separates code and markup from prose with numbers in it. */
function codeSignShare({ text, signs }: TextShape): number {
  return share(signs.codeSigns, text);
}

function commaShare({ text, signs }: TextShape): number {
  return share(signs.commas, text);
}

/** Different words / words, after lower case: the type-token ratio. 1 for a text without words. */
function vocabularyRichness(shape: TextShape): number {
  if (shape.words.length === 0) return 1;
  return new Set(shape.words.map((word) => word.toLowerCase())).size / shape.words.length;
}

/** Runs of digits; a decimal point or a thousands separator inside does not end one. */
function numbers({ text, signs }: TextShape): number {
  return signs.digits === 0 ? 0 : log(matches(text, NUMBER));
}

const NUMBER = /\d+(?:[.,]\d+)*/g;

/** Lines that start with a letter and a bracket, full stop or colon: the options of a multiple-choice question. */
function letteredOptions({ text }: TextShape): number {
  return log(matches(text, LETTERED_OPTION));
}

const LETTERED_OPTION = /^[ \t]*\(?[A-Ja-j][.):]/gm;

/** Characters outside ASCII: other scripts, typographic marks, symbols. */
function nonAsciiShare({ text, signs }: TextShape): number {
  return share(signs.nonAscii, text);
}

/** Words a sentence, as a log; sentences end at . ! or ? before white space or the end. */
function sentenceLength(shape: TextShape): number {
  return log(shape.words.length / Math.max(1, matches(shape.text, SENTENCE_END)));
}

const SENTENCE_END = /[.!?。！？](?=\s|$)/g;

/** Runs of digits with a decimal point: money, measures, rates. */
function decimals({ text, signs }: TextShape): number {
  return signs.digits === 0 ? 0 : log(matches(text, DECIMAL));
}

const DECIMAL = /\d\.\d/g;

/** log10(1 + the largest number in the text), numbers above 10^12 counted as 10^12. */
function largestNumber({ text, signs }: TextShape): number {
  if (signs.digits === 0) return 0;
  let largest = 0;
  for (const [digits] of text.matchAll(/\d[\d,]*(?:\.\d+)?/g)) {
    largest = Math.max(largest, Number(digits.replaceAll(',', '')));
  }
  return Math.log10(1 + Math.min(largest, 1e12));
}

/** English words that tie one quantity to another: each adds a step to the reasoning. */
function relationWords({ text }: TextShape): number {
  return log(matches(text, RELATION_WORD));
}

const RELATION_WORD = /\b(?:if|each|every|per|than|when|after|before|then|more|less|remaining|left|rest)\b/gi;

/** English words for parts and multiples, and fractions in digits. */
function fractionWords({ text }: TextShape): number {
  return log(matches(text, FRACTION));
}

const FRACTION = /\b(?:half|third|quarter|twice|double|triple|times)\b|\d\/\d/gi;

/** The order is the order of the feature vector. Which of them earn their place: docs/EXPERIMENTS.md. */
export const STRUCTURAL_FEATURES: readonly StructuralFeature[] = [
  { name: 'characters_log', of: characters },
  { name: 'words_log', of: words },
  { name: 'mean_word_length', of: meanWordLength },
  { name: 'digit_share', of: digitShare },
  { name: 'capital_share', of: capitalShare },
  { name: 'line_breaks_log', of: lineBreaks },
  { name: 'question_marks_log', of: questionMarks },
  { name: 'code_fences_log', of: codeFences },
  { name: 'math_sign_share', of: mathSignShare },
  { name: 'code_sign_share', of: codeSignShare },
  { name: 'comma_share', of: commaShare },
  { name: 'vocabulary_richness', of: vocabularyRichness },
  { name: 'numbers_log', of: numbers },
  { name: 'lettered_options_log', of: letteredOptions },
  { name: 'non_ascii_share', of: nonAsciiShare },
  { name: 'sentence_length_log', of: sentenceLength },
  { name: 'decimals_log', of: decimals },
  { name: 'largest_number_log', of: largestNumber },
  { name: 'relation_words_log', of: relationWords },
  { name: 'fraction_words_log', of: fractionWords },
];

function share(count: number, text: string): number {
  return count / Math.max(1, text.length);
}

/** @param pattern global, and matching at least one character. Counted without making a list: this runs for every request */
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
