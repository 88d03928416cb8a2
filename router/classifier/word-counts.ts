import { DistinctWords, nextHash } from './distinct-words.ts';
import type { TextUnits } from './text-units.ts';
import { endsSentence, isSpace, KIND_OF_UNIT, SPACE } from './unit-kinds.ts';

/** Words are what stands between white space. */
export interface WordCounts {
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
export function wordCounts({ text, units }: TextUnits): WordCounts {
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
