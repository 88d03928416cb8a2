import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { type ErrorCode, PlimsollError } from '../errors.ts';

export interface ReadLimits {
  readonly mostBytes: number;
  /** Of the error. */
  readonly code: ErrorCode;
  /** What to do about a file that is none of ours, as a sentence. */
  readonly remedy: string;
}

/**
 * The bytes of a file that is read at once. A server must not be held up by what lies in the place of a small file: a huge one, or a pipe
 * that nobody writes to.
 * @throws PlimsollError of the given code if it is larger, or is no file; what the operating system says if it cannot be read
 */
export function readBounded(file: string, { mostBytes, code, remedy }: ReadLimits): Uint8Array {
  const refuse = (what: string) => new PlimsollError(code, `${file} ${what}. ${remedy}`, { place: { file } });
  const descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)); // to open a pipe waits for who writes
  try {
    const stats = fstatSync(descriptor);
    const isFolder = stats.isDirectory(); // the read says so
    if (!stats.isFile() && !isFolder) throw refuse('is no file');
    if (!isFolder && stats.size > mostBytes)
      throw refuse(`has ${grouped(stats.size)} bytes, and at most ${grouped(mostBytes)} are read`);
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function grouped(bytes: number): string {
  return bytes.toLocaleString('en-US');
}
