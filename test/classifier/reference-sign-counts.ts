/** How many UTF-16 units of a text are of each kind. */
export interface SignCounts {
  readonly digits: number;
  readonly capitals: number;
  readonly lineBreaks: number;
  readonly questionMarks: number;
  readonly mathSigns: number;
  readonly codeSigns: number;
  readonly commas: number;
  /** Outside ASCII; those that are signs of the other kinds count there as well. */
  readonly nonAscii: number;
}

const OTHER = 0;
const DIGIT = 1;
const CAPITAL = 2;
const LINE_BREAK = 3;
const QUESTION_MARK = 4;
const MATH_SIGN = 5;
const CODE_SIGN = 6;
const COMMA = 7;
const KINDS = 8;

/** No sign is of two kinds. */
const SIGNS: readonly (readonly [kind: number, signs: string])[] = [
  [DIGIT, '0123456789'],
  [CAPITAL, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'],
  [LINE_BREAK, '\n'],
  [QUESTION_MARK, '?\uff1f\u061f'],
  [MATH_SIGN, '+-*/=^<>%\\$×÷±√∑∫≤≥≠π∞∂∇∈'],
  [CODE_SIGN, '{}()[];_#&|'],
  [COMMA, ',\uff0c\u060c'],
];

const KIND_OF: ReadonlyMap<number, number> = new Map(
  SIGNS.flatMap(([kind, signs]) => Array.from(signs, (sign) => [sign.charCodeAt(0), kind] as const)),
);
const ASCII_KIND = Uint8Array.from({ length: 128 }, (_, code) => KIND_OF.get(code) ?? OTHER);

/** Counts all of them, unit by unit. */
export function signCounts(text: string): SignCounts {
  const counts = new Int32Array(KINDS);
  let nonAscii = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 128) {
      counts[ASCII_KIND[code]!]!++;
    } else {
      nonAscii++;
      counts[KIND_OF.get(code) ?? OTHER]!++;
    }
  }
  return {
    digits: counts[DIGIT]!,
    capitals: counts[CAPITAL]!,
    lineBreaks: counts[LINE_BREAK]!,
    questionMarks: counts[QUESTION_MARK]!,
    mathSigns: counts[MATH_SIGN]!,
    codeSigns: counts[CODE_SIGN]!,
    commas: counts[COMMA]!,
    nonAscii,
  };
}
