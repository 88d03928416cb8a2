import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dialect, ProviderKind } from '../../router/catalog/index.ts';
import { breaksSchema } from '../../router/gateway/json-schema.ts';
import { createMappedAttempt } from '../../router/mapped-calls/attempt.ts';
import { claudeTakes, googleTakes, relaxedSchema } from '../../router/targets/json-schema.ts';
import { createLosses, type UnmappableRule } from '../../router/targets/losses.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { callTo, ENV, modelAt, TIMEOUTS } from '../mapped-calls/mapped-gateway.ts';
import { MODELS, replyingProvider } from '../mapped-calls/scripted-provider.ts';

type Schema = Record<string, unknown>;
// biome-ignore lint/suspicious/noExplicitAny: the form is each provider's own
type Json = any;

const attempt = sendOnce(createMappedAttempt({ env: ENV }));

function bodyWith(dialect: Dialect, schema: Schema): Schema {
  const messages = [{ role: 'user', content: 'Hello' }];
  if (dialect === 'anthropic')
    return {
      model: 'x',
      max_tokens: 99,
      messages,
      output_config: { format: { type: 'json_schema', schema } },
    };
  const json_schema = { name: 'person', schema, strict: true };
  return { model: 'x', messages, response_format: { type: 'json_schema', json_schema } };
}

async function ask(kind: ProviderKind, body: Schema, dialect: Dialect, unmappable?: UnmappableRule) {
  const provider = await replyingProvider(kind);
  const call = callTo(modelAt(provider.url, kind, { id: MODELS[kind] }), dialect, body);
  const outcome = await attempt({ ...call, ...(unmappable && { unmappable }) }, TIMEOUTS);
  const got: Json = provider.bodies().at(-1);
  return { outcome, got, dropped: outcome.kind === 'reply' ? outcome.dropped : undefined };
}

/** The schema as each API has it in its request. */
const SENT: Readonly<Partial<Record<ProviderKind, (body: Json) => Schema>>> = {
  openai: (body) => body.response_format.json_schema.schema,
  'openai-compatible': (body) => body.response_format.json_schema.schema,
  anthropic: (body) => body.output_config.format.schema,
  google: (body) => body.generationConfig.responseJsonSchema,
};
const TARGETS: readonly (readonly [Dialect, ProviderKind])[] = [
  ['openai', 'google'],
  ['openai', 'anthropic'],
  ['anthropic', 'google'],
  ['anthropic', 'openai'],
  ['anthropic', 'openai-compatible'],
];

/** Keywords that no API above takes. */
const NARROWING: readonly (readonly [string, Schema])[] = [
  ['minLength', { type: 'string', minLength: 2 }],
  ['maxLength', { type: 'string', maxLength: 80, description: 'Whose.' }],
  ['uniqueItems', { type: 'array', items: { type: 'string' }, uniqueItems: true }],
  ['contains', { type: 'array', items: { type: 'string' }, contains: { const: 'a' } }],
  ['not', { type: 'string', not: { const: 'x' } }],
];

describe.each(TARGETS)('from %s to %s', (dialect, kind) => {
  it.each(NARROWING)('%s is told to the model and named', async (keyword, property) => {
    const schema = {
      type: 'object',
      properties: { name: property },
      required: ['name'],
      additionalProperties: false,
    };
    const { got, dropped } = await ask(kind, bodyWith(dialect, schema), dialect);
    const path = dialect === 'openai' ? 'response_format.json_schema.schema' : 'output_config.format.schema';
    expect(dropped).toEqual([`${path}.properties.name.${keyword}`]);
    const { name } = SENT[kind]!(got)['properties'] as { name: Schema };
    expect(name).not.toHaveProperty(keyword);
    expect(name['type']).toBe(property['type']);
    expect(name['description']).toContain(`Constraints: {"${keyword}":`);
    if (property['description'] !== undefined) expect(name['description']).toMatch(/^Whose\./);
    if (kind.startsWith('openai')) expect(got.response_format.json_schema.strict).toBe(true);
  });

  it('and refused if the rule is to refuse', async () => {
    const schema = {
      type: 'object',
      properties: { name: { type: 'string', minLength: 2 } },
      required: ['name'],
      additionalProperties: false,
    };
    const { outcome } = await ask(kind, bodyWith(dialect, schema), dialect, 'refuse');
    expect(outcome).toMatchObject({ kind: 'failure', failure: 'bad-request' });
  });
});

it('strict tools of an OpenAI client reach Claude without what it refuses', async () => {
  const parameters = {
    type: 'object',
    properties: { name: { type: 'string', minLength: 2 } },
    required: ['name'],
    additionalProperties: false,
  };
  const tool = (strict: boolean) => ({
    type: 'function',
    function: { name: `f${strict}`, strict, parameters },
  });
  const body = { model: 'x', messages: [{ role: 'user', content: 'Hi' }], tools: [tool(true), tool(false)] };
  const { got, dropped } = await ask('anthropic', body, 'openai');
  expect(dropped).toEqual(['tools.0.function.parameters.properties.name.minLength']);
  expect(got.tools[0].input_schema.properties.name).not.toHaveProperty('minLength');
  expect(got.tools[1].input_schema).toEqual(parameters);
});

/** Schemas with keywords of all kinds, and a value for each place. */
const values = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.constant(null),
  fc.boolean(),
  fc.array(fc.integer(), { maxLength: 3 }),
  fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), fc.oneof(fc.string(), fc.integer())),
);
/** Alone: the check of replies does not look at a type beside it. */
const constants = fc.record({ const: fc.oneof(fc.boolean(), fc.integer(), fc.constant(null)) });

function schemasOf(depth: number): fc.Arbitrary<Schema> {
  const plain = {
    type: fc.constantFrom('string', 'integer', 'object', 'array', 'boolean', 'null'),
    minLength: fc.nat(3),
    pattern: fc.constant('^a'),
    minimum: fc.integer(),
    multipleOf: fc.constant(2),
    uniqueItems: fc.boolean(),
    minItems: fc.nat(2),
    required: fc.subarray(['a', 'b']),
    'x-note': fc.string(),
  };
  if (depth === 0) return fc.oneof(constants, fc.record(plain, { requiredKeys: [] }));
  const inner = schemasOf(depth - 1);
  const some = fc.array(inner, { minLength: 1, maxLength: 2 });
  const properties = fc.dictionary(fc.constantFrom('a', 'b', 'minLength'), inner, { maxKeys: 2 });
  const nested = { not: inner, items: inner, properties, anyOf: some, oneOf: some };
  return fc.record({ ...plain, ...nested }, { requiredKeys: [] });
}
const schemas = schemasOf(2);

it.each([
  ['google', googleTakes],
  ['Claude', claudeTakes],
])('no reply that the schema allows breaks the one that %s gets', (_, takes) => {
  fc.assert(
    fc.property(schemas, values, (schema, value) => {
      const losses = createLosses('openai', {}, 'drop-hints');
      const relaxed = relaxedSchema(schema, ['schema'], takes, losses);
      if (!breaksSchema(schema, value)) expect(breaksSchema(relaxed, value)).toBe(false);
      // What is left is taken, and what is named is gone from its place.
      expect(
        relaxedSchema(relaxed as Schema, ['schema'], takes, createLosses('openai', {}, 'refuse')),
      ).toEqual(relaxed);
    }),
  );
});
