/** `<name …>inner</name>`, as offsets in the text that it was found in. */
export interface TaggedBlock {
  readonly name: string;
  readonly inner: string;
  readonly start: number;
  readonly end: number;
}

/** Both are anchored and bounded, so that no input makes them slow. */
const OPENING_TAG = /<(\p{L}[\p{L}\w.-]{0,63})(?:\s[^<>]{0,500})?>/uy;
const CLOSING_TAG_AT_END = /<\/(\p{L}[\p{L}\w.-]{0,63})>$/u;
const LONGEST_CLOSING_TAG = 67;
const NON_SPACE = /\S/g;

/** The tag that opens exactly at `start`, if one does; `end` is where its content begins. */
export function openingTagAt(
  text: string,
  start: number,
): { readonly name: string; readonly end: number } | undefined {
  if (start < 0) return undefined;
  OPENING_TAG.lastIndex = start;
  const name = OPENING_TAG.exec(text)?.[1];
  return name === undefined ? undefined : { name, end: OPENING_TAG.lastIndex };
}

/** The name of the tag that closes exactly at the end of the text, if one does. */
export function tagClosingAtEnd(text: string): string | undefined {
  return CLOSING_TAG_AT_END.exec(text.slice(-LONGEST_CLOSING_TAG))?.[1];
}

/**
 * The block that opens exactly at `start`. It closes at the first closing tag that ends its line or is followed by another tag: one in the
 * middle of a sentence is being talked about. An opening tag that is never closed makes no block.
 */
export function blockAt(text: string, start: number): TaggedBlock | undefined {
  const opening = openingTagAt(text, start);
  if (opening === undefined) return undefined;
  const closing = `</${opening.name}>`;
  let close = text.indexOf(closing, opening.end);
  while (close >= 0 && !isFollowedByNothing(text, close + closing.length)) {
    close = text.indexOf(closing, close + closing.length);
  }
  if (close < 0) return undefined;
  return { name: opening.name, inner: text.slice(opening.end, close), start, end: close + closing.length };
}

function isFollowedByNothing(text: string, index: number): boolean {
  return isAtLineEnd(text, index) || text[skipBlanks(text, index)] === '<';
}

/** The block that closes at the very end of the text and opens at the start of a line. */
export function blockAtEnd(text: string): TaggedBlock | undefined {
  const name = tagClosingAtEnd(text);
  if (name === undefined) return undefined;
  const innerEnd = text.length - name.length - '</>'.length;
  let start = lastAtLineStart(text, `<${name}`);
  let opening = openingTagAt(text, start);
  while (start > 0 && opening?.name !== name) {
    start = lastAtLineStart(text, `<${name}`, start - 1);
    opening = openingTagAt(text, start);
  }
  if (start < 0 || opening?.name !== name) return undefined;
  return { name, inner: text.slice(opening.end, innerEnd), start, end: text.length };
}

/** The blocks of a text that consists of blocks and white space and nothing else; undefined for any other text. */
export function onlyBlocks(text: string): readonly TaggedBlock[] | undefined {
  const blocks: TaggedBlock[] = [];
  let position = skipWhiteSpace(text, 0);
  while (position < text.length) {
    const block = blockAt(text, position);
    if (block === undefined) return undefined;
    blocks.push(block);
    position = skipWhiteSpace(text, block.end);
  }
  return blocks.length > 0 ? blocks : undefined;
}

/** The index of the first character at or after `index` that is no white space in the sense of String.trim. */
export function skipWhiteSpace(text: string, index: number): number {
  NON_SPACE.lastIndex = index;
  return NON_SPACE.exec(text)?.index ?? text.length;
}

const NEW_LINE = 10;
const SPACE = 32;
const TAB = 9;
const CARRIAGE_RETURN = 13;

/** True if only indentation separates `index` from the start of its line. */
export function isAtLineStart(text: string, index: number): boolean {
  let before = index - 1;
  while (before >= 0 && isIndentation(text.charCodeAt(before))) before--;
  return before < 0 || text.charCodeAt(before) === NEW_LINE;
}

/** True if only blanks separate `index` from the end of its line. */
function isAtLineEnd(text: string, index: number): boolean {
  const next = skipBlanks(text, index);
  return next === text.length || text.charCodeAt(next) === NEW_LINE;
}

/** The index of the first character at or after `index` that is no space, tab or carriage return. */
function skipBlanks(text: string, index: number): number {
  let next = index;
  while (next < text.length && isIndentation(text.charCodeAt(next))) next++;
  return next;
}

function isIndentation(unit: number): boolean {
  return unit === SPACE || unit === TAB || unit === CARRIAGE_RETURN;
}

/** The index of the first occurrence of `marker` at the start of a line, or -1. */
export function firstAtLineStart(text: string, marker: string): number {
  let index = text.indexOf(marker);
  while (index >= 0 && !isAtLineStart(text, index)) index = text.indexOf(marker, index + 1);
  return index;
}

/** The index of the last occurrence of `marker`, at `from` or before, at the start of a line, or -1. */
export function lastAtLineStart(text: string, marker: string, from = text.length): number {
  let index = text.lastIndexOf(marker, from);
  while (index > 0 && !isAtLineStart(text, index)) index = text.lastIndexOf(marker, index - 1);
  return index;
}

/** The paragraphs of a text, trimmed; empty ones are left out. */
export function paragraphs(text: string): string[] {
  return text
    .split(/\n[ \t\r]*\n/)
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => paragraph !== '');
}
