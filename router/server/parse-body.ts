import type { z } from 'zod';
import { isObject } from '../json/index.ts';
import { type ErrorAnswer, errorAnswer } from './error-answer.ts';

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly answer: ErrorAnswer };

/** Checks a body once; the first thing that is wrong becomes the answer. Values are never quoted, names of fields are. */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): Parsed<T> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return { ok: true, value: parsed.data };
  return { ok: false, answer: issueAnswer(parsed.error.issues[0]!) };
}

/** Of all messages of all requests in a body. The schema notes every wrong part, though only the first is reported. */
const MAX_PARTS = 10_000;

/** The response to a body whose messages have more parts than are checked; undefined if they have not. */
export function tooManyParts(requests: readonly unknown[]): ErrorAnswer | undefined {
  const lists = requests.flatMap((request) =>
    listIn(request, 'messages').map((one) => listIn(one, 'content')),
  );
  const parts = lists.reduce((sum, { length }) => sum + length, 0);
  if (parts <= MAX_PARTS) return undefined;
  const message = `The messages have ${parts} parts, more than ${MAX_PARTS}. Send fewer, with longer texts.`;
  return errorAnswer({ status: 413, code: 'too_many_entries', message, param: 'messages' });
}

function listIn(holder: unknown, field: string): readonly unknown[] {
  const list = isObject(holder) ? holder[field] : undefined;
  return Array.isArray(list) ? list : [];
}

function issueAnswer(issue: z.core.$ZodIssue): ErrorAnswer {
  const param = fieldName(issue.path);
  if (issue.code === 'unrecognized_keys') return unknownField(fieldName([...issue.path, issue.keys[0]!])!);
  if (issue.code === 'too_big' && issue.origin === 'array') {
    const message = `${param} has more than ${issue.maximum} entries.`;
    return errorAnswer({ status: 413, code: 'too_many_entries', message, param });
  }
  const message = `${param ?? 'The body'}: ${reasonOf(issue)}.`;
  return errorAnswer({ status: 400, code: 'invalid_field', message, param });
}

function unknownField(param: string): ErrorAnswer {
  const message = `There is no field "${param}" in this request. Remove it; docs/API.md lists the fields.`;
  return errorAnswer({ status: 400, code: 'unknown_field', message, param });
}

function reasonOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_union'
    ? 'must be a string, a list of parts with a type, or null'
    : issue.message;
}

const LONGEST_FIELD_NAME = 100;

/** `messages.0.role`. The name may come from the client, so it is cut short and only printable characters stay. */
function fieldName(path: readonly PropertyKey[]): string | null {
  if (path.length === 0) return null;
  const name = path.map(String).join('.');
  return name.slice(0, LONGEST_FIELD_NAME).replace(/[^\x20-\x7e]/g, '?');
}
