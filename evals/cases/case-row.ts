import { z } from 'zod';

const optionalName = z.union([z.string().min(1), z.number()]).nullish();
const amount = z.number().min(0).nullish();

/** One message of a conversation. Other fields and unknown kinds of content pass; routedText decides what counts. */
const messageSchema = z.looseObject({
  role: z.string(),
  content: z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]).nullish(),
});

/**
 * One line of a cases file: a prompt (or messages) and what each model reached on it. Other fields are allowed and ignored.
 * `context` is the earlier turn of the same person, `system` the operator's text, which is never scored.
 */
export const caseRowSchema = z.looseObject({
  id: optionalName,
  prompt: z.string().optional(),
  messages: z.array(messageSchema).optional(),
  context: z.string().nullish(),
  system: z.string().nullish(),
  key: z.string().min(1).nullish(),
  group: optionalName,
  task: z.string().nullish(),
  source: z.string().nullish(),
  language: z.string().nullish(),
  tools: z.union([z.boolean(), z.array(z.unknown())]).nullish(),
  outcomes: z.record(z.string(), z.looseObject({})),
});

/** What one model did, in the file's words. The quality stands in a field of the caller's choice and is checked apart. */
export const outcomeRowSchema = z.looseObject({
  input_tokens: amount,
  output_tokens: amount,
  cost_usd: amount,
  latency_ms: amount,
});

/** A row as it is written: see caseRowSchema. */
export type CaseRow = z.input<typeof caseRowSchema>;
export type CheckedRow = z.output<typeof caseRowSchema>;
