import { checkedRow } from '../../evals/cases/case-of.ts';
import type { CheckedRow } from '../../evals/cases/case-row.ts';
import type { ImportedRow, Importer } from './importer.ts';
import { eachLine, rawName } from './raw-file.ts';

/**
 * Any JSON Lines that loadCases reads. Fields that mean nothing to it are left out, a missing id becomes file and line, and rows
 * of one id are put together; the label and amounts of each outcome stay as they are.
 */
export const jsonl: Importer = {
  format: 'jsonl',
  describe: 'cases in JSON Lines, checked and written in the canonical form',
  accepts: 'any .jsonl, .ndjson or their .gz that the other commands read',
  async import(paths, emit) {
    for (const file of paths) {
      await eachLine(file, (line, parse) =>
        emit.row(file, line, () => rowOf(checkedRow(parse()), `${rawName(file)}:${line}`)),
      );
    }
  },
};

function rowOf(row: CheckedRow, fallbackId: string): ImportedRow {
  const { source, task, group, system, context, key, prompt, messages } = row;
  const split = typeof row['split'] === 'string' ? row['split'] : undefined;
  return {
    id: String(row.id ?? fallbackId),
    ...(source != null && { source }),
    ...(task != null && { task }),
    ...(split !== undefined && { split }),
    ...(group != null && { group: String(group) }),
    ...(system != null && { system }),
    ...(context != null && { context }),
    ...(key != null && { key }),
    ...(prompt !== undefined && { prompt }),
    ...(messages !== undefined && { messages }),
    outcomes: row.outcomes,
  };
}
