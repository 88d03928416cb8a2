import { smallArrays } from '../small-arrays.ts';
import { normalise, PUNCTUATION, UNCLEAR, UNIT_KINDS } from './bert-normaliser.ts';
import { createKnownWords } from './known-words.ts';
import { readVocabulary } from './word-piece-vocabulary.ts';

/** Text -> word-piece ids of BERT's uncased vocabulary. */
export interface WordPieceTokenizer {
  readonly vocabularySize: number;
  readonly unknownId: number;
  readonly startId: number;
  readonly endId: number;
  /** Ids without special tokens. May be empty (white space, control characters only). */
  encode(text: string): Int32Array;
  /** The piece that an id stands for, `##` in front of a continuation. */
  piece(id: number): string;
}

/**
 * A tokenizer from the bytes of a Hugging Face `tokenizer.json` whose model is WordPiece with BERT's normaliser
 * (Devlin et al. 2019). Written here because it is the hot path: one pass over the text, without a string for each word, is many times as
 * fast as a general tokenizer (docs/decisions/0003), and test/encoders compares the two on thousands of texts.
 * @throws PlimsollError `weights-missing` where the file is of another kind
 */
export function createWordPieceTokenizer(tokenizerJson: Uint8Array): WordPieceTokenizer {
  const vocabulary = readVocabulary(tokenizerJson);
  const unknownId = vocabulary.idOf('[UNK]');
  const known = createKnownWords();
  const { word } = known;
  const idArray = smallArrays(Int32Array);
  let ids = new Int32Array(1024); // of the text that is being read

  function encode(text: string): Int32Array {
    let count = write(text, false);
    if (count < 0) count = write(normalise(text), true);
    const found = idArray(count);
    for (let i = 0; i < count; i++) found[i] = ids[i]!;
    return found;
  }

  /** Writes the ids of a text to `ids`. Returns how many; -1 where the text has to be normalised first. */
  function write(text: string, normalised: boolean): number {
    if (text.length > ids.length) ids = new Int32Array(text.length); // a piece has one unit at least
    let count = 0;
    let length = 0; // of the word that is being read; 0 between words
    let hash = 0;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      let kind = unit < UNIT_KINDS.length ? UNIT_KINDS[unit]! : UNCLEAR;
      if (kind === UNCLEAR) {
        if (!normalised) return -1;
        kind = unit;
      }
      if (kind > UNCLEAR) {
        if (length < word.length) word[length] = kind;
        hash = hashed(hash, kind);
        length++;
        continue;
      }
      if (length > 0) count += writeWord(length, hash, count);
      length = 0;
      hash = 0;
      if (kind === PUNCTUATION) count += writeMark(unit, count);
    }
    return length > 0 ? count + writeWord(length, hash, count) : count;
  }

  function writeMark(unit: number, at: number): number {
    word[0] = unit;
    return writeWord(1, hashed(0, unit), at);
  }

  /** Writes the ids of the word that was read to `ids`, from `at` on. Returns how many. */
  function writeWord(length: number, hash: number, at: number): number {
    return known.copyIds(length, hash, ids, at) || writeNewWord(length, hash, at);
  }

  function writeNewWord(length: number, hash: number, at: number): number {
    if (length > word.length) {
      ids[at] = unknownId;
      return 1;
    }
    const split = vocabulary.split(String.fromCharCode(...word.subarray(0, length)));
    known.remember(length, hash, split);
    ids.set(split, at);
    return split.length;
  }

  return {
    vocabularySize: vocabulary.pieces.length,
    unknownId,
    startId: vocabulary.idOf('[CLS]'),
    endId: vocabulary.idOf('[SEP]'),
    encode,
    piece: (id) => vocabulary.pieces[id] ?? '[UNK]',
  };
}

/** FNV-1a, a UTF-16 unit a step. */
function hashed(hash: number, unit: number): number {
  return Math.imul(hash ^ unit, 0x01000193);
}
