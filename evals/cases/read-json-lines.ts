import type { Readable } from 'node:stream';
import { PlimsollError } from '../../router/errors.ts';
import { BadRow } from './bad-row.ts';

/** A longer line, in bytes, is no row but a file without line ends. */
const LONGEST_LINE = 64 * 2 ** 20;
const LINE_FEED = 0x0a;

/** Calls `onRow` for each line that is not blank, with its number from 1 and a function that parses it or throws BadRow. */
export async function readJsonLines(
  bytes: Readable,
  onRow: (line: number, parse: () => unknown) => void,
): Promise<void> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 0;
  for await (const raw of linesOf(bytes)) {
    line += 1;
    if (!isBlank(raw)) onRow(line, () => parsed(decoder, raw));
  }
}

async function* linesOf(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let held = 0;
  for await (const chunk of bytes) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      const piece = chunk.subarray(start, end);
      yield parts.length === 0 ? piece : Buffer.concat([...parts, piece]);
      parts = [];
      held = 0;
      start = end + 1;
    }
    if (start < chunk.length) parts.push(chunk.subarray(start));
    held += chunk.length - start;
    if (held > LONGEST_LINE) throw lineTooLong();
  }
  if (parts.length > 0) yield Buffer.concat(parts);
}

/** Space, tab and carriage return only. */
function isBlank(raw: Buffer): boolean {
  return raw.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

function parsed(decoder: InstanceType<typeof TextDecoder>, raw: Buffer): unknown {
  let text: string;
  try {
    text = decoder.decode(raw);
  } catch {
    throw new BadRow('not valid UTF-8; save the file as UTF-8');
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadRow(jsonReason(error));
  }
}

/** The parser's own message may quote the row, so only the position is taken from it. */
function jsonReason(error: unknown): string {
  const position = /at position (\d+)/.exec(String(error))?.[1];
  return position === undefined ? 'not valid JSON' : `not valid JSON at character ${Number(position) + 1}`;
}

function lineTooLong(): PlimsollError {
  return new PlimsollError(
    'too-large',
    `A line is longer than ${LONGEST_LINE / 2 ** 20} MiB. JSON Lines holds one JSON object on each line, not one large array.`,
  );
}
