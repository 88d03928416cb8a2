import type { z } from 'zod';
import { BadRow, badRowOf } from '../../evals/cases/index.ts';

/** The row as its schema describes it. @throws BadRow: the first field that does not fit */
export function checked<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value);
  if (!result.success) throw badRowOf(result.error);
  return result.data;
}

/** A cell of the sources' own tables: true or false, as pandas writes it, or 1.0 and 0.0. */
export function qualityCell(cell: string, column: string): number {
  const text = cell.trim().toLowerCase();
  if (text === 'true') return 1;
  if (text === 'false') return 0;
  const value = Number(text);
  if (text !== '' && value >= 0 && value <= 1) return value;
  throw new BadRow('must be True, False or a number from 0 to 1', column);
}
