import { isObject } from '../json/index.ts';

export type Json = Readonly<Record<string, unknown>>;

/**
 * Repairs the replies of one kind of provider before the SDK reads them. The SDK rejects a whole reply for one field of an unexpected form,
 * and many servers that copy an API send such fields. So a repair copies what the mapping needs, in the form of the API's own documentation,
 * and leaves out the rest.
 */
export interface ReplyRepair {
  /** The events that the SDK gets for an event of a stream: often none. @throws ExchangeError if no reply can follow */
  event(event: Json): Json[];
  /** What the SDK still needs at the end of the stream. @param marked the API's own mark of the end has come, not just the end of its bytes */
  end(marked: boolean): Json[];
  /** A plain reply. @throws ExchangeError `unreadable` if it is none */
  plain(reply: Json): Json;
}

/** An object in a field, or an empty one. */
export function objectIn(holder: unknown, name: string): Json {
  const value = isObject(holder) ? holder[name] : undefined;
  return isObject(value) ? value : {};
}

/** The objects of a list in a field. */
export function objectsIn(holder: Json, name: string): Json[] {
  const value = holder[name];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** A text that is not empty. */
export function textIn(holder: Json, name: string): string | undefined {
  const value = holder[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A number of tokens, or a place in a list. */
export function countIn(holder: Json, name: string): number | undefined {
  const value = holder[name];
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** The fields that are not undefined. */
export function known(fields: Readonly<Record<string, unknown>>): Json {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
