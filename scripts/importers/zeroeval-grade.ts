const FIRST_NUMBER = /-?\d+(?:\.\d+)?/;
const FRACTION = /^\s*(-?\d+(?:\.\d+)?)\s*\/\s*(-?\d+(?:\.\d+)?)\s*$/;
const QUOTES_ROUND = /^['"]+|['"]+$/g;

/**
 * Whether two answers begin with the same number, as src/evaluation/math_eval.py decides: dollar signs, thousands' commas and
 * units do not count, a plain fraction is worked out.
 * @example sameNumber('$1,200 a week', '# 1200') === true;
 */
export function sameNumber(answer: string, key: string): boolean {
  const given = firstNumber(answer);
  return given !== undefined && given === firstNumber(key.replaceAll('#', '').trim());
}

/**
 * Whether two answers are the same text, as src/evaluation/crux_eval.py decides: quotes round it do not count.
 * @example sameText('"ab"', "'ab'") === true;
 */
export function sameText(answer: string, key: string): boolean {
  return unquoted(answer).replaceAll('\n', '\\n') === unquoted(key);
}

function firstNumber(text: string): number | undefined {
  const plain = text.replaceAll('$', '').trim().replaceAll(',', '');
  const fraction = FRACTION.exec(plain);
  if (fraction !== null && Number(fraction[2]) !== 0) return Number(fraction[1]) / Number(fraction[2]);
  const found = FIRST_NUMBER.exec(plain);
  return found === null ? undefined : Number(found[0]);
}

function unquoted(text: string): string {
  return text.replace(QUOTES_ROUND, '');
}
