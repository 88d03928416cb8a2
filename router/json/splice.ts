import { CLOSE_BRACE, CLOSE_BRACKET, COMMA, OPEN_BRACE, OPEN_BRACKET } from './scan.ts';
import { afterWhiteSpace, nameAt, stringEnd, valueAfterColon, valueEnd } from './text-walk.ts';

/**
 * A field or an element, by its path from the outermost value, with another value (as JSON text), or without one: it is removed. With
 * `add`, a field that is not there is added to its object.
 */
export interface JsonEdit {
  readonly path: readonly (string | number)[];
  readonly value: string | undefined;
  readonly add?: true;
}

/** Characters from `start` to `end` become `text`. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What is edited inside one value. */
interface Node {
  edit?: Pick<JsonEdit, 'value' | 'add'>;
  readonly inside: Map<string | number, Node>;
}

/**
 * Where edits change a JSON text, in its order. A path that is not there changes nothing unless it is added, and so does what lies inside an
 * edited value; of duplicates each is edited. Takes time in proportion to the length, and recursion in proportion to the longest path.
 * @param text valid JSON; for any other the result is of no use, but it still ends, without an error
 * @param from where the outermost value begins
 */
export function jsonSplices(text: string, edits: readonly JsonEdit[], from = 0): Splice[] {
  const root: Node = { inside: new Map() };
  for (const { path, ...edit } of edits) {
    let node = root;
    for (const step of path) {
      const next = node.inside.get(step) ?? { inside: new Map() };
      node.inside.set(step, next);
      node = next;
    }
    node.edit = edit;
  }
  const splices: Splice[] = [];
  addSplices(text, afterWhiteSpace(text, from), root, splices);
  return splices;
}

/** A text with its splices, which are in order and do not overlap; every other character as it came. */
export function spliced(text: string, splices: readonly Splice[]): string {
  let out = '';
  let copied = 0;
  for (const { start, end, text: inserted } of splices) {
    out += text.slice(copied, start) + inserted;
    copied = end;
  }
  return out + text.slice(copied);
}

/**
 * A removed member goes with the comma after it; the last one, with those before it that are removed too, goes with the comma before.
 */
function addSplices(text: string, opening: number, { inside }: Node, splices: Splice[]): void {
  let keptEnd: number | undefined; // of the last member that stays
  let removedFrom: number | undefined; // of the members that are removed since
  let lastEnd = opening + 1;
  const missing = new Set(inside.keys());
  for (const { name, start, valueStart, end } of members(text, opening)) {
    const node = inside.get(name);
    if (node !== undefined) missing.delete(name);
    const removed = node?.edit !== undefined && node.edit.value === undefined;
    if (removed) removedFrom ??= start;
    else {
      if (removedFrom !== undefined) splices.push({ start: removedFrom, end: start, text: '' });
      removedFrom = undefined;
      keptEnd = end;
      if (node?.edit?.value !== undefined) splices.push({ start: valueStart, end, text: node.edit.value });
      else if (node !== undefined) addSplices(text, valueStart, node, splices);
    }
    lastEnd = end;
  }
  const added = text.charCodeAt(opening) === OPEN_BRACE ? fields(missing, inside) : '';
  if (added !== '') {
    const start = keptEnd ?? opening + 1;
    splices.push({ start, end: start, text: keptEnd === undefined ? added : `,${added}` });
  }
  if (removedFrom !== undefined) splices.push({ start: keptEnd ?? removedFrom, end: lastEnd, text: '' });
}

/** The fields to add among these names, as JSON. */
function fields(names: ReadonlySet<string | number>, inside: Node['inside']): string {
  const written: string[] = [];
  for (const name of names) {
    const { add, value } = inside.get(name)?.edit ?? {};
    if (add && value !== undefined) written.push(`${JSON.stringify(String(name))}:${value}`);
  }
  return written.join(',');
}

/** A field of an object, by its name, or an element of a list, by its index. */
interface Member {
  readonly name: string | number;
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

/** The members of the object or list that begins at `opening`, in order; none if no such value does. */
function* members(text: string, opening: number): Generator<Member> {
  const isObject = text.charCodeAt(opening) === OPEN_BRACE;
  if (!isObject && text.charCodeAt(opening) !== OPEN_BRACKET) return;
  let start = afterWhiteSpace(text, opening + 1);
  for (let index = 0; start < text.length; index++) {
    const code = text.charCodeAt(start);
    if (code === CLOSE_BRACE || code === CLOSE_BRACKET) return;
    const nameEnd = isObject ? stringEnd(text, start) : start;
    const valueStart = isObject ? valueAfterColon(text, nameEnd) : start;
    if (valueStart === -1) return;
    const end = valueEnd(text, valueStart);
    yield { name: isObject ? nameAt(text, start, nameEnd) : index, start, valueStart, end };
    start = afterWhiteSpace(text, end);
    if (text.charCodeAt(start) === COMMA) start = afterWhiteSpace(text, start + 1);
    else return;
  }
}
