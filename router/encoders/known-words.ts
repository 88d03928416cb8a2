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
   * @returns how many; 0 where the word is not known.
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
 * Memory is bounded: where the array is full all is forgotten. So is time: a word is looked for in eight slots, and where others have them
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
