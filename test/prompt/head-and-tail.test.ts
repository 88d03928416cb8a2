import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { headAndTail } from '../../router/prompt/text-limits.ts';

describe('headAndTail', () => {
  it('keeps a text that fits', () => {
    expect(headAndTail('abcdefghij', 10)).toBe('abcdefghij');
  });

  it('keeps three quarters from the start by default', () => {
    expect(headAndTail('abcdefghijklmnop', 11)).toBe('abcdef\n…\nop');
  });

  it('takes the share of the head from its caller', () => {
    expect(headAndTail('abcdefghij', 7, 0.5)).toBe('ab\n…\nij');
    expect(headAndTail('abcdefghij', 7, 0)).toBe('\n…\nghij');
    expect(headAndTail('abcdefghij', 7, 1)).toBe('abcd\n…\n');
  });

  it('gives the head alone where the gap would leave no room', () => {
    expect(headAndTail('abcdefghij', 4)).toBe('abcd');
    expect(headAndTail('abcdefghij', 1)).toBe('a');
  });

  it('drops a character that a cut would halve, on either side', () => {
    expect(headAndTail('ab🦔cdefgh', 9, 0.5)).toBe('ab\n…\nfgh');
    expect(headAndTail('abcdefg🦔h', 7, 0.5)).toBe('ab\n…\nh');
  });

  it.each([0, -1, 2.5, Number.NaN])('refuses a limit of %s', (limit) => {
    expect(() => headAndTail('abc', limit)).toThrow('maxCharacters');
  });

  it.each([-0.1, 1.1, Number.NaN])('refuses a head share of %s', (share) => {
    expect(() => headAndTail('abc', 2, share)).toThrow('headShare');
  });

  it('is never longer than asked, halves no character and changes nothing the second time', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '🦔', 'é', '\n', '漢'), maxLength: 60 });
    fc.assert(
      fc.property(
        text,
        fc.integer({ min: 1, max: 80 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (t, max, share) => {
          const kept = headAndTail(t, max, share);
          expect(kept.length).toBeLessThanOrEqual(max);
          expect(kept).not.toMatch(/\p{Surrogate}/u);
          expect(headAndTail(kept, max, share)).toBe(kept);
        },
      ),
    );
  });
});
