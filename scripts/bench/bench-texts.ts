import { readFileSync } from 'node:fs';
import { staticTokenizer, type WordPieceTokenizer } from '../../router/encoders/index.ts';

const FILE = new URL('../../training-data/everyday-english.jsonl', import.meta.url);

/** Length of every text, in word pieces: the length that the targets speak of. */
export const PIECES = 64;

interface CaseLine {
  readonly prompt: string | { readonly messages: readonly { readonly content: string }[] };
}

/** Different texts of exactly 64 word pieces, cut one behind the other from everyday prompts. */
export function benchTexts(): readonly string[] {
  const tokenizer = staticTokenizer();
  const lines = readFileSync(FILE, 'utf8').trimEnd().split('\n');
  const prompts = lines.flatMap((line) => {
    const { prompt } = JSON.parse(line) as CaseLine;
    return typeof prompt === 'string' ? [prompt] : [];
  });
  return [...new Set(prompts.flatMap((prompt) => [...pieceRuns(prompt, tokenizer)]))];
}

function* pieceRuns(prompt: string, tokenizer: WordPieceTokenizer): Generator<string> {
  let words: string[] = [];
  for (const word of prompt.split(/(?<=\s)/)) {
    words.push(word);
    const text = words.join('').trim();
    const length = tokenizer.encode(text).length;
    if (length < PIECES) continue;
    if (length === PIECES) yield text;
    words = [];
  }
}
