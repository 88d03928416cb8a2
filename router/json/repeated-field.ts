import { fieldPlaces, hasEscapedAscii, isName } from './text-walk.ts';

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
  for (const { start, end } of fieldPlaces(text)) {
    const name = names.find((one) => isName(text, start, end, one));
    if (name === undefined) continue;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}
