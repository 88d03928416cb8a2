import { z } from 'zod';
import { isObject, type JsonObject } from '../json/index.ts';

/** More schemas than this, references resolved, are not looked at: what is left counts as anything. */
const MOST_SCHEMAS = 10_000;

/**
 * Whether a value breaks a JSON Schema that came with a request. A veto, and no full validator: what zod cannot express, patterns, formats and recursion count as
 * met, so that a value is never refused wrongly, and no schema makes the check take long.
 */
export function breaksSchema(schema: unknown, value: unknown): boolean {
  if (!isObject(schema)) return false;
  try {
    const checked = new WeakerSchema(schema).of(schema) as Parameters<typeof z.fromJSONSchema>[0];
    return !z.fromJSONSchema(checked).safeParse(value).success;
  } catch {
    return false; // no schema, whatever it is
  }
}

const LISTS = new Set(['prefixItems', 'anyOf', 'allOf']);
const NAMED = new Set(['properties']);
const ONE = new Set(['items', 'additionalProperties']);
/** Those that hold no schema, and are checked. A client's pattern could take forever. */
const PLAIN = new Set([
  ...['type', 'enum', 'const', 'required', 'minItems', 'maxItems', 'minLength', 'maxLength'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
]);

/** A schema that holds for every value that the given one holds for, without references. */
class WeakerSchema {
  readonly #root: JsonObject;
  #schemas = 0;
  readonly #resolving = new Set<string>();

  constructor(root: JsonObject) {
    this.#root = root;
  }

  of(schema: unknown): unknown {
    if (typeof schema === 'boolean') return schema;
    if (!isObject(schema) || ++this.#schemas > MOST_SCHEMAS) return {};
    const { $ref: reference } = schema;
    if (typeof reference === 'string') return this.#resolved(reference);
    const weaker: Record<string, unknown> = {};
    for (const [keyword, value] of Object.entries(schema)) {
      if (PLAIN.has(keyword)) weaker[keyword] = value;
      else if (LISTS.has(keyword) && Array.isArray(value)) weaker[keyword] = value.map((one) => this.of(one));
      else if (ONE.has(keyword) && !Array.isArray(value)) weaker[keyword] = this.of(value);
      else if (NAMED.has(keyword) && isObject(value)) weaker[keyword] = this.#named(value);
    }
    // More than one of the weaker schemas may hold.
    if (Array.isArray(schema['oneOf']) && weaker['anyOf'] === undefined) {
      weaker['anyOf'] = schema['oneOf'].map((one) => this.of(one));
    }
    if (schema['patternProperties'] !== undefined) delete weaker['additionalProperties'];
    return weaker;
  }

  #named(schemas: JsonObject): JsonObject {
    return Object.fromEntries(Object.entries(schemas).map(([name, one]) => [name, this.of(one)]));
  }

  /** RFC 6901, within the schema. */
  #resolved(reference: string): unknown {
    if (!reference.startsWith('#/') || this.#resolving.has(reference)) return {};
    let found: unknown = this.#root;
    for (const part of reference.slice(2).split('/')) {
      const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
      found = isObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
    }
    this.#resolving.add(reference);
    const weaker = this.of(found);
    this.#resolving.delete(reference);
    return weaker;
  }
}
