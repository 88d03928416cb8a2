import { describe, expect, it } from 'vitest';
import { createKnownWords, type KnownWords } from '../../router/encoders/word-piece.ts';

const HASH = 0x9e3779b1 | 0; // negative, as half of all hashes are

function remember(known: KnownWords, word: string, ids: readonly number[], hash = HASH): void {
  write(known, word);
  known.remember(word.length, hash, ids);
}

function idsOf(known: KnownWords, word: string, hash = HASH): number[] {
  write(known, word);
  const ids = new Int32Array(200);
  return [...ids.subarray(0, known.copyIds(word.length, hash, ids, 0))];
}

function write(known: KnownWords, word: string): void {
  for (let i = 0; i < word.length; i++) known.word[i] = word.charCodeAt(i);
}

describe('known words', () => {
  it('tells words of the same hash apart, by length and by every unit', () => {
    const known = createKnownWords();
    const words = ['a', 'b', 'ab', 'ac', 'cb', 'abc'];
    words.forEach((word, i) => {
      expect(idsOf(known, word)).toEqual([]);
      remember(known, word, [i, 65_535 - i]);
    });
    words.forEach((word, i) => {
      expect(idsOf(known, word)).toEqual([i, 65_535 - i]);
    });
  });

  it('never gives the ids of another word, however many share a hash', () => {
    const known = createKnownWords();
    const words = Array.from({ length: 40 }, (_, i) => `w${i}`);
    words.forEach((word, i) => {
      remember(known, word, [i]);
      expect(idsOf(known, word)).toEqual([i]);
    });
    const kept = words.filter((word) => idsOf(known, word).length > 0);
    expect(kept).toEqual(['w1', 'w2', 'w3', 'w4', 'w5', 'w6', 'w7', 'w39']); // eight slots; the first goes to the last
    for (const word of kept) expect(idsOf(known, word)).toEqual([+word.slice(1)]);
  });

  it('forgets all where there is no more room, and goes on', () => {
    const known = createKnownWords();
    const long = 'x'.repeat(196); // 200 with its id and its counts: 1310 of them fit
    const word = (i: number): string => `${long}${String.fromCharCode(0x4e00 + i)}`;
    for (let i = 0; i < 1400; i++) {
      remember(known, word(i), [i], i * 16);
      expect(idsOf(known, word(i), i * 16)).toEqual([i]);
    }
    expect(idsOf(known, word(0), 0)).toEqual([]);
    expect(idsOf(known, word(1399), 1399 * 16)).toEqual([1399]);
  });
});
