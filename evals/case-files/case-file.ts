import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { PassThrough, pipeline, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { PlimsollError } from '../../router/errors.ts';
import type { CaseFormat } from './quality-scale.ts';

const FORMATS: readonly (readonly [ending: string, format: CaseFormat])[] = [
  ['.jsonl', 'json'],
  ['.ndjson', 'json'],
  ['.json', 'json'],
  ['.csv', 'csv'],
  ['.tsv', 'tsv'],
];

/**
 * The format of a file of cases, by its name alone. `.gz` after any of the endings means compressed.
 * @throws PlimsollError 'invalid-input' for any other ending
 */
export function caseFormat(file: string): CaseFormat {
  const name = file.toLowerCase();
  const bare = isGzipped(file) ? name.slice(0, -'.gz'.length) : name;
  for (const [ending, format] of FORMATS) if (bare.endsWith(ending)) return format;
  throw new PlimsollError(
    'invalid-input',
    `${file}: cannot tell the format from the name. Cases are JSON (.jsonl, .ndjson, .json: one object a line, objects over ` +
      'several lines, or an array), CSV (.csv) or tab-separated (.tsv), each also as .gz.',
    { place: { file } },
  );
}

export function isGzipped(file: string): boolean {
  return /\.gz$/i.test(file);
}

/** Takes the sha256 of a file while it is read. */
export class FileHash {
  readonly #hash = createHash('sha256');

  readonly update = (chunk: Buffer): void => {
    this.#hash.update(chunk);
  };

  /** In hex. Call once, at the end. */
  digest(): string {
    return this.#hash.digest('hex');
  }
}

const GZIP_MAGIC = [0x1f, 0x8b];

/**
 * The bytes of a file as UTF-8, decompressed if its name ends in .gz. Never holds more than a chunk.
 * @param onStored called with each chunk as it is stored
 * @throws PlimsollError: as fileError; 'invalid-input': an empty file, gzip under another name, UTF-16 that cannot be decoded
 */
export async function* readBytes(
  file: string,
  onStored: (chunk: Buffer) => void = () => {},
): AsyncGenerator<Buffer> {
  const gzipped = isGzipped(file);
  let first = true;
  const stored = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      onStored(chunk);
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
  const bytes = pipeline(createReadStream(file), stored, unpacked, utf8FromUtf16(file), () => {});
  try {
    yield* bytes;
  } catch (error) {
    throw fileError(file, error);
  } finally {
    bytes.destroy();
  }
}

/** Whether the bytes of a file, decompressed, are at most so many. Reads no further than it has to. @throws PlimsollError as readBytes */
export async function isWithin(file: string, mostBytes: number): Promise<boolean> {
  let bytes = 0;
  for await (const chunk of readBytes(file)) {
    bytes += chunk.length;
    if (bytes > mostBytes) return false;
  }
  return true;
}

/** What to do about the system's and zlib's errors when reading a file. */
const FAILURES: Readonly<Record<string, readonly ['not-found' | 'invalid-input' | 'io', string]>> = {
  ENOENT: ['not-found', 'there is no such file'],
  ENOTDIR: ['not-found', 'there is no such file'],
  EISDIR: ['invalid-input', 'this is a folder; name the files in it'],
  EACCES: ['io', 'no permission to read it'],
  EPERM: ['io', 'no permission to read it'],
  Z_BUF_ERROR: [
    'invalid-input',
    'the file ends in the middle of the compressed stream; download or copy it again',
  ],
  Z_DATA_ERROR: [
    'invalid-input',
    'the compressed stream is damaged, or the file is not gzip in spite of its name',
  ],
};

/** What to throw for a file that could not be read. An error that is not about the file, or is a PlimsollError already, is returned as it is. */
export function fileError(file: string, cause: unknown): unknown {
  if (cause instanceof PlimsollError || !(cause instanceof Error)) return cause;
  const systemCode = (cause as NodeJS.ErrnoException).code;
  if (systemCode === undefined) return cause;
  const [code, reason] = FAILURES[systemCode] ?? ['io', `it cannot be read (${systemCode})`];
  return new PlimsollError(code, `${file}: ${reason}.`, { place: { file }, cause });
}

/**
 * The JSON of a file.
 * @param notJson the error if it is not one
 * @throws PlimsollError `not-found` or `io` if it cannot be read
 */
export function readJsonFile(file: string, notJson: () => PlimsollError): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw fileError(file, cause);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw notJson();
  }
}

/** Also for a compressed file without a byte, which zlib would call cut off. */
export function emptyFile(file: string): PlimsollError {
  return new PlimsollError('invalid-input', `${file}: the file is empty: there is no row of data in it.`, {
    place: { file },
  });
}

function disguisedGzip(file: string): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${file}: this is gzip without .gz in its name. Rename it to ${file}.gz.`,
    { place: { file } },
  );
}

/** Converts UTF-16 with a byte order mark, such as a spreadsheet's "Unicode text"; everything else passes unchanged. */
function utf8FromUtf16(file: string): Transform {
  let head: Buffer | undefined = Buffer.alloc(0);
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  const begin = (bytes: Buffer): void => {
    head = undefined;
    const encoding = utf16Encoding(bytes);
    if (encoding !== undefined) decoder = new TextDecoder(encoding, { fatal: true });
    else if (bytes.subarray(0, 2).includes(0)) throw unknownUtf16(file);
  };
  const convert = (chunk: Buffer): Buffer =>
    decoder === undefined ? chunk : Buffer.from(decoder.decode(chunk, { stream: true }));
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        const bytes = head === undefined ? chunk : Buffer.concat([head, chunk]);
        if (head !== undefined && bytes.length < 2) {
          head = bytes;
          done();
          return;
        }
        if (head !== undefined) begin(bytes);
        done(null, convert(bytes));
      } catch (cause) {
        done(notUtf16(file, cause));
      }
    },
    flush(done) {
      try {
        const rest = head ?? Buffer.alloc(0);
        if (head !== undefined) begin(rest);
        const parts = [convert(rest), Buffer.from(decoder?.decode() ?? '')];
        done(null, Buffer.concat(parts));
      } catch (cause) {
        done(notUtf16(file, cause));
      }
    },
  });
}

function utf16Encoding(bytes: Buffer): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : undefined;
}

function notUtf16(file: string, cause: unknown): Error {
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
