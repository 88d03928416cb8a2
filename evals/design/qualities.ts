import { z } from 'zod';
import { PlimsollError } from '../../router/errors.ts';
import { BadRow, parseRow } from '../case-files/index.ts';
import { readRecords } from '../cases/index.ts';

/** How good a model was on requests of one task. */
export interface QualityRow {
  readonly model: string;
  readonly task: string;
  /** Mean over `n` requests, 0..1. */
  readonly quality: number;
  readonly n: number;
  /** The data set, if it was not the traffic that the design is for. */
  readonly source?: string;
  /** Means of the same requests; left out if they are not known. */
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly costUsd?: number;
}

/** A number, or the text of one in a table. */
function numeric(low: number, high: number, error: string) {
  const isNumber = (value: number | string) =>
    !(typeof value === 'string' && value.trim() === '') && Number(value) >= low && Number(value) <= high;
  return z.union([z.number(), z.string()], { error }).refine(isNumber, { error }).transform(Number);
}

const MOST = 1e9;
const amount = (error: string) => numeric(0, MOST, error).nullish();
const rowSchema = z.strictObject({
  model: z.string({ error: 'must be the name of a model' }).min(1),
  task: z.string({ error: 'must be the name of a task' }).min(1),
  quality: numeric(0, 1, 'must be a number from 0 to 1'),
  n: numeric(1, MOST, 'must be the number of requests that the quality is the mean of, 1 or more'),
  source: z.string().min(1).nullish(),
  input_tokens: amount('must be the mean tokens of a request, 0 or more'),
  output_tokens: amount('must be the mean tokens of a reply, 0 or more'),
  cost_usd: amount('must be the mean US dollars of a request, 0 or more'),
});

/**
 * A table of qualities: CSV, TSV, JSON or JSON Lines with the columns model, task, quality and n, and if known source, input_tokens,
 * output_tokens and cost_usd. Rows without a source are of the traffic that the design is for.
 * @throws PlimsollError `invalid-input`, naming file, line and field; as `readRecords` for a file that cannot be read
 */
export async function readQualities(file: string): Promise<readonly QualityRow[]> {
  const rows: QualityRow[] = [];
  const seen = new Map<string, number>();
  for await (const { line, fields } of readRecords(file)) {
    const row = parsed(file, line, fields);
    const key = JSON.stringify([row.model, row.task, row.source]);
    const before = seen.get(key);
    if (before !== undefined) {
      throw fault(
        file,
        line,
        `${row.model} has a quality for ${row.task} in line ${before} already. Leave one of them, or give them different sources.`,
      );
    }
    seen.set(key, line);
    rows.push(row);
  }
  if (rows.length === 0)
    throw fault(file, 1, 'it has no row. Give one a model and task: model,task,quality,n.');
  return rows;
}

function parsed(file: string, line: number, fields: () => Readonly<Record<string, unknown>>): QualityRow {
  try {
    const row = parseRow(rowSchema, fields());
    const { model, task, quality, n } = row;
    return {
      model,
      task,
      quality,
      n,
      ...(row.source != null && { source: row.source }),
      ...(row.input_tokens != null && { inputTokens: row.input_tokens }),
      ...(row.output_tokens != null && { outputTokens: row.output_tokens }),
      ...(row.cost_usd != null && { costUsd: row.cost_usd }),
    };
  } catch (error) {
    if (!(error instanceof BadRow)) throw error;
    throw fault(
      file,
      line,
      `${error.message}. A row has model, task, quality (0 to 1) and n, and if known source, input_tokens, output_tokens, cost_usd.`,
      error.field,
    );
  }
}

function fault(file: string, line: number, reason: string, field?: string): PlimsollError {
  return new PlimsollError('invalid-input', `${file}, line ${line}: ${reason}`, {
    place: { file, line, ...(field !== undefined && { field }) },
  });
}
