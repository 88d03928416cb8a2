import type { Dialect } from '../catalog/index.ts';
import { isObject } from '../json/index.ts';
import type { Message } from '../types.ts';

/**
 * The messages of a client's request, for the text that is scored. The input of the Responses API is a text, or items of which some are
 * messages; a result of a tool takes the place of a message that is not a person's. The form of the body has been checked.
 */
export function requestMessages(
  body: Readonly<Record<string, unknown>>,
  dialect: Dialect,
): readonly Message[] {
  if (dialect !== 'responses') return body['messages'] as readonly Message[];
  const { input } = body;
  if (typeof input === 'string') return [{ role: 'user', content: input }];
  if (!Array.isArray(input)) return [];
  return input.map((item: unknown) => (isMessage(item) ? item : { role: 'tool', content: null }));
}

function isMessage(item: unknown): item is Message {
  return isObject(item) && typeof item['role'] === 'string';
}
