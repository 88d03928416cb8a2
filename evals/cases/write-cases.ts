import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { PlimsollError } from '../../router/errors.ts';
import { BadRow } from './bad-row.ts';
import { caseFormatOf } from './case-format.ts';
import { caseOf, checkedRow } from './case-of.ts';
import type { CaseRow } from './case-row.ts';
import { DEFAULT_QUALITY_FIELD, outcomeOf } from './outcome-of.ts';

export interface WrittenCases {
  readonly rows: number;
  /** Of the bytes as stored, in hex: the same rows give the same file. */
  readonly sha256: string;
}

/**
 * Writes cases as JSON Lines, gzipped if the name ends in .gz, in the shape that loadCases reads. Each row is checked first; the
 * file appears under its name only when all are written, so that a broken run leaves no half file.
 *
 * @throws PlimsollError 'invalid-input': a row that loadCases would reject, or a name that is not JSON Lines; 'io': no place to write
 */
export async function writeCases(
  file: string,
  rows: Iterable<CaseRow> | AsyncIterable<CaseRow>,
): Promise<WrittenCases> {
  const { kind, gzipped } = caseFormatOf(file);
  if (kind !== 'json-lines') {
    throw new PlimsollError('invalid-input', `${file}: cases are written as JSON Lines; name it .jsonl.gz.`);
  }
  const partial = `${file}.partial`;
  const counted = { rows: 0, hash: createHash('sha256') };
  try {
    const packed = gzipped ? createGzip() : new PassThrough();
    const lines = Readable.from(linesOf(file, rows, counted));
    await pipeline(lines, packed, hashed(counted.hash), createWriteStream(partial));
    await rename(partial, file);
  } catch (cause) {
    await rm(partial, { force: true }).catch(() => {}); // where nothing could be written there is nothing to remove
    throw writeError(file, cause);
  }
  return { rows: counted.rows, sha256: counted.hash.digest('hex') };
}

async function* linesOf(
  file: string,
  rows: Iterable<CaseRow> | AsyncIterable<CaseRow>,
  counted: { rows: number },
): AsyncGenerator<string> {
  for await (const row of rows) {
    counted.rows += 1;
    requireRow(file, counted.rows, row);
    yield `${JSON.stringify(row)}\n`;
  }
}

function hashed(hash: ReturnType<typeof createHash>) {
  return async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
  };
}

/** Takes the row through the very steps of loading. */
function requireRow(file: string, number: number, row: CaseRow): void {
  try {
    const checked = checkedRow(row);
    for (const [model, outcome] of Object.entries(checked.outcomes)) {
      outcomeOf(outcome, DEFAULT_QUALITY_FIELD, `outcomes.${model}`);
    }
    caseOf(checked, new Map(), file);
  } catch (error) {
    if (!(error instanceof BadRow)) throw error;
    throw new PlimsollError('invalid-input', `${file}: row ${number} cannot be written: ${error.message}.`, {
      place: { file, line: number, ...(error.field !== undefined && { field: error.field }) },
    });
  }
}

function writeError(file: string, cause: unknown): PlimsollError {
  if (cause instanceof PlimsollError) return cause;
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === undefined) throw cause;
  const advice = code === 'ENOENT' ? ' Make its folder first.' : '';
  return new PlimsollError('io', `${file}: cannot be written (${code}).${advice}`, {
    place: { file },
    cause,
  });
}
