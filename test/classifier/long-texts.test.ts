import { describe, expect, it } from 'vitest';
import { featureExtractor } from '../../router/classifier/structural-features.ts';
import { cpuMs } from '../helpers/cpu-ms.ts';
import { expectSameBits } from './expect-same-bits.ts';

const extractor = featureExtractor();

describe('structural features of long texts', () => {
  const distinct = Array.from({ length: 8000 }, (_, i) => i.toString(36)).join(' ');
  const single = Array.from({ length: 16_000 }, (_, i) => String.fromCharCode(0x4e00 + i)).join(' ');

  /** The memory of the counts grows with them; in lower case they are twice as long. */
  it('have these bits when each is a little longer than the one before', () => {
    for (let length = 8; length < 4000; length = Math.ceil(length * 1.02)) {
      const word = 'İ'.repeat(length);
      expectSameBits(`${word}a ${word}b ${word}a`);
    }
  });

  it.each([
    ['8,000 different words', distinct],
    ['16,000 words of one character', single],
    ['one word', 'x'.repeat(32_000)],
    ['one number', '1,'.repeat(16_000)],
    ['digits and points', '1.'.repeat(16_000)],
    ['spaces', ' '.repeat(32_000)],
    ['empty lines and spaces', '\n  '.repeat(11_000)],
    ['brackets', '('.repeat(32_000)],
    [
      'words that differ in the last letter',
      Array.from({ length: 300 }, (_, i) => `${'y'.repeat(100)}${i}`).join(' '),
    ],
  ])('have these bits and take time in proportion to the length: %s', (_, text) => {
    expectSameBits(text);
    expect(cpuMs(() => extractor.extract(text))).toBeLessThan(250); // it takes two or three; a quadratic search takes seconds
  });
});
