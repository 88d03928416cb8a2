import { describe, expect, it } from 'vitest';
import { clientsOf, modelAt } from './mapped-gateway.ts';
import { scriptedProvider } from './scripted-provider.ts';

const ANSWER = {
  candidates: [{ content: { role: 'model', parts: [{ text: '{"a":1}' }] }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: 7, candidatesTokenCount: 5, totalTokenCount: 12 },
};
const MESSAGES = [{ role: 'user' as const, content: 'Hello' }];

async function google() {
  const { seen, url } = await scriptedProvider(({ url: path }) =>
    path.includes('stream')
      ? { type: 'text/event-stream', body: `data: ${JSON.stringify(ANSWER)}\n\n` }
      : { body: JSON.stringify(ANSWER) },
  );
  return { seen, ...(await clientsOf(modelAt(url, 'google', { id: 'gemini-2.5-flash' }))) };
}

function asked(schema: Record<string, unknown>) {
  return {
    model: 'any',
    messages: MESSAGES,
    response_format: { type: 'json_schema' as const, json_schema: { name: 'x', schema, strict: true } },
  };
}

function sent(seen: readonly { readonly body: object }[]): {
  config: Record<string, unknown>;
  tools: object[];
} {
  const { generationConfig, tools } = seen[0]!.body as { generationConfig: object; tools: object[] };
  return { config: generationConfig as Record<string, unknown>, tools };
}

/** Whatever the SDK's own form has no word for, and properties whose names are keywords. */
const WIDE = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $defs: { city: { type: 'string', enum: ['x', 'y'] } },
  type: 'object',
  additionalProperties: false,
  required: ['city'],
  properties: {
    city: { $ref: '#/$defs/city' },
    pattern: { type: 'integer', minimum: 1, maximum: 9 },
    list: { type: 'array', prefixItems: [{ type: 'number' }], minItems: 1, maxItems: 2 },
    either: { anyOf: [{ type: 'null' }, { type: 'object', additionalProperties: { type: 'string' } }] },
  },
};

describe('JSON Schemas go to Google as they came', () => {
  it.each([false, true])('the schema of a reply (stream: %s)', async (stream) => {
    const { openai, seen } = await google();
    if (stream) await openai.chat.completions.stream(asked(WIDE)).finalChatCompletion();
    else await openai.chat.completions.create(asked(WIDE));
    const { config } = sent(seen);
    expect(config).toMatchObject({ responseMimeType: 'application/json', responseJsonSchema: WIDE });
    expect(config).not.toHaveProperty('responseSchema');
  });

  it('in the words that Google has: a constant, and a reference with neighbours', async () => {
    const { openai, seen } = await google();
    const described = { $ref: '#/$defs/a', description: 'Which.' };
    const properties = { kind: { const: 'cat' }, which: described };
    await openai.chat.completions.create(asked({ type: 'object', $defs: { a: {} }, properties }));
    expect(sent(seen).config['responseJsonSchema']).toMatchObject({
      properties: {
        kind: { enum: ['cat'] },
        which: { description: 'Which.', anyOf: [{ $ref: '#/$defs/a' }] },
      },
    });
  });

  it('those of tools, each at its own; none where there are no parameters', async () => {
    const { openai, seen } = await google();
    const odd = { type: 'object', patternProperties: { '^x': { type: 'string', minLength: 2 } }, not: {} };
    const tool = (name: string, parameters?: Record<string, unknown>) => ({
      type: 'function' as const,
      function: { name, ...(parameters && { parameters }) },
    });
    const tools = [tool('bare'), tool('odd', odd), tool('wide', WIDE)];
    await openai.chat.completions.create({ model: 'any', messages: MESSAGES, tools });
    expect(sent(seen).tools).toEqual([
      {
        functionDeclarations: [
          { name: 'bare', description: '' },
          { name: 'odd', description: '', parametersJsonSchema: odd },
          { name: 'wide', description: '', parametersJsonSchema: WIDE },
        ],
      },
    ]);
    expect(sent(seen).config).not.toHaveProperty('responseJsonSchema');
  });
});

describe('what Google ignores in the schema of a reply, and what gives the reply its form, is refused', () => {
  it.each<[string, Record<string, unknown>]>([
    ['patternProperties', { patternProperties: { '^x': {} }, additionalProperties: false }],
    ['anyOf.1.allOf', { anyOf: [{}, { allOf: [{}, {}] }] }],
    ['$defs.a.$dynamicRef', { $defs: { a: { $dynamicRef: '#b' } } }],
  ])('%s', async (place, schema) => {
    const { openai, anthropic, seen } = await google();
    const param = `response_format.json_schema.schema.${place}`;
    await expect(openai.chat.completions.create(asked(schema))).rejects.toMatchObject({ status: 400, param });
    const output_config = { format: { type: 'json_schema' as const, schema } };
    const message = anthropic.messages.create({
      model: 'any',
      max_tokens: 9,
      messages: MESSAGES,
      output_config,
    });
    await expect(message).rejects.toThrow(`output_config.format.schema.${place}`);
    expect(seen).toEqual([]);
  });
});
