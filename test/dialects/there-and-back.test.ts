import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anthropicRequest } from '../../router/dialects/anthropic/request.ts';
import { openaiRequest } from '../../router/dialects/openai/request.ts';
import { sdkModel } from '../../router/mapped-calls/map-request.ts';
import { createLosses } from '../../router/targets/losses.ts';
import { type CallOptions, createTarget, type Target } from '../../router/targets/target.ts';
import { modelAt } from '../mapped-calls/mapped-gateway.ts';

type Body = Record<string, unknown>;

/** What the SDK's own provider writes of the options: the oracle of each direction. */
async function writtenBy(kind: 'openai' | 'anthropic', options: CallOptions): Promise<Body> {
  let body: Body | undefined;
  const fetch = async (_: unknown, init?: RequestInit) => {
    body = JSON.parse(String(init?.body));
    return new Response('{}', { headers: { 'content-type': 'application/json' } });
  };
  const model = await sdkModel(modelAt('http://127.0.0.1:1/v1', kind), { apiKey: 'none', env: {}, fetch });
  // The reply is invalid; only the request matters.
  await Promise.resolve(model.doGenerate(options)).catch(() => {});
  const { model: _, ...fields } = body!;
  return { model: 'auto', ...fields };
}

const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,12}$/);
const text = fc.string({ minLength: 1 }).filter((value) => value.trim() === value && value !== '');
const base64 = fc
  .uint8Array({ minLength: 3, maxLength: 30 })
  .map((bytes) => Buffer.from(bytes).toString('base64'));
const url = word.map((name) => `https://example.com/${name}.png`);
const input = fc.dictionary(word, fc.oneof(fc.string(), fc.integer(), fc.boolean()), { maxKeys: 3 });
const schema = fc.uniqueArray(word, { maxLength: 3 }).map((names) => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
  required: names,
  additionalProperties: false,
}));
const tool = fc.record({ name: word, description: text, parameters: schema, strict: fc.boolean() });
const tools = fc.uniqueArray(tool, { selector: ({ name }) => name, minLength: 1, maxLength: 3 });
/** A turn of the person, of the model, and of the tools that it called. Ids count up. */
const turn = fc.record({
  ask: text,
  image: fc.option(
    fc.oneof(
      base64.map((data) => ({ data })),
      url.map((at) => ({ at })),
    ),
    { nil: undefined },
  ),
  reply: fc.option(text, { nil: undefined }),
  calls: fc.array(fc.record({ name: word, input, result: text }), { maxLength: 2 }),
});
const sampling = fc.oneof(
  fc.record({ temperature: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ top_p: fc.double({ min: 0.01, max: 0.99, noNaN: true }) }),
  fc.constant({}),
);
const request = fc.record({
  system: fc.option(text, { nil: undefined }),
  turns: fc.array(turn, { maxLength: 3 }),
  last: text,
  maxTokens: fc.integer({ min: 1, max: 8000 }),
  sampling,
  stop: fc.option(fc.array(text, { minLength: 1, maxLength: 3 }), { nil: undefined }),
  user: fc.option(word, { nil: undefined }),
  tools: fc.option(tools, { nil: undefined }),
  choice: fc.constantFrom('auto', 'required', 'named', undefined),
  oneAtMost: fc.boolean(),
  format: fc.option(schema, { nil: undefined }),
});
type Request = typeof request extends fc.Arbitrary<infer Value> ? Value : never;
type Turn = Request['turns'][number];

function inOpenai(asked: Request): Body {
  const { tools: offered, choice } = asked;
  return defined({
    model: 'auto',
    messages: [
      ...(asked.system === undefined ? [] : [{ role: 'system', content: asked.system }]),
      ...asked.turns.flatMap(openaiTurn),
      { role: 'user', content: asked.last },
    ],
    max_tokens: asked.maxTokens,
    ...asked.sampling,
    stop: asked.stop,
    user: asked.user,
    tools: offered?.map(({ strict, ...rest }) => ({
      type: 'function',
      function: { ...rest, ...(strict && { strict }) },
    })),
    tool_choice:
      offered && (choice === 'named' ? { type: 'function', function: { name: offered[0]!.name } } : choice),
    parallel_tool_calls: offered && choice && asked.oneAtMost ? false : undefined,
    response_format: asked.format && {
      type: 'json_schema',
      json_schema: { name: 'response', strict: true, schema: asked.format },
    },
  });
}

function openaiTurn({ ask, image, reply, calls }: Turn, at: number): Body[] {
  const address = image && ('at' in image ? image.at : `data:image/png;base64,${image.data}`);
  const content = address
    ? [
        { type: 'text', text: ask },
        { type: 'image_url', image_url: { url: address } },
      ]
    : ask;
  const toolCalls = calls.map(({ name, input: given }, i) => ({
    id: `call_${at}_${i}`,
    type: 'function',
    function: { name, arguments: JSON.stringify(given) },
  }));
  const results = calls.map(({ result }, i) => ({
    role: 'tool',
    tool_call_id: `call_${at}_${i}`,
    content: result,
  }));
  const said = reply ?? (calls.length > 0 ? null : 'Yes.');
  const assistant = { role: 'assistant', content: said, ...(calls.length > 0 && { tool_calls: toolCalls }) };
  return [
    { role: 'user', content },
    assistant,
    ...results,
    ...(calls.length > 0 ? [{ role: 'assistant', content: 'So.' }] : []),
  ];
}

function inAnthropic(asked: Request): Body {
  const { tools: offered, choice } = asked;
  const type = { auto: 'auto', required: 'any', named: 'tool' }[choice ?? 'auto'];
  const named = choice === 'named' && offered ? { name: offered[0]!.name } : {};
  return defined({
    model: 'auto',
    system: asked.system === undefined ? undefined : [{ type: 'text', text: asked.system }],
    messages: [
      ...asked.turns.flatMap(anthropicTurn),
      { role: 'user', content: [{ type: 'text', text: asked.last }] },
    ],
    max_tokens: asked.maxTokens,
    ...asked.sampling,
    stop_sequences: asked.stop,
    metadata: asked.user === undefined ? undefined : { user_id: asked.user },
    tools: offered?.map(({ parameters, strict, ...rest }) => ({
      ...rest,
      input_schema: parameters,
      ...(strict && { strict }),
    })),
    tool_choice:
      offered && choice
        ? { type, ...named, ...(asked.oneAtMost && { disable_parallel_tool_use: true }) }
        : undefined,
    output_config: asked.format && { format: { type: 'json_schema', schema: asked.format } },
  });
}

function anthropicTurn({ ask, image, reply, calls }: Turn, at: number): Body[] {
  const source =
    image &&
    ('at' in image
      ? { type: 'url', url: image.at }
      : { type: 'base64', media_type: 'image/png', data: image.data });
  const content = [{ type: 'text', text: ask }, ...(source ? [{ type: 'image', source }] : [])];
  const said = reply ?? (calls.length > 0 ? undefined : 'Yes.');
  const uses = calls.map(({ name, input: given }, i) => ({
    type: 'tool_use',
    id: `call_${at}_${i}`,
    name,
    input: given,
  }));
  const results = calls.map(({ result }, i) => ({
    type: 'tool_result',
    tool_use_id: `call_${at}_${i}`,
    content: result,
  }));
  const more = [
    { role: 'user', content: results },
    { role: 'assistant', content: [{ type: 'text', text: 'So.' }] },
  ];
  const texts = said === undefined ? [] : [{ type: 'text', text: said }];
  return [
    { role: 'user', content },
    { role: 'assistant', content: [...texts, ...uses] },
    ...(calls.length > 0 ? more : []),
  ];
}

function defined(body: Body): Body {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}

const OPENAI = createTarget(modelAt('http://127.0.0.1:1/v1', 'openai'));
const ANTHROPIC = createTarget(modelAt('http://127.0.0.1:1/v1', 'anthropic'));

function fromOpenai(body: Body, target: Target): CallOptions {
  const losses = createLosses('openai', body, 'refuse');
  return openaiRequest(body, target, losses);
}

function fromAnthropic(body: Body, target: Target): CallOptions {
  const losses = createLosses('anthropic', body, 'refuse');
  return anthropicRequest(body, target, losses);
}

describe('a request keeps every mapped field', () => {
  it('to the same dialect', async () => {
    await fc.assert(
      fc.asyncProperty(request, async (asked) => {
        const [openai, anthropic] = [inOpenai(asked), inAnthropic(asked)];
        expect(await writtenBy('openai', fromOpenai(openai, OPENAI))).toEqual(openai);
        expect(await writtenBy('anthropic', fromAnthropic(anthropic, ANTHROPIC))).toEqual(anthropic);
      }),
    );
  });

  it('from OpenAI to Anthropic and back', async () => {
    await fc.assert(
      fc.asyncProperty(request, async (asked) => {
        const body = inOpenai(asked);
        const there = await writtenBy('anthropic', fromOpenai(body, ANTHROPIC));
        expect(there).toEqual(inAnthropic(asked));
        expect(await writtenBy('openai', fromAnthropic(there, OPENAI))).toEqual(body);
      }),
    );
  });

  it('from Anthropic to OpenAI and back', async () => {
    await fc.assert(
      fc.asyncProperty(request, async (asked) => {
        const body = inAnthropic(asked);
        const there = await writtenBy('openai', fromAnthropic(body, OPENAI));
        expect(there).toEqual(inOpenai(asked));
        expect(await writtenBy('anthropic', fromOpenai(there, ANTHROPIC))).toEqual(body);
      }),
    );
  });
});
