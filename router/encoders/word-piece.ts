import { PlimsollError } from '../errors.ts';

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

const MAX_WORD_CHARACTERS = 100; // BERT: a longer word is [UNK]
const MAX_CACHED_WORDS = 50_000; // bounds memory under hostile traffic; 50,000 words are about 5 MB

/** Most words are one piece; its id alone saves a look into memory that is seldom in the processor's cache. */
type WordIds = number | readonly number[];

/**
 * A tokenizer from the bytes of a Hugging Face `tokenizer.json` whose model is WordPiece with BERT's normaliser
 * (Devlin et al. 2019). Written here because it is the hot path: the word cache makes it several times as fast as a
 * general tokenizer (docs/decisions/0003), and test/encoders compares the two on thousands of texts.
 */
export function createWordPieceTokenizer(tokenizerJson: Uint8Array): WordPieceTokenizer {
  const vocabulary = readVocabulary(tokenizerJson);
  const special = (token: string): number => {
    const id = vocabulary.get(token);
    if (id === undefined) throw new PlimsollError('weights-missing', `tokenizer.json has no ${token} token.`);
    return id;
  };
  const unknownId = special('[UNK]');
  const pieces: string[] = [];
  for (const [piece, id] of vocabulary) pieces[id] = piece;
  const cache = new Map<string, WordIds>();
  let buffer = new Int32Array(1024);

  function piecesOf(word: string): WordIds {
    const known = cache.get(word);
    if (known !== undefined) return known;
    const split = splitWord(word, vocabulary, unknownId);
    const ids = split.length === 1 ? split[0]! : split;
    if (cache.size >= MAX_CACHED_WORDS) cache.clear();
    cache.set(word, ids);
    return ids;
  }

  function encode(text: string): Int32Array {
    const normalised = normalise(text);
    let count = 0;
    const push = (word: string): void => {
      const ids = piecesOf(word);
      const length = typeof ids === 'number' ? 1 : ids.length;
      if (count + length > buffer.length) buffer = grown(buffer, count + length);
      if (typeof ids === 'number') buffer[count++] = ids;
      else for (const id of ids) buffer[count++] = id;
    };
    forEachWord(normalised, push);
    return buffer.slice(0, count);
  }

  return {
    vocabularySize: pieces.length,
    unknownId,
    startId: special('[CLS]'),
    endId: special('[SEP]'),
    encode,
    piece: (id) => pieces[id] ?? '[UNK]',
  };
}

function readVocabulary(tokenizerJson: Uint8Array): Map<string, number> {
  const parsed = JSON.parse(new TextDecoder().decode(tokenizerJson)) as {
    model?: { type?: string; vocab?: Record<string, number> };
  };
  if (parsed.model?.type !== 'WordPiece' || !parsed.model.vocab) {
    throw new PlimsollError('weights-missing', 'tokenizer.json is not a WordPiece tokenizer.');
  }
  return new Map(Object.entries(parsed.model.vocab));
}

function grown(buffer: Int32Array<ArrayBuffer>, needed: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(needed, buffer.length * 2));
  larger.set(buffer);
  return larger;
}

/** Greedy longest match first. A word with a part that no piece covers is one [UNK]. */
function splitWord(word: string, vocabulary: ReadonlyMap<string, number>, unknownId: number): number[] {
  const whole = vocabulary.get(word);
  if (whole !== undefined) return [whole];
  const characters = Array.from(word); // by code point, as the reference counts
  if (characters.length > MAX_WORD_CHARACTERS) return [unknownId];
  const ids: number[] = [];
  for (let start = 0; start < characters.length; ) {
    let end = characters.length;
    let id: number | undefined;
    for (; end > start && id === undefined; end--) {
      const part = characters.slice(start, end).join('');
      id = vocabulary.get(start === 0 ? part : `##${part}`);
    }
    if (id === undefined) return [unknownId];
    ids.push(id);
    start = end + 1;
  }
  return ids;
}

const NOT_PLAIN = /[^\t\n\r\x20-\x7e]/;
/** Not \p{C}: which characters are unassigned depends on the age of the runtime. */
const CONTROL = /[\0\ufffd]|(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu;
const CJK =
  /[\u4e00-\u9fff\u3400-\u4dbf\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

/** BERT's normaliser: control characters out, ideographs apart, accents off, lower case. */
function normalise(text: string): string {
  if (!NOT_PLAIN.test(text)) return text.toLowerCase();
  return text
    .replace(CONTROL, '')
    .replace(CJK, ' $& ')
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase();
}

const SPACE = 0;
const PUNCTUATION = 1;
const LETTER = 2;
const ASCII_CLASS = Uint8Array.from({ length: 128 }, (_, code) => {
  if (code <= 32) return SPACE;
  return /[A-Za-z0-9]/.test(String.fromCharCode(code)) ? LETTER : PUNCTUATION;
});

/** Calls `push` with each run of letters and digits, and with each punctuation mark by itself. */
function forEachWord(text: string, push: (word: string) => void): void {
  let start = -1;
  for (let i = 0; i < text.length; ) {
    const code = text.codePointAt(i)!;
    const width = code > 0xffff ? 2 : 1;
    const kind = code < 128 ? ASCII_CLASS[code]! : classify(code);
    if (kind === LETTER) {
      if (start < 0) start = i;
    } else {
      if (start >= 0) push(text.slice(start, i));
      start = -1;
      if (kind === PUNCTUATION) push(text.slice(i, i + width));
    }
    i += width;
  }
  if (start >= 0) push(text.slice(start));
}

function classify(code: number): number {
  const character = String.fromCodePoint(code);
  if (/\p{White_Space}/u.test(character)) return SPACE;
  return /\p{P}/u.test(character) ? PUNCTUATION : LETTER;
}
