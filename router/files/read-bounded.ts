import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { type ErrorCode, PlimsollError } from '../errors.ts';

export interface ReadLimits {
  readonly mostBytes: number;
  /** Code of the error. */
  readonly code: ErrorCode;
  /** What to do about a file that is not one of ours, as a sentence. */
  readonly remedy: string;
}

/**
 * The bytes of a file that is read at once. A server must not be held up by what lies in the place of a small file: a huge one, or a pipe
 * that nobody writes to.
 * @throws PlimsollError of the given code if it is larger, or is no file; what the operating system says if it cannot be read
 */
export function readBounded(file: string, limits: ReadLimits): Uint8Array {
  return withOpened(file, (descriptor) => {
    requireBounded(file, fstatSync(descriptor), limits);
    return readFileSync(descriptor);
  });
}

/** Looks at a file that is read piece by piece afterwards. @throws as readBounded, but nothing of a folder: the read says so */
export function checkBounded(file: string, limits: ReadLimits): void {
  withOpened(file, (descriptor) => requireBounded(file, fstatSync(descriptor), limits));
}

function withOpened<T>(file: string, work: (descriptor: number) => T): T {
  const descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)); // opening a pipe waits for its writer
  try {
    return work(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function requireBounded(file: string, stats: Stats, { mostBytes, code, remedy }: ReadLimits): void {
  if (stats.isDirectory()) return; // the read says so
  const refuse = (what: string) => new PlimsollError(code, `${file} ${what}. ${remedy}`, { place: { file } });
  if (!stats.isFile()) throw refuse('is no file');
  if (stats.size > mostBytes)
    throw refuse(`has ${grouped(stats.size)} bytes, and at most ${grouped(mostBytes)} are read`);
}

function grouped(bytes: number): string {
  return bytes.toLocaleString('en-US');
}
