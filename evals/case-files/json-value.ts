import { BadRow } from './rejects.ts';

/** The longest line or array element, in bytes. A longer one is not a row. */
export const LONGEST_VALUE = 64 * 2 ** 20;

export interface JsonValue {
  /** The physical line on which it begins, from 1. */
  readonly line: number;
  /** The index in an array, from 1. */
  readonly element?: number;
  /** @throws BadRow: not JSON, or not UTF-8 */
  readonly parse: () => unknown;
}

export type Decoder = (raw: Buffer) => string;

export function strictDecoder(): Decoder {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  return (raw) => decoder.decode(raw);
}

export function parseJson(decode: Decoder, raw: Buffer): unknown {
  let text: string;
  try {
    text = decode(raw);
  } catch {
    throw new BadRow('not valid UTF-8; save the file as UTF-8');
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const field = NO_NUMBER.exec(text)?.[1];
    if (field !== undefined) throw new BadRow('NaN and Infinity are not valid JSON; write null', field);
    throw new BadRow(jsonReason(error));
  }
}

/** What other languages write for numbers that JSON does not have, and its key. Inside a string the quotes would have backslashes. */
const NO_NUMBER = /"([^"\\]{1,80})"\s*:\s*-?(?:NaN|Infinity|inf|nan)\b/;

/** Takes only the position from the parser's message, which may quote the row. */
function jsonReason(error: unknown): string {
  const position = /at position (\d+)/.exec(String(error))?.[1];
  return position === undefined ? 'not valid JSON' : `not valid JSON at character ${Number(position) + 1}`;
}
