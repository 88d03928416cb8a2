import { createHash } from 'node:crypto';
import { isObject } from '../../router/json/index.ts';
import { buildCase, type Case, type CaseRow, DEFAULT_QUALITY_FIELD, parseCaseRow } from './case.ts';
import { emptyFile } from './case-file.ts';
import { FieldNames, mapError, type RowFields } from './field-names.ts';
import type { LoadOptions } from './load-cases.ts';
import { BadRow, catchBadRow, RejectLog, shownNames } from './rejects.ts';
import { RowIds, readRows } from './rows.ts';

/** A request of a file, whatever labels it has there. */
export interface PromptRow {
  /** The row as it was, with an id and without outcomes: to be labelled, and read by loadCases again. */
  readonly row: CaseRow;
  readonly one: Case;
}

export interface PromptRowOptions extends Pick<LoadOptions, 'columns' | 'maxRejectShare' | 'rejectsFile'> {
  /** Called at the end with what a person should know: rejected rows by kind, names that were not read. A line each. */
  readonly onNotes?: (lines: readonly string[]) => void;
}

/**
 * The requests of files of cases, labelled or not: outcomes are not read, and a table needs no column for them. Rows that loadCases would
 * take for one request, such as two with the same id and text, come once. Bad rows are counted and left out.
 *
 * @throws PlimsollError as loadCases; after the last row 'invalid-input' if more rows are bad than allowed, or the map has a column that no
 *   file has
 */
export async function* promptRows(
  files: readonly string[],
  { columns, maxRejectShare, rejectsFile, onNotes = () => {} }: PromptRowOptions = {},
): AsyncGenerator<PromptRow> {
  const names = new FieldNames(DEFAULT_QUALITY_FIELD, columns, { outcomesOptional: true });
  const rejects = new RejectLog(rejectsFile);
  const known = new Set<string>();
  let read = 0;
  try {
    for (const file of files) {
      const before = read;
      const ids = new RowIds(file);
      for await (const { line, element, content } of readRows(file, names)) {
        read += 1;
        const prompt = content instanceof BadRow ? content : catchBadRow(() => promptRow(content, line, ids));
        if (prompt instanceof BadRow) {
          rejects.add(file, line, prompt.inElement(element));
          continue;
        }
        const request = requestName(prompt.one);
        if (known.has(request)) continue;
        known.add(request);
        yield prompt;
      }
      if (read === before) throw emptyFile(file);
    }
    const unused = names.unusedSources();
    if (unused.length > 0) throw mapError(`no file has ${shownNames(unused)}`);
    rejects.requireFew(read, maxRejectShare, names.notes());
    onNotes([...rejects.lines, ...names.notes()]);
  } finally {
    rejects.close();
  }
}

function promptRow({ fields, long }: RowFields, line: number, ids: RowIds): PromptRow {
  const row = parseCaseRow(isObject(fields) ? { ...fields, outcomes: {} } : fields);
  const id = ids.resolve(row, line, long);
  return { row: { ...row, id }, one: buildCase(row, new Map(), id) };
}

/** The same for rows that are one request; 96 bits of a hash, since a pool may have millions. */
function requestName({ id, key, group, text }: Case): string {
  return createHash('sha256')
    .update(JSON.stringify([id, key, group, text]))
    .digest()
    .toString('latin1', 0, 12);
}
