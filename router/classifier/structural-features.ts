import { PlimsollError } from '../errors.ts';
import { smallArrays } from '../small-arrays.ts';
import { type TextCounts, textCounts } from './text-counts.ts';

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
