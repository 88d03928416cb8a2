/** An object of JSON, whose fields may be anything. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a JSON value is an object: neither null nor an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Some servers begin their JSON with it. */
const BYTE_ORDER_MARK = '\ufeff';

/** The value of a JSON text, also behind a byte order mark; undefined if it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
  } catch {
    return undefined;
  }
}

/** A field of an object; undefined if there is none, or `holder` is no object. */
export function fieldIn(holder: unknown, name: string): unknown {
  return isObject(holder) ? holder[name] : undefined;
}

/** An object in a field, or an empty one. */
export function objectIn(holder: unknown, name: string): JsonObject {
  const value = fieldIn(holder, name);
  return isObject(value) ? value : {};
}

/** The objects of a list in a field. */
export function objectsIn(holder: unknown, name: string): JsonObject[] {
  const value = fieldIn(holder, name);
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** A text in a field, if it is not empty. */
export function textIn(holder: unknown, name: string): string | undefined {
  const value = fieldIn(holder, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A finite number of 0 or more in a field: a count, or a place in a list. */
export function countIn(holder: unknown, name: string): number | undefined {
  const value = fieldIn(holder, name);
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** A copy of a JSON value with other texts, at any depth, in order; names of fields stay. */
export function mapTexts<Value>(value: Value, map: (text: string) => string): Value {
  if (typeof value === 'string') return map(value) as Value;
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, map)) as Value;
  if (!isObject(value)) return value;
  const entries = Object.entries(value as JsonObject).map(
    ([name, held]) => [name, mapTexts(held, map)] as const,
  );
  return Object.fromEntries(entries) as Value;
}
