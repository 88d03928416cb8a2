import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { importTransformers } from '../../router/encoders/transformers-session.ts';
import { readMinilmFile } from '../../router/encoders/weights.ts';
import { createWordPieceTokenizer, type WordPieceTokenizer } from '../../router/encoders/word-piece.ts';
import { scaled } from '../helpers/long-run.ts';
import { MINILM_FOLDER } from './minilm-folder.ts';

/**
 * Where we differ from the library on purpose: special tokens that a person typed are plain text, and ideographs
 * outside the basic plane stand apart as in BERT itself (the library looks at half of them at a time).
 */
const DIFFERENT = /\[(?:PAD|UNK|CLS|SEP|MASK)\]|[\u{20000}-\u{2fa1f}]/u;

const TEXTS = [
  '',
  ' ',
  '\n\t\r ',
  'Hello, world!',
  "don't can't I'm we'll",
  'unaffable unbelievably internationalization',
  'x = y**2 + 3*z; // comment\nif (a<b && c>=d) { return `$e{}`; }',
  'https://example.com/a?b=c&d=%20#e  user@example.org',
  '3.14159 1,000,000 1e-9 0xFF ½ ² ₂ Ⅷ ①',
  'À la carte, naïve café, Ångström, Łódź, Dvořák, İstanbul, ΑΣ ας, ẞ straße',
  'Привет, как дела? Ёлка и йод',
  'Καλημέρα κόσμε, τί κάνεις;',
  'مرحبا بالعالم، كيف حالك؟',
  'שָׁלוֹם עולם',
  'नमस्ते दुनिया, आप कैसे हैं?',
  'สวัสดีชาวโลก',
  'வணக்கம் உலகம்',
  'გამარჯობა მსოფლიო',
  'Xin chào thế giới, bạn khỏe không?',
  '你好,世界。今天天气怎么样?',
  '東京の天気は?カタカナ ﾊﾝｶｸ',
  '안녕하세요 세계',
  'ሰላም ልዑል',
  '𝒜𝓁𝑔𝑒𝒷𝓇𝒶 𝟘𝟙𝟚',
  '👩‍👩‍👧‍👦 🇺🇦 ❤️ ✍🏽 😀😀',
  'a\u200bb\u00adc\u2028d\u2029e\u0085f\u00a0g\u3000h\ufeffi',
  'nul\0in\u0001side\ufffd and \u007f delete',
  '“quotes” ‘single’ «guillemets» … – — ‐ ‑',
  '$ € £ ¥ + < = > ^ ` | ~ @ # % & * _',
  '∑ ∫ √ ∞ ≈ ≠ ≤ ≥ → ⇒ ∀ ∃ ∈ ∅',
  'a'.repeat(99),
  'a'.repeat(100),
  'a'.repeat(101),
  '𝒜'.repeat(101),
  'é'.repeat(100),
  '[BRACKETS] [ MASK ] <s> </s> ##ing #### ##',
  'constructor __proto__ toString hasOwnProperty',
];

describe('the word-piece tokenizer', () => {
  const tokenizer: WordPieceTokenizer = createWordPieceTokenizer(readMinilmFile('tokenizer'));
  let reference: (text: string) => number[];
  beforeAll(async () => {
    const { AutoTokenizer, env } = await importTransformers();
    env.allowRemoteModels = false;
    const library = await AutoTokenizer.from_pretrained(MINILM_FOLDER);
    reference = (text) => library.encode(text, { add_special_tokens: false });
  });

  it.each(TEXTS)('cuts %j as the library does', (text) => {
    expect([...tokenizer.encode(text)]).toEqual(reference(text));
  });

  it('cuts words of every script as the library does', () => {
    const word = fc.mixedCase(fc.constantFrom(...TEXTS.join(' ').split(/\s+/)));
    const text = fc.array(word, { maxLength: 12 }).map((words) => words.join(' '));
    fc.assert(
      fc.property(text, (t) => agrees(t)),
      { numRuns: scaled(1500) },
    );
  });

  it('cuts any Unicode text as the library does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (t) => agrees(t)),
      { numRuns: scaled(1500) },
    );
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (t) => agrees(t)),
      { numRuns: scaled(1500) },
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 80 }), (t) => agrees(t)),
      { numRuns: scaled(1500) },
    );
  });

  function agrees(text: string): void {
    fc.pre(!DIFFERENT.test(text));
    expect([...tokenizer.encode(text)]).toEqual(reference(text));
  }

  it('takes special tokens in a text for plain text: nobody can type a separator', () => {
    const ids = [...tokenizer.encode('a [SEP] b')];
    expect(ids.map((id) => tokenizer.piece(id))).toEqual(['a', '[', 'sep', ']', 'b']);
    expect(ids).not.toContain(tokenizer.endId);
  });

  it('takes each ideograph for a word, outside the basic plane too', () => {
    const { unknownId } = tokenizer;
    expect([...tokenizer.encode('𠀀𪜀')]).toEqual([unknownId, unknownId]);
  });

  it('gives the same ids whatever it has seen before', () => {
    const fresh = createWordPieceTokenizer(readMinilmFile('tokenizer'));
    for (const text of TEXTS) tokenizer.encode(text);
    for (const text of TEXTS.toReversed()) expect(fresh.encode(text)).toEqual(tokenizer.encode(text));
  });

  it('refuses a tokenizer file of another kind', () => {
    const bytes = new TextEncoder().encode('{"model":{"type":"BPE","vocab":{}}}');
    expect(() => createWordPieceTokenizer(bytes)).toThrow(/not a WordPiece/);
  });

  it('refuses a vocabulary without its special tokens, and one whose ids do not fit into 16 bits', () => {
    const file = (pieces: readonly string[]): Uint8Array => {
      const vocab = Object.fromEntries(pieces.map((piece, id) => [piece, id]));
      return new TextEncoder().encode(JSON.stringify({ model: { type: 'WordPiece', vocab } }));
    };
    expect(() => createWordPieceTokenizer(file(['[UNK]', '[SEP]']))).toThrow(/no \[CLS\] token/);
    const many = Array.from({ length: 65_537 }, (_, id) => `p${id}`);
    expect(() => createWordPieceTokenizer(file(many))).toThrow(/more than 65536 pieces/);
  });
});
