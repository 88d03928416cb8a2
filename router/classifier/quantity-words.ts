import type { TextUnits } from './text-units.ts';
import { isLetter, isWordUnit, KIND_OF_UNIT } from './unit-kinds.ts';

/** English words, in any case, as runs of letters, digits and underscores (\b of regular expressions on both sides). */
export interface QuantityWords {
  /** They tie one quantity to another. */
  readonly relations: number;
  /** Parts and multiples. */
  readonly fractions: number;
}

const RELATIONS = 'if each every per than when after before then more less remaining left rest'.split(' ');
const FRACTIONS = 'half third quarter twice double triple times'.split(' ');

/** States of the automaton. Those behind them stand for the beginnings of the words. */
const NO_WORD = 0;
/** In front of a run; in the last two the run before it was a word. */
const START = 1;
const RELATION_FOUND = 2;
const FRACTION_FOUND = 3;

/** Columns: letters have 1 to 26. */
const BREAK = 0;
const NO_LETTER = 27;
const COLUMNS = 32;

const COLUMN_OF_ASCII = Uint8Array.from({ length: 128 }, (_, unit) => {
  const kind = KIND_OF_UNIT[unit]!;
  if (isLetter(kind)) return unit & 31;
  return isWordUnit(kind) ? NO_LETTER : BREAK;
});

const NEXT_STATE = automaton();

/** One look-up a unit (the words as a trie: Knuth, The Art of Computer Programming 3, section 6.3). */
export function quantityWords({ text, units }: TextUnits): QuantityWords {
  let relations = 0;
  let fractions = 0;
  let state = START;
  for (let i = 0; i <= text.length; i++) {
    const unit = units[i]!;
    state = NEXT_STATE[state * COLUMNS + (unit < 128 ? COLUMN_OF_ASCII[unit]! : BREAK)]!;
    if (state === RELATION_FOUND) relations++;
    else if (state === FRACTION_FOUND) fractions++;
  }
  return { relations, fractions };
}

/** State x column -> state. Short beginnings come first: few words lead any further, so the rows that are read lie together. */
function automaton(): Uint8Array {
  const beginnings = new Set(
    [...RELATIONS, ...FRACTIONS].flatMap((word) => Array.from(word, (_, i) => word.slice(0, i + 1))),
  );
  const beginningOf = ['-', '', '', '', ...[...beginnings].sort((a, b) => a.length - b.length)];
  const next = new Uint8Array(beginningOf.length * COLUMNS).fill(NO_WORD);
  beginningOf.forEach((beginning, state) => {
    next[state * COLUMNS + BREAK] = foundAtEnd(beginning);
    for (const letter of 'abcdefghijklmnopqrstuvwxyz') {
      const longer = beginningOf.indexOf(beginning + letter);
      if (longer >= 0) next[state * COLUMNS + (letter.charCodeAt(0) & 31)] = longer;
    }
  });
  return next;
}

function foundAtEnd(run: string): number {
  if (RELATIONS.includes(run)) return RELATION_FOUND;
  return FRACTIONS.includes(run) ? FRACTION_FOUND : START;
}
