import { PlimsollError } from '../../router/errors.ts';
import { personTexts, routedText } from '../../router/prompt/index.ts';
import type { Message, Outcome } from '../../router/types.ts';
import { BadRow } from './bad-row.ts';
import type { Case } from './case.ts';
import { type CheckedRow, caseRowSchema } from './case-row.ts';
import { badRowOf } from './outcome-of.ts';
import { questionKey } from './question-key.ts';

/** The row's fields, checked. @throws BadRow: a wrong type, neither prompt nor messages, or both */
export function checkedRow(value: unknown): CheckedRow {
  const result = caseRowSchema.safeParse(value);
  if (!result.success) throw badRowOf(result.error);
  const { prompt, messages } = result.data;
  if (prompt === undefined && messages === undefined) throw new BadRow('missing or empty', 'prompt');
  if (prompt !== undefined && messages !== undefined) throw new BadRow('both prompt and messages; give one');
  return result.data;
}

/**
 * The case of a checked row. Its text is what serving would score for the same request.
 * @param fallbackId the id of a row that has none of its own
 * @throws BadRow: nothing to score, such as an empty prompt
 */
export function caseOf(row: CheckedRow, outcomes: ReadonlyMap<string, Outcome>, fallbackId: string): Case {
  const messages = messagesOf(row);
  const text = flatCopy(textOf(row, messages));
  const turns = messages.filter((message) => personTexts(message).length > 0).length;
  return {
    id: row.id == null ? fallbackId : String(row.id),
    text,
    key: row.key ?? questionKey(text),
    ...(row.group != null && { group: String(row.group) }),
    ...(row.task != null && { task: row.task }),
    ...(row.source != null && { source: row.source }),
    ...(row.language != null && { language: row.language }),
    ...(turns > 1 && { turns }),
    ...(offersTools(row) && { tools: true }),
    outcomes,
  };
}

/** As the request had it, or a plain yes or no. */
function offersTools({ tools }: CheckedRow): boolean {
  return Array.isArray(tools) ? tools.length > 0 : tools === true;
}

function textOf(row: CheckedRow, messages: readonly Message[]): string {
  try {
    return routedText({ messages });
  } catch (error) {
    if (!(error instanceof PlimsollError)) throw error;
    throw new BadRow('empty: no text to score', row.prompt === undefined ? 'messages' : 'prompt');
  }
}

/** The request that the row was: system text first, then the earlier turn of the person, then the prompt. */
function messagesOf({ system, context, prompt, messages }: CheckedRow): readonly Message[] {
  return [
    ...(system == null ? [] : [{ role: 'system', content: system }]),
    ...(context == null ? [] : [{ role: 'user', content: context }]),
    ...(prompt === undefined
      ? ((messages ?? []) as readonly Message[])
      : [{ role: 'user', content: prompt }]),
  ];
}

/** A string of its own: one cut out of a file's chunk would keep the whole chunk in memory. */
function flatCopy(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}
