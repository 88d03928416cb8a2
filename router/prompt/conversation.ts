import type { Dialect } from '../catalog/index.ts';
import { isObject } from '../json/index.ts';
import { requestMessages } from './request-messages.ts';

/** A turn of a conversation as a person reads it. */
export interface ReadableTurn {
  readonly role: string;
  /** What is no text is named in brackets. */
  readonly text: string;
}

/** A whole request as text, its instructions first. For people: what is scored leaves much of it out. */
export function conversationOf(
  body: Readonly<Record<string, unknown>>,
  dialect: Dialect,
): readonly ReadableTurn[] {
  const instructions =
    dialect === 'anthropic' ? body['system'] : dialect === 'responses' ? body['instructions'] : undefined;
  const first = instructions == null ? [] : [{ role: 'system', text: textOf(instructions) }];
  const turns = requestMessages(body, dialect).map(({ role, content }) => ({ role, text: textOf(content) }));
  return [...first, ...turns];
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map(partText).join('\n');
}

function partText(part: unknown): string {
  if (!isObject(part)) return '';
  const { type, text } = part;
  return typeof text === 'string' ? text : `[${typeof type === 'string' ? type : 'unreadable'}]`;
}
