import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { PassThrough, pipeline, type Readable, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { PlimsollError } from '../../router/errors.ts';
import type { CaseFormat } from './case-format.ts';

const GZIP_MAGIC = [0x1f, 0x8b];

export interface OpenCaseFile {
  /** The bytes after decompression, as UTF-8. A failure to read comes out of it as an error of the system or of zlib. */
  readonly bytes: Readable;
  /** sha256 in hex of the file as it is stored; complete once `bytes` has ended. */
  readonly sha256: () => string;
}

/** Opens a file for one pass: bytes for the reader, and their hash on the way. Nothing is held beyond a chunk. */
export function openCaseFile(file: string, { gzipped }: Pick<CaseFormat, 'gzipped'>): OpenCaseFile {
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
  const bytes = pipeline(createReadStream(file), tap, unpacked, fromUtf16(file), () => {});
  return { bytes, sha256: () => hash.digest('hex') };
}

/** Makes UTF-8 of UTF-16, as "Unicode text" of spreadsheets is; told by its byte order mark. Anything else passes as it is. */
function fromUtf16(file: string): Transform {
  let head: Buffer | undefined = Buffer.alloc(0);
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  const begun = (): Buffer => {
    const bytes = head!;
    head = undefined;
    const encoding = utf16Of(bytes);
    if (encoding !== undefined) decoder = new TextDecoder(encoding, { fatal: true });
    else if (bytes.subarray(0, 2).includes(0)) throw unknownUtf16(file);
    return bytes;
  };
  const passed = (chunk: Buffer | undefined): Buffer => {
    if (decoder === undefined) return chunk ?? Buffer.alloc(0);
    return Buffer.from(chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true }));
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        if (head !== undefined) head = Buffer.concat([head, chunk]);
        if (head !== undefined && head.length < 2) done();
        else done(null, passed(head === undefined ? chunk : begun()));
      } catch (cause) {
        done(unreadable(file, cause));
      }
    },
    flush(done) {
      try {
        const rest = head === undefined ? undefined : begun();
        done(
          null,
          Buffer.concat([
            ...(rest === undefined ? [] : [passed(rest)]),
            ...(decoder ? [passed(undefined)] : []),
          ]),
        );
      } catch (cause) {
        done(unreadable(file, cause));
      }
    },
  });
}

function utf16Of(bytes: Buffer): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : undefined;
}

function unreadable(file: string, cause: unknown): Error {
  if (cause instanceof PlimsollError) return cause;
  return new PlimsollError('invalid-input', `${file}: not valid UTF-16. Save the file as UTF-8.`, {
    place: { file },
    cause,
  });
}

function unknownUtf16(file: string): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${file}: this looks like UTF-16 without a byte order mark. Save the file as UTF-8.`,
    { place: { file, line: 1 } },
  );
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
