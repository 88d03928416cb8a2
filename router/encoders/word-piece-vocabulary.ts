import { PlimsollError } from '../errors.ts';

/** The word pieces of a `tokenizer.json`, and how a word is split into them. */
export interface Vocabulary {
  /** By id; at most 65,536. */
  readonly pieces: readonly string[];
  /** @throws PlimsollError `weights-missing` where there is no such piece */
  idOf(piece: string): number;
  /** Greedy longest match first. A word of more than 100 characters, or with a part that no piece covers, is one [UNK]. */
  split(word: string): number[];
}

const MAX_WORD_CHARACTERS = 100; // as BERT has it
const MAX_PIECES = 2 ** 16; // so that an id fits into 16 bits

/** @throws PlimsollError `weights-missing` where the file is of another kind, too large or without [UNK] */
export function readVocabulary(tokenizerJson: Uint8Array): Vocabulary {
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
