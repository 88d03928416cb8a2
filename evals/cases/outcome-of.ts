import type { z } from 'zod';
import type { Outcome } from '../../router/types.ts';
import { BadRow } from './bad-row.ts';
import { outcomeRowSchema } from './case-row.ts';
import { DEFAULT_RULES, type NumberRules, numberOf, qualityOf } from './quality-scale.ts';
import { shownNames } from './shown-name.ts';

/** The field that holds the label where the caller names no other. */
export const DEFAULT_QUALITY_FIELD = 'quality';

/**
 * What a model did, checked. Undefined if the outcome was never labelled in a field of the caller's choice; an outcome without
 * the usual `quality` is a broken row, since it has no meaning.
 *
 * @param field where the outcome is in the row, for the rejected row
 * @throws BadRow: a quality off the scale or no number, a count, cost or latency that is negative or no number
 */
export function outcomeOf(
  row: object,
  qualityField: string,
  field: string,
  rules: NumberRules = DEFAULT_RULES,
): Outcome | undefined {
  const quality = labelOf(row, qualityField, field, rules);
  if (quality === undefined) return undefined;
  const result = outcomeRowSchema.safeParse(rules.quoted ? withNumbers(row, rules) : row);
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

function labelOf(row: object, qualityField: string, field: string, rules: NumberRules): number | undefined {
  const value: unknown = Object.hasOwn(row, qualityField) ? row[qualityField as keyof typeof row] : undefined;
  const place = `${field}.${qualityField}`;
  if (value !== undefined && value !== null) return qualityOf(value, rules, place);
  if (qualityField === DEFAULT_QUALITY_FIELD) throw new BadRow('missing; give a number from 0 to 1', place);
  return undefined;
}

/** Text that is a number by the file's rules, as a number. */
export function withNumbers(row: object, rules: NumberRules): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, numberOf(value, rules) ?? value]),
  );
}

/** The first issue that zod found. Its messages name types and limits, never a value; names of keys may be text in a wrong place. */
export function badRowOf(error: z.ZodError, parent?: string): BadRow {
  const [issue] = error.issues;
  const path = [...(parent === undefined ? [] : [parent]), ...issue.path.map(String)];
  const reason =
    issue.code === 'unrecognized_keys' ? `has no field ${shownNames(issue.keys)}; remove it` : issue.message;
  return new BadRow(reason, path.length === 0 ? undefined : path.join('.'));
}
