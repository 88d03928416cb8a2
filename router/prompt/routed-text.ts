import { PlimsollError } from '../errors.ts';
import type { Message, RouteInput } from '../types.ts';
import { personAsk, personTexts } from './person-ask.ts';
import { BETWEEN_ASKS, EARLIER_ASKS_WITHIN_CHARACTERS, headAndTail, wellFormed } from './text-limits.ts';

/** Longest routed text, in UTF-16 units. Everything downstream may rely on it. */
export const MAX_ROUTED_CHARACTERS = 32_000;

/** A shorter remnant of an earlier ask says nothing. */
const SHORTEST_REMNANT = 40;

/**
 * The text that is scored: what the person asked, the same in training and in serving.
 *
 * 1. Only what a person sent counts: no system or developer prompts, replies, thinking, tool calls or tool results.
 * 2. Each message loses what harnesses put round a person's words (known-shapes.ts). What a person pasted stays.
 * 3. The last ask comes first. Earlier asks follow, newest first, as long as the whole stays within EARLIER_ASKS_WITHIN_CHARACTERS; the one
 *    that passes the limit keeps its head and tail. So "and in Python?" is scored with the question that it follows, and a long ask alone.
 * 4. If stripping leaves nothing at all, the newest text that came in a person's name is taken as it is.
 * 5. The last ask keeps head and tail within MAX_ROUTED_CHARACTERS; NUL and lone surrogates become U+FFFD.
 *
 * A plain prompt comes back trimmed and otherwise unchanged.
 *
 * @throws PlimsollError 'invalid-input' if no person wrote any text, for example if a request holds only images. Such a request has nothing
 *   to score: its route follows from what it requires.
 */
export function routedText(input: RouteInput): string {
  const text = scoredText(input);
  if (text === undefined) throw noText('every message from the user is empty or holds no text');
  return text;
}

/**
 * The same; undefined if no person wrote any text in the messages.
 * @throws PlimsollError 'invalid-input' if a prompt is empty or there are no messages
 */
export function scoredText(input: RouteInput): string | undefined {
  const messages = messagesOf(input);
  const text = asksNewestFirst(messages) ?? unstripped(messages);
  if (text !== undefined) return wellFormed(text);
  if ('prompt' in input && input.prompt !== undefined) throw noText('the prompt is empty');
  if (messages.length === 0) throw noText('there are no messages');
  return undefined;
}

function noText(why: string): PlimsollError {
  return new PlimsollError('invalid-input', `There is no text to score: ${why}. Send at least one word.`);
}

/** Callers without types can pass anything, so the form is checked. */
function messagesOf(input: RouteInput): readonly Message[] {
  const { prompt, messages } = Object(input) as { prompt?: unknown; messages?: unknown };
  if (typeof prompt === 'string' && messages === undefined) return [{ role: 'user', content: prompt }];
  if (prompt === undefined && Array.isArray(messages)) {
    const wrong = messages.findIndex((message) => typeof message?.role !== 'string');
    if (wrong === -1) return messages;
    throw new PlimsollError(
      'invalid-input',
      `messages[${wrong}] has no role. Give each message a role and its content.`,
      {
        place: { field: `messages.${wrong}.role` },
      },
    );
  }
  throw new PlimsollError('invalid-input', 'Give either a prompt (a string) or messages (a list).');
}

/** The asks in one text; undefined if there is none. */
function asksNewestFirst(messages: readonly Message[]): string | undefined {
  let asks: string | undefined;
  let room = MAX_ROUTED_CHARACTERS;
  for (const message of messages.toReversed()) {
    if (room < SHORTEST_REMNANT) break;
    const { text, endsHistory } = personAsk(personTexts(message));
    if (text !== '') {
      const ask = headAndTail(text, room);
      const limit = asks === undefined ? EARLIER_ASKS_WITHIN_CHARACTERS : room;
      asks = asks === undefined ? ask : asks + BETWEEN_ASKS + ask;
      room = limit - ask.length - BETWEEN_ASKS.length;
    }
    if (endsHistory) break;
  }
  return asks;
}

/** The newest text in a person's name with the harness noise in it, for a request that holds nothing else. */
function unstripped(messages: readonly Message[]): string | undefined {
  for (const message of messages.toReversed()) {
    const text = personTexts(message).join('\n').trim();
    if (text !== '') return headAndTail(text, MAX_ROUTED_CHARACTERS);
  }
  return undefined;
}
