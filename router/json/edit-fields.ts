import { fieldPlaces, hasEscapedAscii, isName, valueAfterColon, valueEnd } from './text-walk.ts';

/** Names are of ASCII and need no escapes. */
export interface FieldEdits {
  /** A field and its new value. */
  readonly set: readonly [name: string, value: string];
  /** A field and its new name. One whose old name is written with escapes stays. */
  readonly rename?: readonly [from: string, to: string] | undefined;
}

/**
 * Edits an object's own fields and leaves every other character as it came: numbers that no double can hold, the order of the fields,
 * white space. The old value may be of any type. Of duplicates, JSON.parse keeps the last and other parsers the first: all are replaced,
 * so that every reader sees the same value. Takes time in proportion to the length.
 * @param text a JSON object. For any other string the result is of no use, but it still ends, without an error
 * @param parsed what JSON.parse makes of `text`
 */
export function editFields(text: string, parsed: object, edits: FieldEdits): string {
  return editAtOnce(text, parsed, edits) ?? editInWalk(text, edits);
}

/**
 * The usual body has each name once: that it is the object's own field follows from `parsed`, so native searches do. Undefined if a name
 * may be there more than once, or written with escapes.
 */
function editAtOnce(text: string, parsed: object, { set, rename }: FieldEdits): string | undefined {
  if (hasEscapedAscii(text)) return undefined;
  const [name, value] = set;
  const at = onlyPlace(text, name, parsed);
  if (at === AMBIGUOUS) return undefined;
  if (rename === undefined) return at === NOWHERE ? text : withValue(text, at, name, value);
  const [from, to] = rename;
  const renameAt = onlyPlace(text, from, parsed);
  if (renameAt === AMBIGUOUS) return undefined;
  if (renameAt === NOWHERE) return at === NOWHERE ? text : withValue(text, at, name, value);
  const renamed = `${text.slice(0, renameAt)}"${to}"${text.slice(renameAt + from.length + 2)}`;
  if (at === NOWHERE) return renamed;
  return withValue(renamed, at < renameAt ? at : at + to.length - from.length, name, value);
}

/**
 * Gives an object a field with a value, in place of the old value or, if it has none, as its first field; every other character stays.
 * @param text a JSON object that has at least one field
 * @param parsed what JSON.parse makes of `text`
 * @param name of ASCII, and needs no escapes
 */
export function withField(
  text: string,
  parsed: object,
  name: string,
  value: boolean | number | object,
): string {
  const json = JSON.stringify(value);
  const opening = text.indexOf('{') + 1;
  if (!Object.hasOwn(parsed, name)) {
    return `${text.slice(0, opening)}"${name}":${json},${text.slice(opening)}`;
  }
  let out = '';
  let copied = 0;
  for (const { start, end, valueStart } of fieldPlaces(text)) {
    if (!isName(text, start, end, name)) continue;
    out += `${text.slice(copied, valueStart)}${json}`;
    copied = valueEnd(text, valueStart);
  }
  return out + text.slice(copied);
}

const NOWHERE = -1;
const AMBIGUOUS = -2;

/** Where an own field's name is. In a string's content a quote has a backslash before it, so what is found is a whole string or the end of one. */
function onlyPlace(text: string, name: string, parsed: object): number {
  const quoted = `"${name}"`;
  const at = text.indexOf(quoted);
  if (at === -1) return NOWHERE;
  return Object.hasOwn(parsed, name) && text.indexOf(quoted, at + quoted.length) === -1 ? at : AMBIGUOUS;
}

/** With a new value for the field whose name is at `at`. */
function withValue(text: string, at: number, name: string, value: string): string {
  const start = valueAfterColon(text, at + name.length + 2);
  return text.slice(0, start) + JSON.stringify(value) + text.slice(valueEnd(text, start));
}

function editInWalk(text: string, { set, rename }: FieldEdits): string {
  const value = JSON.stringify(set[1]);
  let out = '';
  let copied = 0;
  for (const { start, end, valueStart } of fieldPlaces(text)) {
    if (isName(text, start, end, set[0])) {
      out += text.slice(copied, valueStart) + value;
      copied = valueEnd(text, valueStart);
    } else if (rename && text.startsWith(`"${rename[0]}"`, start)) {
      out += `${text.slice(copied, start)}"${rename[1]}"`;
      copied = end;
    }
  }
  return out + text.slice(copied);
}
