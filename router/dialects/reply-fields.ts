import { isObject } from '../json/index.ts';
import type { Json } from './reply-types.ts';

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

/** A text that says something. */
export function textIn(holder: Json, name: string): string | undefined {
  const value = holder[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A number of tokens, or a place in a list. */
export function countIn(holder: Json, name: string): number | undefined {
  const value = holder[name];
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** Those of the fields that are not undefined. */
export function known(fields: Readonly<Record<string, unknown>>): Json {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
