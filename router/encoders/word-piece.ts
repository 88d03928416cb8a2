import { PlimsollError } from '../errors.ts';
import { smallArrays } from '../small-arrays.ts';

/** Text -> word-piece ids of BERT's uncased vocabulary. */
export interface WordPieceTokenizer {
  readonly vocabularySize: number;
  readonly unknownId: number;
  readonly startId: number;
  readonly endId: number;
  /** Ids without special tokens. May be empty (white space, control characters only). */
  encode(text: string): Int32Array;
  /** The piece with an id; a continuation starts with `##`. */
  piece(id: number): string;
}

/**
 * A tokenizer from the bytes of a Hugging Face `tokenizer.json` whose model is WordPiece with BERT's normaliser
 * (Devlin et al. 2019). Written here because it is the hot path: one pass over the text, without a string for each word, is many times as
 * fast as a general tokenizer (docs/decisions/0003), and test/encoders compares the two on thousands of texts.
 * @throws PlimsollError `weights-missing` if the file is of another kind
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

  /** Writes the ids of a text to `ids`. Returns how many; -1 if the text has to be normalised first. */
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

/** Accents and control characters. Not \p{C}: which characters are unassigned depends on the age of the runtime. */
const DROPPED = /[\0\ufffd]|(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Mn}]/gu;
/** Ideographs and punctuation. */
const APART =
  /[\u4e00-\u9fff\u3400-\u4dbf\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2ceaf}\u{2f800}-\u{2fa1f}]|\p{P}/gu;
const OTHER_SPACE = /[^\S ]/g;
const ASCII_SIGN = /^[!-/:-@[-`{-~]$/; // all are punctuation to BERT, $ and + too

/**
 * BERT's normaliser: control characters out, ideographs apart, accents off, lower case. Punctuation beyond ASCII is set apart as well, and white
 * space is U+0020 alone.
 */
export function normalise(text: string): string {
  return text
    .normalize('NFD')
    .replace(DROPPED, '')
    .toLowerCase()
    .replace(APART, ' $& ')
    .replace(OTHER_SPACE, ' ');
}

/** What a UTF-16 unit is: one of these, or else part of a word, and then the unit that the normaliser makes of it. */
const SPACE = 0;
const PUNCTUATION = 1;
/** Only the normaliser can tell: its neighbours decide what it becomes, or it is removed. */
const UNCLEAR = 2;

/**
 * The kinds of the units below U+2070: of ASCII, Latin letters up to U+017F and the punctuation from U+2000 on, hence of nearly all that is
 * written in English. What the normaliser makes of these does not depend on their neighbours.
 */
const UNIT_KINDS = Uint16Array.from({ length: 0x2070 }, (_, unit) =>
  unit < 0x180 || unit >= 0x2000 ? kindOf(unit) : UNCLEAR,
);

function kindOf(unit: number): number {
  const normal = normalise(String.fromCharCode(unit));
  const only = normal.trim();
  if (only === '') return normal === '' ? UNCLEAR : SPACE;
  if (normal.length > 1 || ASCII_SIGN.test(only)) return PUNCTUATION;
  return only.charCodeAt(0);
}

/** The word pieces of a `tokenizer.json`, and how a word is split into them. */
interface Vocabulary {
  /** By id; at most 65,536. */
  readonly pieces: readonly string[];
  /** @throws PlimsollError `weights-missing` if there is no such piece */
  idOf(piece: string): number;
  /** Greedy longest match first. A word of more than 100 characters, or with a part that no piece covers, is one [UNK]. */
  split(word: string): number[];
}

const MAX_WORD_CHARACTERS = 100; // as BERT has it
const MAX_PIECES = 2 ** 16; // so that an id fits into 16 bits

/** @throws PlimsollError `weights-missing` if the file is of another kind, too large or without [UNK] */
function readVocabulary(tokenizerJson: Uint8Array): Vocabulary {
  const ids = new Map(Object.entries(readPieces(tokenizerJson)));
  const pieces: string[] = [];
  let longest = 0;
  for (const [piece, id] of ids) {
    pieces[id] = piece;
    longest = Math.max(longest, piece.length);
  }
  if (pieces.length > MAX_PIECES) throw unusable(`has more than ${MAX_PIECES} pieces`);

  function idOf(piece: string): number {
    const id = ids.get(piece);
    if (id === undefined) throw unusable(`has no ${piece} token`);
    return id;
  }
  const unknownId = idOf('[UNK]');

  function split(word: string): number[] {
    if (Array.from(word).length > MAX_WORD_CHARACTERS) return [unknownId];
    const found: number[] = [];
    for (let start = 0; start < word.length; ) {
      let end = Math.min(word.length, start + longest);
      let id = pieceAt(word, start, end);
      while (id === undefined && --end > start) id = pieceAt(word, start, end);
      if (id === undefined) return [unknownId];
      found.push(id);
      start = end;
    }
    return found;
  }

  function pieceAt(word: string, start: number, end: number): number | undefined {
    const part = word.slice(start, end);
    return ids.get(start === 0 ? part : `##${part}`);
  }

  return { pieces, idOf, split };
}

function readPieces(tokenizerJson: Uint8Array): Record<string, number> {
  const { model } = JSON.parse(new TextDecoder().decode(tokenizerJson)) as {
    model?: { type?: string; vocab?: Record<string, number> };
  };
  if (model?.type !== 'WordPiece' || !model.vocab) throw unusable('is not a WordPiece tokenizer');
  return model.vocab;
}

function unusable(why: string): PlimsollError {
  return new PlimsollError('weights-missing', `tokenizer.json ${why}.`);
}

/** UTF-16 units of the longest word that can be remembered: BERT takes no more than 100 characters, of two units at most. */
const MAX_UNITS = 200;
const SLOTS = 2 ** 16; // a power of two; 256 KB
const ROOM = 2 ** 18; // times 16 bits, 512 KB: about 25,000 words
const MAX_PROBES = 8;

/** Words and the ids of their pieces. A hash is of the whole word and may be any 32 bits. */
export interface KnownWords {
  /** The word that is asked for: written here unit by unit, as it is read. */
  readonly word: Uint16Array;
  /**
   * Copies the ids of the first `length` units of `word` to `ids`, from `at` on.
   * @returns how many; 0 if the word is not known.
   */
  copyIds(length: number, hash: number, ids: Int32Array, at: number): number;
  /** From now on the first `length` units of `word` have these ids, each below 65,536. */
  remember(length: number, hash: number, ids: readonly number[]): void;
}

/**
 * Words are found without making strings of them: a hash table with open addressing (Knuth, The Art of Computer Programming 3, section 6.4)
 * over entries that stand one behind the other in a single array, the first and mostly common ones side by side. An entry is the number of
 * units, the number of ids, the ids, the units. What is compared are the units, never hashes alone.
 *
 * Memory is bounded: if the array is full all is forgotten. So is time: a word is looked for in eight slots, and if others have them
 * it takes the first. Words that are made to collide therefore cost what any unknown word costs, and the hash needs no secret seed.
 */
export function createKnownWords(): KnownWords {
  const word = new Uint16Array(MAX_UNITS);
  const slots = new Uint32Array(SLOTS); // where the entry begins; 0 where there is none
  const entries = new Uint16Array(ROOM);
  let end = 1;

  function copyIds(length: number, hash: number, ids: Int32Array, at: number): number {
    for (let probe = 0; probe < MAX_PROBES; probe++) {
      const entry = slots[(hash + probe) & (SLOTS - 1)]!;
      if (entry === 0) return 0;
      if (!isWord(entry, length)) continue;
      const count = entries[entry + 1]!;
      for (let i = 0; i < count; i++) ids[at + i] = entries[entry + 2 + i]!;
      return count;
    }
    return 0;
  }

  function isWord(entry: number, length: number): boolean {
    if (entries[entry] !== length) return false;
    const units = entry + 2 + entries[entry + 1]!;
    for (let i = 0; i < length; i++) {
      if (entries[units + i] !== word[i]) return false;
    }
    return true;
  }

  function remember(length: number, hash: number, ids: readonly number[]): void {
    const size = 2 + ids.length + length;
    if (end + size > ROOM) {
      slots.fill(0);
      end = 1;
    }
    slots[freeSlot(hash)] = end;
    entries.set([length, ids.length, ...ids], end);
    entries.set(word.subarray(0, length), end + size - length);
    end += size;
  }

  function freeSlot(hash: number): number {
    for (let probe = 0; probe < MAX_PROBES; probe++) {
      const slot = (hash + probe) & (SLOTS - 1);
      if (slots[slot] === 0) return slot;
    }
    return hash & (SLOTS - 1);
  }

  return { word, copyIds, remember };
}
