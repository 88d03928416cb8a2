import { letteredOptions } from './lettered-options.ts';
import { type NumberCounts, numberCounts } from './number-counts.ts';
import { type QuantityWords, quantityWords } from './quantity-words.ts';
import { type TextUnits, textUnits } from './text-units.ts';
import * as kind from './unit-kinds.ts';
import { type WordCounts, wordCounts } from './word-counts.ts';

/** What the features are computed from. Characters are UTF-16 units. */
export interface TextCounts {
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
export function textCounts(text: string): TextCounts {
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
