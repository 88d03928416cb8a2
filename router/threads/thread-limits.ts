import { invalidField, type PlimsollError } from '../errors.ts';
import type { Item } from './items.ts';

/** Responses of one thread. */
export const MAX_TURNS = 1_000;
/** A thread with as many items takes no more. */
export const MAX_ITEMS = 2_000;
/** Items of one call that begins a conversation or adds to it: OpenAI's limit. */
const MAX_ITEMS_PER_CALL = 20;
/** Input items of a response that is kept. */
export const MAX_INPUT_ITEMS = 1_000;
/** No id of a thread is longer. */
export const MAX_ID_CHARACTERS = 200;
/** JSON of one response with its input; longer ones are not kept. */
export const MAX_CHARACTERS = 16 * 1024 * 1024;
/** References in one request. */
export const MAX_REFERENCES = 1_000;

export function refuseMany(items: readonly Item[]): void {
  if (items.length <= MAX_ITEMS_PER_CALL) return;
  throw invalidField(
    'items',
    `has ${items.length} items, and one call may have ${MAX_ITEMS_PER_CALL} at most`,
  );
}

/** A response without items counts as one. */
export function refuseFull(
  { entries }: { readonly entries: readonly { readonly items: readonly string[] }[] },
  field: string,
): void {
  const count = entries.reduce((sum, { items }) => sum + Math.max(1, items.length), 0);
  if (count >= MAX_ITEMS) throw fullThread(field);
}

export function fullThread(field: string): PlimsollError {
  return invalidField(
    field,
    `is of a thread that has ${MAX_ITEMS} items, and takes no more; begin a new thread, or send store: false to go on without keeping the response`,
  );
}
