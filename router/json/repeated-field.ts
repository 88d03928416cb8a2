import { CLOSE_BRACE, CLOSE_BRACKET, OPEN_BRACE, OPEN_BRACKET, QUOTE } from './scan.ts';
import { hasEscapedAscii, isName, stringEnd, valueAfterColon } from './text-walk.ts';

/**
 * The first of the given fields that an object has more than once, however it is written. JSON.parse keeps the last value and other parsers
 * the first (RFC 8259, section 4): two readers of the same text may disagree about it. Takes time in proportion to the length.
 * @param text a JSON object
 * @param names of ASCII, of fields that the object has
 */
export function repeatedField(text: string, names: readonly string[]): string | undefined {
  // The usual body has each name once, which native searches show.
  const perhaps = hasEscapedAscii(text) ? names : names.filter((name) => occursTwice(text, `"${name}"`));
  return perhaps.length === 0 ? undefined : repeatedInWalk(text, perhaps);
}

function occursTwice(text: string, quoted: string): boolean {
  const first = text.indexOf(quoted);
  return first !== -1 && text.indexOf(quoted, first + quoted.length) !== -1;
}

function repeatedInWalk(text: string, names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--;
    else if (code === QUOTE) {
      const end = stringEnd(text, at);
      const isField = depth === 1 && valueAfterColon(text, end) !== -1;
      const name = isField ? names.find((one) => isName(text, at, end, one)) : undefined;
      if (name !== undefined && seen.has(name)) return name;
      if (name !== undefined) seen.add(name);
      at = end - 1;
    }
  }
  return undefined;
}
