/** Accents and control characters. Not \p{C}: which characters are unassigned depends on the age of the runtime. */
const DROPPED = /[\0\ufffd]|(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Mn}]/gu;
/** Ideographs and punctuation. */
const APART =
  /[\u4e00-\u9fff\u3400-\u4dbf\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2ceaf}\u{2f800}-\u{2fa1f}]|\p{P}/gu;
const OTHER_SPACE = /[^\S ]/g;
const ASCII_SIGN = /^[!-/:-@[-`{-~]$/; // all are punctuation to BERT, $ and + too

/**
 * BERT's normaliser: control characters out, ideographs apart, accents off, lower case. Punctuation beyond ASCII stands apart as well, and white
 * space is U+0020 alone.
 */
export function normalise(text: string): string {
  return text
    .normalize('NFD')
    .replace(DROPPED, '')
    .toLowerCase()
    .replace(APART, ' $& ')
    .replace(OTHER_SPACE, ' ');
}

/** What a UTF-16 unit is: one of these, or else part of a word, and then the unit that the normaliser makes of it. */
const SPACE = 0;
export const PUNCTUATION = 1;
/** Only the normaliser can say: others decide what becomes of it, or it leaves. */
export const UNCLEAR = 2;

/**
 * The kinds of the units below U+2070: of ASCII, Latin letters up to U+017F and the punctuation from U+2000 on, hence of nearly all that is
 * written in English. What the normaliser makes of these does not depend on their neighbours.
 */
export const UNIT_KINDS = Uint16Array.from({ length: 0x2070 }, (_, unit) =>
  unit < 0x180 || unit >= 0x2000 ? kindOf(unit) : UNCLEAR,
);

function kindOf(unit: number): number {
  const normal = normalise(String.fromCharCode(unit));
  const only = normal.trim();
  if (only === '') return normal === '' ? UNCLEAR : SPACE;
  if (normal.length > 1 || ASCII_SIGN.test(only)) return PUNCTUATION;
  return only.charCodeAt(0);
}
