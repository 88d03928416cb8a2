import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Encoder } from '../../router/encoders/index.ts';

const ODD_TEXTS = {
  empty: '',
  'white space': ' \t\r\n\u00a0\u2003',
  'control characters': '\0\u0001\u001f\u007f\ufffd',
  'a lone high surrogate': 'a \ud83d b',
  'a lone low surrogate': '\ude00',
  emoji: '👩‍👩‍👧‍👦 🇺🇦 ❤️‍🔥 ✍🏽',
  'right to left': 'مرحبا بالعالم \u202e שלום עולם',
  ideographs: '東京の天気はどうですか。오늘 날씨 어때?',
  'special tokens': '[CLS] [SEP] [PAD] [MASK] [UNK] <s> </s>',
  'one word of 100,000 letters': 'a'.repeat(100_000),
  '100,000 characters of words': 'to be or not to be, '.repeat(5_000),
} as const;

/** What every encoder promises. `open` gives a fresh encoder each time. */
export function describeEncoderContract(name: string, open: () => Promise<Encoder>): void {
  describe(`${name} keeps the encoder contract`, () => {
    let encoder: Encoder;
    beforeAll(async () => {
      encoder = await open();
    });
    afterAll(() => encoder?.close());

    it('says who it is', () => {
      expect(encoder.identity.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(encoder.identity.dimension).toBeGreaterThan(0);
    });

    it.each(Object.entries(ODD_TEXTS))('gives a finite vector of its dimension for %s', async (_, text) => {
      const vector = await encoder.embed(text);
      expect(vector).toBeInstanceOf(Float32Array);
      expect(vector).toHaveLength(encoder.identity.dimension);
      expect(vector.every(Number.isFinite)).toBe(true);
    });

    it('tells different texts apart', async () => {
      expect(await encoder.embed('Prove that e is irrational.')).not.toEqual(await encoder.embed('Hi!'));
    });

    it('gives the same text the same vector, whatever was embedded before it', async () => {
      const first = await encoder.embed('What is 17 times 23?');
      for (const text of Object.values(ODD_TEXTS)) await encoder.embed(text);
      expect(await encoder.embed('What is 17 times 23?')).toEqual(first);
    });

    it('gives the same text the same vector, whatever is embedded beside it', async () => {
      const texts = Array.from({ length: 24 }, (_, i) => 'Explain this. '.repeat(1 + (i % 6)));
      const alone = [];
      for (const text of texts) alone.push(await encoder.embed(text));
      expect(await Promise.all(texts.map((text) => encoder.embed(text)))).toEqual(alone);
    });

    it('gives a vector that is the caller’s own', async () => {
      const first = await encoder.embed('mine');
      const copy = first.slice();
      first.fill(7);
      expect(await encoder.embed('mine')).toEqual(copy);
    });

    describe('for a text that is longer than it reads', () => {
      const long = (middle: string, tail: string): string =>
        `Summarise what follows. ${'one two three '.repeat(400)}${middle}${' four five six'.repeat(400)} ${tail}`;

      it('still hears the end', async () => {
        const plain = await encoder.embed(long('', 'Be brief.'));
        expect(await encoder.embed(long('', 'Prove the theorem.'))).not.toEqual(plain);
      });

      it('leaves out the middle where its tokens are limited, and only there', async () => {
        const plain = await encoder.embed(long('ten apples', 'Be brief.'));
        const other = await encoder.embed(long('red houses', 'Be brief.'));
        if (encoder.identity.maxTokens === null) expect(other).not.toEqual(plain);
        else expect(other).toEqual(plain);
      });
    });

    it('can be closed twice', async () => {
      const extra = await open();
      await extra.close();
      await expect(extra.close()).resolves.toBeUndefined();
    });
  });
}
