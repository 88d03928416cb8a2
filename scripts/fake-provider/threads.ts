import type { IncomingHttpHeaders } from 'node:http';
import { type Json, objects } from './json.ts';

/** Anthropic's message threads, by the id of their last reply: the request as a whole, with that reply as its last message. */
export type Threads = Map<string, Json>;

const BETA = 'message-threads-';

/**
 * A request to /messages without its `thread` field: one that continues a thread gets the thread's messages, system prompt and tools.
 * Undefined if the thread does not exist. A request without threads, or without their beta header, stays as it is.
 */
export function unthreadedBody(threads: Threads, body: Json, headers: IncomingHttpHeaders): Json | undefined {
  const { thread, ...rest } = body;
  if (!isThreaded(body, headers)) return body;
  const { type, previous_message_id: previous } = thread as Json;
  if (type === 'create') return rest;
  const stored = threads.get(String(previous));
  return (
    stored && { ...stored, ...rest, messages: [...objects(stored['messages']), ...objects(rest['messages'])] }
  );
}

/** Keeps the conversation for the next request of its thread. @param whole the request, as {@link unthreadedBody} gives it */
export function storeThread(threads: Threads, whole: Json, { id, content }: Json): void {
  const reply = { role: 'assistant', content };
  threads.set(String(id), { ...whole, messages: [...objects(whole['messages']), reply] });
}

export function isThreaded({ thread }: Json, headers: IncomingHttpHeaders): boolean {
  return thread != null && String(headers['anthropic-beta']).includes(BETA);
}
