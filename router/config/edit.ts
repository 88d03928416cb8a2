import { createHash } from 'node:crypto';
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isMap, isScalar, type Node, parse, type YAMLMap } from 'yaml';
import { PlimsollError, systemErrorCode } from '../errors.ts';
import { realPlace, replaceFile, withLock } from '../files/index.ts';
import { parseYaml, readYaml, YamlFault, type YamlFile } from '../yaml-file.ts';

/** A value of the file that becomes another one. */
export interface ConfigEdit {
  readonly place: readonly (string | number)[];
  readonly value: string | number;
}

/** Identifies the text of a file, so that two people who edit the same file notice it. */
export function fileMark(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * The text with some values changed and every other byte as it was: comments, order, quotes and empty lines stay. A field that is missing
 * is added at the end of its object, which must be written down.
 * @throws PlimsollError `invalid-input` if a value is shared by an anchor, or written in a way that cannot be changed alone
 */
export function editedText(yaml: YamlFile, edits: readonly ConfigEdit[]): string {
  const wanted = structuredClone(yaml.value) as object;
  const pieces = edits.map((edit) => pieceOf(yaml, edit)).sort((a, b) => b.start - a.start);
  let { text } = yaml;
  for (const { start, end, replacement } of pieces)
    text = text.slice(0, start) + replacement + text.slice(end);
  for (const { place, value } of edits) {
    const holder = place.slice(0, -1).reduce<object>((inner, step) => Reflect.get(inner, step), wanted);
    Reflect.set(holder, place.at(-1)!, value);
  }
  if (!isDeepStrictEqual(valuesIn(text), wanted)) throw notAlone(edits[0]!);
  return text;
}

function valuesIn(text: string): unknown {
  try {
    return parseYaml(text).value;
  } catch (error) {
    if (error instanceof YamlFault) return undefined;
    throw error;
  }
}

interface Piece {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

function pieceOf({ document, text }: YamlFile, edit: ConfigEdit): Piece {
  const { place, value } = edit;
  const node = document.getIn(place, true) as Node | undefined;
  if (isScalar(node) && node.range) {
    const [start, end] = node.range;
    return { start, end, replacement: scalarText(value) };
  }
  const holder = document.getIn(place.slice(0, -1), true);
  const last = isMap(holder) ? (holder as YAMLMap<Node, Node>).items.at(-1) : undefined;
  const ends = last?.value?.range?.[1];
  if (node !== undefined || last === undefined || ends === undefined) throw notAlone(edit);
  const field = `${scalarText(String(place.at(-1)))}: ${scalarText(value)}`;
  if ((holder as YAMLMap).flow) return { start: ends, end: ends, replacement: `, ${field}` };
  const [begins] = last.key.range!;
  const indent = begins - (text.lastIndexOf('\n', begins - 1) + 1);
  const endOfLine = text.indexOf('\n', ends);
  const lineBreak = text[endOfLine - 1] === '\r' ? '\r\n' : '\n';
  const at = endOfLine === -1 ? text.length : endOfLine + 1 - lineBreak.length;
  return { start: at, end: at, replacement: `${lineBreak}${' '.repeat(indent)}${field}` };
}

/** Plain where nobody can take it for anything else, else in quotes. */
function scalarText(value: string | number): string {
  const text = String(value);
  const isPlain = /^\w[\w./@-]*(?: [a-z]+)?$/i.test(text) && parse(text) === value;
  return isPlain ? text : JSON.stringify(value);
}

function notAlone({ place }: ConfigEdit): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `Nothing was changed: ${place.join('.')} is written in a way that cannot be changed here alone, such as by an anchor. Change it in the file.`,
    { place: { field: place.join('.') } },
  );
}

/**
 * Replaces the file whole, if it still has the text that is expected; no other command of Plimsoll writes meanwhile.
 * @throws PlimsollError `conflict` if it has another text, `io`
 */
export function replaceConfig(file: string, expected: string, text: string): void {
  withLock(file, () => {
    if (readYaml(file).text !== expected)
      throw new PlimsollError('conflict', `Nothing was written: somebody changed ${file} meanwhile.`);
    replaceFile(file, text, { what: 'the configuration' });
  });
}

const WRITE_BITS = 0o222;

/** Why a file cannot be replaced, as a sentence; undefined if it can. A file that nobody may write is left alone by root as well. */
export function whyNotWritable(file: string): string | undefined {
  const target = realPlace(file);
  try {
    if ((statSync(target).mode & WRITE_BITS) === 0) return `${file} is read-only.`;
    accessSync(target, constants.W_OK);
    accessSync(path.dirname(target), constants.W_OK);
    return undefined;
  } catch (error) {
    return `${file} or its folder cannot be written here (${systemErrorCode(error)}).`;
  }
}
