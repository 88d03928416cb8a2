import { PlimsollError } from '../errors.ts';
import { smallArrays } from '../small-arrays.ts';
import * as kind from './text-units.ts';
import {
  DIGIT,
  DistinctWords,
  endsLine,
  endsSentence,
  isSpace,
  KIND_OF_UNIT,
  nextHash,
  type QuantityWords,
  quantityWords,
  SPACE,
  type TextUnits,
  textUnits,
} from './text-units.ts';

/** What the features are computed from. Characters are UTF-16 units. */
interface TextCounts {
  readonly characters: number;
  /** Outside ASCII; those that are signs of the kinds below count there as well. */
  readonly nonAscii: number;
  readonly digits: number;
  readonly capitals: number;
  readonly lineFeeds: number;
  readonly questionMarks: number;
  readonly mathSigns: number;
  readonly codeSigns: number;
  readonly commas: number;
  readonly codeFences: number;
  readonly letteredOptions: number;
  readonly words: WordCounts;
  readonly quantityWords: QuantityWords;
  readonly numbers: NumberCounts;
}

/** Reads the string once; what is counted beyond kinds of units reads the units, each in a small pass of its own. */
function textCounts(text: string): TextCounts {
  const units = textUnits(text);
  const { kinds } = units;
  return {
    characters: text.length,
    nonAscii: units.nonAscii,
    digits: kinds[kind.DIGIT]!,
    capitals: kinds[kind.CAPITAL]!,
    lineFeeds: kinds[kind.LINE_FEED]!,
    questionMarks: kinds[kind.QUESTION_MARK]! + kinds[kind.OTHER_QUESTION_MARK]!,
    mathSigns: kinds[kind.MATH_SIGN]!,
    codeSigns: kinds[kind.CODE_SIGN]! + kinds[kind.UNDERSCORE]!,
    commas: kinds[kind.COMMA]!,
    codeFences: codeFences(units),
    letteredOptions: letteredOptions(units),
    words: wordCounts(units),
    quantityWords: quantityWords(units),
    numbers: numberCounts(units),
  };
}

const FENCE = '```';

/** Three backticks, opened or closed. Six in a row are two. */
function codeFences({ text, kinds }: TextUnits): number {
  if (kinds[kind.BACKTICK]! < FENCE.length) return 0;
  let found = 0;
  for (let at = text.indexOf(FENCE); at >= 0; at = text.indexOf(FENCE, at + FENCE.length)) found++;
  return found;
}

/** Words are separated by white space. */
interface WordCounts {
  readonly count: number;
  /** In all of them; a longer word counts as LONG_WORD, so that one base64 blob does not decide. */
  readonly characters: number;
  /** After lower case. */
  readonly different: number;
  /** Words that end in . ! or ? */
  readonly sentenceEnds: number;
}

const LONG_WORD = 30;

const distinctWords = new DistinctWords();

/** One pass over the units. Only a word outside ASCII is made a string, to get its lower case. */
function wordCounts({ text, units }: TextUnits): WordCounts {
  distinctWords.clear(units, text.length);
  let count = 0;
  let characters = 0;
  let sentenceEnds = 0;
  let start = 0;
  let hash = 0;
  let allBits = 0;
  let previous = SPACE;
  for (let i = 0; i <= text.length; i++) {
    const unit = units[i]!;
    const kind = KIND_OF_UNIT[unit]!;
    if (!isSpace(kind)) {
      hash = nextHash(hash, unit);
      allBits |= unit;
    } else {
      if (i > start) {
        count++;
        characters += Math.min(i - start, LONG_WORD);
        if (endsSentence(previous)) sentenceEnds++;
        if (allBits < 128) distinctWords.add(hash, start, i - start);
        else distinctWords.addString(text.slice(start, i).toLowerCase());
      }
      start = i + 1;
      hash = 0;
      allBits = 0;
    }
    previous = kind;
  }
  return { count, characters, different: distinctWords.size, sentenceEnds };
}

/** What a text says in digits. */
interface NumberCounts {
  /** Runs of digits; a decimal point or a thousands separator inside does not end one. */
  readonly count: number;
  /** Points between two digits; 1.2.3 has one, as no digit counts twice. */
  readonly decimals: number;
  /** Slashes between two digits, in the same way. */
  readonly fractions: number;
  /** 0 if there is no number; Infinity if one is beyond what doubles hold. */
  readonly largest: number;
}

const NO_NUMBERS: NumberCounts = { count: 0, decimals: 0, fractions: 0, largest: 0 };

const ZERO = 0x30;
const NINE = 0x39;
const COMMA = 0x2c;
const POINT = 0x2e;
const SLASH = 0x2f;

/** One pass over the units; none if there is no digit. */
function numberCounts(text: TextUnits): NumberCounts {
  return text.kinds[DIGIT] === 0 ? NO_NUMBERS : countNumbers(text);
}

function countNumbers({ text, units }: TextUnits): NumberCounts {
  const counts = { count: 0, decimals: 0, fractions: 0, largest: 0 };
  let lastDigit = -2;
  let decimalEnd = -1;
  let fractionEnd = -1;
  let numberEnd = 0;
  for (let i = 0; i < text.length; i++) {
    if (!isDigit(units[i]!)) continue;
    if (lastDigit < i - 1) {
      const joint = lastDigit === i - 2 ? units[i - 1]! : 0;
      if (joint !== POINT && joint !== COMMA) counts.count++;
      if (joint === POINT && lastDigit > decimalEnd) {
        counts.decimals++;
        decimalEnd = i;
      }
      if (joint === SLASH && lastDigit > fractionEnd) {
        counts.fractions++;
        fractionEnd = i;
      }
      if (i >= numberEnd) {
        numberEnd = endOfNumber(units, i);
        counts.largest = Math.max(counts.largest, numberBetween(text, units, i, numberEnd));
      }
    }
    lastDigit = i;
  }
  return counts;
}

/** Behind digits with thousands separators, and the decimals if there are some. */
function endOfNumber(units: Uint16Array, start: number): number {
  let hasPoint = false;
  for (let end = start + 1; ; end++) {
    const unit = units[end]!;
    if (isDigit(unit) || (unit === COMMA && !hasPoint)) continue;
    if (unit !== POINT || hasPoint || !isDigit(units[end + 1]!)) return end;
    hasPoint = true;
  }
}

/**
 * The double nearest to the number. It is the quotient of two integers if doubles hold both exactly (Clinger 1990, How to
 * read floating point numbers accurately); the others are left to `Number`, which needs a string.
 */
function numberBetween(text: string, units: Uint16Array, start: number, end: number): number {
  let digits = 0;
  let scale = 1;
  let step = 1;
  for (let i = start; i < end; i++) {
    const unit = units[i]!;
    if (unit === POINT) step = 10;
    if (!isDigit(unit)) continue;
    digits = digits * 10 + (unit - ZERO);
    scale *= step;
  }
  const exact = digits <= Number.MAX_SAFE_INTEGER && scale <= 1e22;
  return exact ? digits / scale : Number(text.slice(start, end).replaceAll(',', ''));
}

function isDigit(unit: number): boolean {
  return unit >= ZERO && unit <= NINE;
}

const TAB = 0x09;
const SPACE_UNIT = 0x20;
const OPENING_BRACKET = 0x28;
const CLOSING_BRACKET = 0x29;
const FULL_STOP_UNIT = 0x2e;
const COLON = 0x3a;
const SMALL_A = 0x61;
const SMALL_J = 0x6a;

/** Lines that start with a letter up to J and a bracket, full stop or colon: the options of a multiple-choice question. */
function letteredOptions({ text, units }: TextUnits): number {
  let found = 0;
  for (let i = 0; i < text.length; i++) {
    if (isLetteredOption(units, i)) found++;
    while (!endsLine(KIND_OF_UNIT[units[i]!]!)) i++;
  }
  return found;
}

function isLetteredOption(units: Uint16Array, lineStart: number): boolean {
  let at = lineStart;
  while (units[at] === SPACE_UNIT || units[at] === TAB) at++;
  if (units[at] === OPENING_BRACKET) at++;
  const letter = units[at]!;
  if (letter < SMALL_A || letter > SMALL_J) return false;
  const mark = units[at + 1]!;
  return mark === CLOSING_BRACKET || mark === FULL_STOP_UNIT || mark === COLON;
}

/** Text -> structural features, in a fixed order. */
export interface FeatureExtractor {
  readonly names: readonly string[];
  /** A vector of its own for every call. */
  extract(text: string): Float32Array;
}

/**
 * The extractor for the features with these names, in this order (a manifest's list; all of them if it is left out).
 * @throws PlimsollError `invalid-artifact` if this version does not know a name.
 */
export function featureExtractor(names: readonly string[] = STRUCTURAL_FEATURES): FeatureExtractor {
  const features = names.map(featureNamed);
  const vector = smallArrays(Float32Array);
  return {
    names: [...names],
    extract(text) {
      const values = vector(features.length);
      const all = structuralFeatures(textCounts(text));
      for (let i = 0; i < features.length; i++) values[i] = all[features[i]!];
      return values;
    },
  };
}

function featureNamed(name: string): StructuralFeature {
  const feature = STRUCTURAL_FEATURES.find((known) => known === name);
  if (!feature) {
    throw new PlimsollError(
      'invalid-artifact',
      `The artifact uses the structural feature "${name}", which this version of Plimsoll does not have. Retrain it, or use the version that made it.`,
    );
  }
  return feature;
}

/** Counts grow without bound and matter by ratio, so they enter as log(1 + count); shares are 0..1 of the characters. */
const log = Math.log1p;

/**
 * The features by name, each finite for every string, the empty one included. Names stand in the manifest: a rename is a new
 * feature. The order is that of the feature vector. Which of them earn their place: docs/EXPERIMENTS.md.
 */
function structuralFeatures(counts: TextCounts) {
  const { words, quantityWords, numbers } = counts;
  const characters = Math.max(1, counts.characters);
  return {
    characters_log: log(counts.characters),
    words_log: log(words.count),
    /** Characters a word; long words go with technical prose. */
    mean_word_length: words.characters / Math.max(1, words.count),
    digit_share: counts.digits / characters,
    capital_share: counts.capitals / characters,
    line_breaks_log: log(counts.lineFeeds),
    question_marks_log: log(counts.questionMarks),
    /** Markdown code fences. */
    code_fences_log: log(counts.codeFences),
    math_sign_share: counts.mathSigns / characters,
    /** Brackets, semicolons and the like; separates code and markup from prose with numbers in it. */
    code_sign_share: counts.codeSigns / characters,
    comma_share: counts.commas / characters,
    /** Different words / words: the type-token ratio. 1 for a text without words. */
    vocabulary_richness: words.count === 0 ? 1 : words.different / words.count,
    numbers_log: log(numbers.count),
    lettered_options_log: log(counts.letteredOptions),
    /** Other scripts, typographic marks, symbols. */
    non_ascii_share: counts.nonAscii / characters,
    /** Words a sentence. */
    sentence_length_log: log(words.count / Math.max(1, words.sentenceEnds)),
    /** Money, measures, rates. */
    decimals_log: log(numbers.decimals),
    /** log10(1 + the largest number in the text), numbers above 10^12 counted as 10^12. */
    largest_number_log: Math.log10(1 + Math.min(numbers.largest, 1e12)),
    /** Words that tie one quantity to another: each adds a step to the reasoning. */
    relation_words_log: log(quantityWords.relations),
    /** Words for parts and multiples, and fractions in digits. */
    fraction_words_log: log(quantityWords.fractions + numbers.fractions),
  };
}

type StructuralFeature = keyof ReturnType<typeof structuralFeatures>;

/** Their names, in the order of the feature vector. */
export const STRUCTURAL_FEATURES = Object.keys(structuralFeatures(textCounts(''))) as StructuralFeature[];
