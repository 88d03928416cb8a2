import { describe, expect, it } from 'vitest';
import { createStaticEncoder, isReadable, staticTokenizer } from '../../router/encoders/static.ts';

describe('the static encoder', () => {
  const encoder = createStaticEncoder();

  it('is linear: the mean of the projected pieces is the projected mean, so that a head can be folded', async () => {
    const direction = Float64Array.from({ length: encoder.identity.dimension }, (_, j) => Math.sin(j));
    const projected = encoder.project(direction);
    const text = 'Why is the sky blue, and why is it red in the evening?';
    const ids = encoder.tokenIds(text);
    const folded = ids.reduce((sum, id) => sum + projected[id]!, 0) / ids.length;
    const plain = (await encoder.embed(text)).reduce((sum, value, j) => sum + value * direction[j]!, 0);
    expect(folded).toBeCloseTo(plain, 5);
  });

  it('counts a text without pieces as one unknown piece', () => {
    expect([...encoder.tokenIds(' \n ')]).toEqual([encoder.tokenizer.unknownId]);
  });
});

describe('what the vocabulary can read', () => {
  const readable = (text: string) => isReadable(staticTokenizer(), text);
  const THAI = 'ทฤษฎีสัมพัทธภาพทั่วไปของไอน์สไตน์และผลกระทบต่อกาลอวกาศ';

  it.each([
    THAI,
    `Please explain: ${THAI}`, // a sentence without spaces is one unknown piece among three known ones
    `Translate this into English, please: "${THAI}"`,
    'ok ทฤษฎีสัมพัทธภาพ',
    'Explain ለምን ሰማዩ ሰማያዊ ነው በቀን እና በሌሊት ጥቁር',
    '\u0301',
  ])('not %s', (text) => {
    expect(readable(text)).toBe(false);
  });

  it.each([
    'Why is the sky blue?',
    'Why is “the sky” blue – and not green?',
    'Почему небо голубое?',
    'Γιατί ο ουρανός είναι μπλε;',
    `What is the Thai word for sky? I think that it begins like this: ${THAI.slice(0, 9)}`,
    `What’s this hash: ${'0123456789abcdef'.repeat(40)}`, // an unknown word, but of a script that is known
  ])('%s', (text) => {
    expect(readable(text)).toBe(true);
  });
});
