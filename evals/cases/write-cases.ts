import { createHash } from 'node:crypto';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { PlimsollError } from '../../router/errors.ts';
import { openReplacement, type Replacement } from '../../router/files/index.ts';
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
  if (kind !== 'json') {
    throw new PlimsollError('invalid-input', `${file}: cases are written as JSON Lines; name it .jsonl.gz.`);
  }
  const counted = { rows: 0, hash: createHash('sha256') };
  const replacement = openReplacement(file, { what: 'the cases to' });
  try {
    const packed = gzipped ? createGzip() : new PassThrough();
    await pipeline(Readable.from(linesOf(file, rows, counted)), packed, into(replacement, counted.hash));
    replacement.commit();
  } finally {
    replacement.discard();
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

function into(replacement: Replacement, hash: ReturnType<typeof createHash>): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      try {
        hash.update(chunk);
        replacement.write(chunk);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
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
