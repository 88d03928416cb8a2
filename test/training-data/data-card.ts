import { join } from 'node:path';
import { readTierCases, type TierCase } from '../../evals/cases/authored-cases.ts';

const folder = join(import.meta.dirname, '..', '..', 'training-data');

export const DATA_CARD = join(folder, 'README.md');

/** The generated part of the data card. */
const COUNTED = /(<!-- counted: )[^\n]*( -->\n)[\s\S]*?(<!-- end of counted -->)/;

export function everydayCases(): {
  readonly english: readonly TierCase[];
  readonly multilingual: readonly TierCase[];
  /** A fifth of each task, for the gate: nothing learns from them. */
  readonly heldOut: readonly TierCase[];
} {
  return {
    english: readTierCases(join(folder, 'everyday-english.jsonl')),
    multilingual: readTierCases(join(folder, 'everyday-multilingual.jsonl')),
    heldOut: readTierCases(join(folder, 'everyday-held-out.jsonl')),
  };
}

/** The data card with its generated part updated. */
export function withCounts(card: string): string {
  if (!COUNTED.test(card)) throw new Error('The data card has lost the marks of its counted part.');
  const { english, multilingual, heldOut } = everydayCases();
  const all = [...english, ...multilingual, ...heldOut];
  const counts = JSON.stringify({
    english: english.length,
    multilingual: multilingual.length,
    heldOut: heldOut.length,
    ...tiersOf(all),
  });
  const part = `\n${tableOf('task', all)}\n\n${tableOf('language', all)}\n\n`;
  return card.replace(COUNTED, (_whole, open, close, end) => `${open}${counts}${close}${part}${end}`);
}

function tableOf(field: 'task' | 'language', cases: readonly TierCase[]): string {
  const names = [...new Set(cases.map((one) => one[field]))].sort();
  const rows = names.map((name) =>
    rowOf(
      name,
      cases.filter((one) => one[field] === name),
    ),
  );
  return aligned([[field, 'cases', 'cheap', 'strong'], ...rows, rowOf('all', cases)]);
}

function rowOf(name: string, cases: readonly TierCase[]): readonly string[] {
  const { cheap, strong } = tiersOf(cases);
  return [name, `${cases.length}`, `${cheap}`, `${strong}`];
}

/** A Markdown table in the formatter's style: the first column left-aligned, numbers right-aligned. */
function aligned(rows: readonly (readonly string[])[]): string {
  const columns = rows[0]?.keys() ?? [];
  const widths = Array.from(columns, (column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  const [head, ...body] = rows.map((row) =>
    line(
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))),
    ),
  );
  return [head, line(rule), ...body].join('\n');
}

function tiersOf(cases: readonly TierCase[]): { readonly cheap: number; readonly strong: number } {
  const cheap = cases.filter(({ tier }) => tier === 'cheap').length;
  return { cheap, strong: cases.length - cheap };
}
