import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { PlimsollError } from '../../router/errors.ts';
import { BadRow } from './bad-row.ts';
import { fileError } from './file-error.ts';
import { badRowOf } from './outcome-of.ts';
import { shownName } from './shown-name.ts';

/**
 * Reads JSON Lines that people wrote by hand: each line checked against the schema, then made into what `caseOf` gives. Strict:
 * one bad row is a fault to mend and not one to skip. Blank lines are passed over.
 *
 * @throws PlimsollError 'invalid-input': a row that does not fit, an id twice, no row at all; 'not-found', 'io': no such file
 */
export function strictRows<Row extends { readonly id: string }, Made>(
  file: string,
  schema: z.ZodType<Row>,
  caseOf: (row: Row) => Made,
): Made[] {
  const ids = new Set<string>();
  const made: Made[] = [];
  for (const [index, line] of textOf(file).split('\n').entries()) {
    if (line.trim() === '') continue;
    try {
      const row = checkedRow(line, schema);
      if (ids.has(row.id)) throw new BadRow(`${shownName(row.id)} stands in an earlier row too`, 'id');
      ids.add(row.id);
      made.push(caseOf(row));
    } catch (error) {
      throw rowError(file, index + 1, error);
    }
  }
  if (made.length > 0) return made;
  throw new PlimsollError('invalid-input', `${file}: there is no row of data in it.`, { place: { file } });
}

function textOf(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (cause) {
    throw fileError(file, cause);
  }
}

function checkedRow<Row>(line: string, schema: z.ZodType<Row>): Row {
  const result = schema.safeParse(JSON.parse(line));
  if (!result.success) throw badRowOf(result.error);
  return result.data;
}

/** The messages of JSON.parse may quote the row, so nothing is taken from them. */
function rowError(file: string, line: number, cause: unknown): PlimsollError {
  const known = cause instanceof BadRow || cause instanceof PlimsollError;
  const reason = known ? cause.message : 'not valid JSON';
  const field = cause instanceof BadRow ? cause.field : undefined;
  return new PlimsollError('invalid-input', `${file}:${line}: ${reason}`, {
    place: { file, line, ...(field !== undefined && { field }) },
    cause,
  });
}
