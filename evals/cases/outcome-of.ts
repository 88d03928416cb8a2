import type { z } from 'zod';
import type { Outcome } from '../../router/types.ts';
import { BadRow } from './bad-row.ts';
import { outcomeRowSchema, qualitySchema } from './case-row.ts';

/** The field that holds the label where the caller names no other. */
export const DEFAULT_QUALITY_FIELD = 'quality';

/**
 * What a model did, checked. Undefined if the outcome was never labelled in a field of the caller's choice; an outcome without
 * the usual `quality` is a broken row, since it has no meaning.
 *
 * @param field where the outcome stands in the row, for the rejected row
 * @throws BadRow: a quality outside 0..1 or no number, a count, cost or latency that is negative or no number
 */
export function outcomeOf(row: object, qualityField: string, field: string): Outcome | undefined {
  const quality = qualityOf(row, qualityField, field);
  if (quality === undefined) return undefined;
  const result = outcomeRowSchema.safeParse(row);
  if (!result.success) throw badRowOf(result.error, field);
  const { input_tokens, output_tokens, cost_usd, latency_ms } = result.data;
  return {
    quality,
    ...(input_tokens != null && { inputTokens: input_tokens }),
    ...(output_tokens != null && { outputTokens: output_tokens }),
    ...(cost_usd != null && { costUsd: cost_usd }),
    ...(latency_ms != null && { latencyMs: latency_ms }),
  };
}

function qualityOf(row: object, qualityField: string, field: string): number | undefined {
  const value: unknown = Object.hasOwn(row, qualityField) ? row[qualityField as keyof typeof row] : undefined;
  const place = `${field}.${qualityField}`;
  if (value === undefined || value === null) {
    if (qualityField === DEFAULT_QUALITY_FIELD) throw new BadRow('missing; give a number from 0 to 1', place);
    return undefined;
  }
  const result = qualitySchema.safeParse(value);
  if (result.success) return result.data;
  const given = typeof value === 'number' ? value : typeof value;
  throw new BadRow(`must be a number from 0 to 1, is ${given}`, place);
}

/** The first issue that zod found. Its messages name types and limits, never a value. */
export function badRowOf(error: z.ZodError, parent?: string): BadRow {
  const [issue] = error.issues;
  const path = [...(parent === undefined ? [] : [parent]), ...issue.path.map(String)];
  return new BadRow(issue.message, path.length === 0 ? undefined : path.join('.'));
}
