import { closeSync, openSync, readSync } from 'node:fs';
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  Lexer,
  LineCounter,
  type Node,
  parseDocument,
} from 'yaml';

/** Written by hand, such a file has a few kB. The limits keep one that was made to do harm from stopping the process. */
export const YAML_LIMITS = { bytes: 256 * 2 ** 10, depth: 64, aliases: 1_000 };

/** What is wrong with a YAML file. The message ends without a full stop and names no file: the caller says whose it is. */
export class YamlFault extends Error {
  /** From 1. */
  readonly line: number | undefined;

  constructor(message: string, line?: number) {
    super(message);
    this.line = line;
  }
}

export interface YamlFile {
  readonly text: string;
  /** Null for an empty file. */
  readonly value: unknown;
  /** The line of a field, or of the nearest thing around it that is written down. */
  lineOf(place: readonly PropertyKey[]): number | undefined;
  /** The line of this very field; undefined if it is not written down. */
  ownLineOf(place: readonly PropertyKey[]): number | undefined;
  readonly document: Document;
}

/**
 * Reads a file as YAML 1.2, within limits of size, nesting and aliases. What would be read in another way than it looks is refused: a key
 * given twice, `<<`, `__proto__`, unknown tags.
 * @throws YamlFault; what the operating system says if the file cannot be read
 */
export function readYaml(file: string): YamlFile {
  return parseYaml(textOf(file));
}

/** The same of a text. @throws YamlFault */
export function parseYaml(text: string): YamlFile {
  if (Buffer.byteLength(text) > YAML_LIMITS.bytes) throw tooLarge();
  const lines = new LineCounter();
  requireShallow(text);
  // Its own look for equal keys, and errors with excerpts, take time in the square of the file's size.
  const options = { lineCounter: lines, prettyErrors: false, uniqueKeys: false, logLevel: 'error' } as const;
  const document = parseDocument(text, options);
  const lineAt = (offset: number | undefined) =>
    offset === undefined ? undefined : lines.linePos(offset).line;
  const broken = document.errors[0] ?? document.warnings[0];
  if (broken) {
    const line = lineAt(broken.pos[0]);
    if (broken.message.includes('call stack')) throw tooDeep(line);
    const several = broken.code === 'MULTIPLE_DOCS';
    const fault = several ? 'a second document begins here. Leave one' : broken.message.split('\n')[0]!;
    throw new YamlFault(fault, line);
  }
  if (document.directives?.yaml.version !== '1.2')
    throw new YamlFault('it must be YAML 1.2: leave %YAML out', 1);
  checkNode(document.contents, 0, new Set(), lineAt);
  const ownLineOf = (place: readonly PropertyKey[]) => {
    const node = keyIn(document, place) ?? (document.getIn(place, true) as Node | undefined);
    return node?.range ? lineAt(node.range[0]) : undefined;
  };
  return {
    text,
    document,
    value: plainValue(document) ?? null,
    ownLineOf,
    lineOf(place) {
      for (let depth = place.length; depth > 0; depth--) {
        const line = ownLineOf(place.slice(0, depth));
        if (line !== undefined) return line;
      }
      return undefined;
    },
  };
}

/** Where a field is written: its value may begin a line later. */
function keyIn(document: Document, place: readonly PropertyKey[]): Node | undefined {
  const holder = place.length === 1 ? document.contents : document.getIn(place.slice(0, -1), true);
  if (!isMap(holder)) return undefined;
  const pair = holder.items.find(({ key }) => isScalar(key) && String(key.value) === place.at(-1));
  return pair?.key as Node | undefined;
}

/** UTF-8, with or without a mark at its beginning. Reads no more than may be there: a device has no end. */
function textOf(file: string): string {
  const buffer = Buffer.alloc(YAML_LIMITS.bytes + 1);
  const descriptor = openSync(file, 'r');
  let length = 0;
  try {
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(descriptor, buffer, length, buffer.length - length, null);
    }
  } finally {
    closeSync(descriptor);
  }
  if (length > YAML_LIMITS.bytes) throw tooLarge();
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length));
  } catch {
    throw new YamlFault('it is no UTF-8 text. Save it as UTF-8');
  }
}

const OPENS = new Set(['[', '{']);
const CLOSES = new Set([']', '}']);

/** Brackets alone: they cost the parser most. */
function requireShallow(text: string): void {
  let depth = 0;
  let line = 1;
  for (const token of new Lexer().lex(text)) {
    if (token.includes('\n')) line += token.split('\n').length - 1;
    if (OPENS.has(token) && ++depth > YAML_LIMITS.depth) throw tooDeep(line);
    if (CLOSES.has(token)) depth = Math.max(0, depth - 1);
  }
}

function tooLarge(): YamlFault {
  return new YamlFault(`it is larger than ${YAML_LIMITS.bytes / 1024} KiB`);
}

function tooDeep(line?: number): YamlFault {
  return new YamlFault(`it is nested deeper than ${YAML_LIMITS.depth} levels`, line);
}

type LineAt = (offset: number | undefined) => number | undefined;

function checkNode(node: unknown, depth: number, around: ReadonlySet<string>, lineAt: LineAt): void {
  const line = () => lineAt((node as Node).range?.[0]);
  if (isAlias(node) && around.has(node.source))
    throw new YamlFault(`*${node.source} stands for itself`, line());
  if (!isCollection(node)) return;
  if (depth >= YAML_LIMITS.depth) throw tooDeep(line());
  const within = node.anchor === undefined ? around : new Set([...around, node.anchor]);
  const keys = new Set<string>();
  for (const item of node.items) {
    if (isMap(node) && isPair(item)) checkKey(item.key, keys, lineAt);
    checkNode(isPair(item) ? item.value : item, depth + 1, within, lineAt);
  }
}

function checkKey(key: unknown, keys: Set<string>, lineAt: LineAt): void {
  const line = lineAt((key as Node | null)?.range?.[0]);
  if (!isScalar(key)) throw new YamlFault('a key must be plain text', line);
  const name = String(key.value);
  if (name === '<<') throw new YamlFault('<< is not supported: write the fields out', line);
  if (name === '__proto__') throw new YamlFault('__proto__ is no name for a field', line);
  if (keys.has(name)) throw new YamlFault(`"${name.slice(0, 100)}" is there twice`, line);
  keys.add(name);
}

function plainValue(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: YAML_LIMITS.aliases });
  } catch (error) {
    if (error instanceof RangeError) throw tooDeep();
    if (!(error instanceof ReferenceError)) throw error;
    const excessive = error.message.startsWith('Excessive');
    throw new YamlFault(
      excessive ? `its aliases expand to more than ${YAML_LIMITS.aliases} copies` : error.message,
    );
  }
}
