import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { PassThrough, pipeline, type Readable, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { PlimsollError } from '../../router/errors.ts';
import type { CaseFormat } from './case-format.ts';

const GZIP_MAGIC = [0x1f, 0x8b];

export interface OpenCaseFile {
  /** The bytes after decompression. A failure to read comes out of it as an error of the system or of zlib. */
  readonly bytes: Readable;
  /** sha256 in hex of the file as it is stored; complete once `bytes` has ended. */
  readonly sha256: () => string;
}

/** Opens a file for one pass: bytes for the reader, and their hash on the way. Nothing is held beyond a chunk. */
export function openCaseFile(file: string, { gzipped }: CaseFormat): OpenCaseFile {
  const hash = createHash('sha256');
  let first = true;
  const tap = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      const disguised = first && !gzipped && GZIP_MAGIC.every((byte, index) => chunk[index] === byte);
      first = false;
      done(disguised ? disguisedGzip(file) : null, chunk);
    },
    flush(done) {
      done(first ? emptyFile(file) : null);
    },
  });
  const unpacked = gzipped ? createGunzip() : new PassThrough();
  // An error in any stage destroys the others and reaches the reader of the last one.
  const bytes = pipeline(createReadStream(file), tap, unpacked, () => {});
  return { bytes, sha256: () => hash.digest('hex') };
}

function disguisedGzip(file: string): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${file}: this is gzip without .gz in its name. Rename it to ${file}.gz.`,
    { place: { file } },
  );
}

/** Also what zlib would call cut off: no byte at all. */
export function emptyFile(file: string): PlimsollError {
  return new PlimsollError('invalid-input', `${file}: the file is empty: there is no row of data in it.`, {
    place: { file },
  });
}
