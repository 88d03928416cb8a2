/** A schema by its name among the components. */
export const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` });

/** One of several schemas by name. */
export const anyOf = (...names: readonly string[]) => ({ anyOf: names.map(reference) });

/** An answer in JSON. @param headers beside x-request-id, which every answer has */
export function answeredWith(description: string, schema: object, headers: object = {}) {
  const allHeaders = { 'x-request-id': { schema: { type: 'string' } }, ...headers };
  return { description, headers: allHeaders, content: { 'application/json': { schema } } };
}

export const REQUEST_ID = {
  name: 'x-request-id',
  in: 'header',
  required: false,
  description: 'Echoed in the answer where it is harmless; else the answer carries a new one.',
  schema: { type: 'string', pattern: '^[A-Za-z0-9_.:-]{1,128}$' },
};

/** When to come back. */
export const RETRY_AFTER = {
  'retry-after': { description: 'Seconds to wait.', schema: { type: 'integer', minimum: 0 } },
};
