import type OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { RunningGateway } from '../gateway/running-gateway.ts';
import { eventsOf } from './event-rules.ts';
import { gatewayWithAllKinds, MODELS, WAYS } from './gateways.ts';

/*
 * The cases of the Open Responses compliance suite (https://www.openresponses.org/compliance), and the form of a response in its OpenAPI
 * document, written anew.
 */

const count = z.int().min(0);
const nullable = <T extends z.ZodType>(schema: T) => schema.nullable();
const itemStatus = z.enum(['in_progress', 'completed', 'incomplete']);
const outputItem = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('message'),
    id: z.string(),
    status: itemStatus,
    role: z.literal('assistant'),
    content: z.array(
      z.discriminatedUnion('type', [
        z.looseObject({
          type: z.literal('output_text'),
          text: z.string(),
          annotations: z.array(z.unknown()),
          logprobs: z.array(z.unknown()),
        }),
        z.looseObject({ type: z.literal('refusal'), refusal: z.string() }),
      ]),
    ),
  }),
  z.looseObject({
    type: z.literal('function_call'),
    id: z.string(),
    call_id: z.string(),
    name: z.string(),
    arguments: z.string(),
    status: itemStatus,
  }),
  z.looseObject({ type: z.literal('reasoning'), id: z.string(), summary: z.array(z.unknown()) }),
]);
const response = z.looseObject({
  id: z.string(),
  object: z.literal('response'),
  created_at: z.int(),
  completed_at: nullable(z.int()),
  status: z.string(),
  incomplete_details: nullable(z.looseObject({ reason: z.string() })),
  model: z.string(),
  previous_response_id: nullable(z.string()),
  instructions: nullable(z.string()),
  output: z.array(outputItem),
  error: nullable(z.looseObject({ code: z.string(), message: z.string() })),
  tools: z.array(z.looseObject({ type: z.string() })),
  tool_choice: z.union([z.enum(['none', 'auto', 'required']), z.looseObject({ type: z.string() })]),
  truncation: z.enum(['auto', 'disabled']),
  parallel_tool_calls: z.boolean(),
  text: z.looseObject({ format: z.looseObject({ type: z.string() }) }),
  top_p: z.number(),
  presence_penalty: z.number(),
  frequency_penalty: z.number(),
  top_logprobs: z.int(),
  temperature: z.number(),
  reasoning: nullable(z.looseObject({ effort: nullable(z.string()), summary: nullable(z.string()) })),
  usage: nullable(
    z.looseObject({
      input_tokens: count,
      output_tokens: count,
      total_tokens: count,
      input_tokens_details: z.looseObject({ cached_tokens: count }),
      output_tokens_details: z.looseObject({ reasoning_tokens: count }),
    }),
  ),
  max_output_tokens: nullable(z.int()),
  max_tool_calls: nullable(z.int()),
  store: z.boolean(),
  background: z.boolean(),
  service_tier: z.string(),
  metadata: z.unknown(),
  safety_identifier: nullable(z.string()),
  prompt_cache_key: nullable(z.string()),
});

/** A red dot on white. */
const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const PDF = `data:application/pdf;base64,${Buffer.from('%PDF-1.4').toString('base64')}`;

const LOCATION_TOOL = {
  type: 'function',
  name: 'get_weather',
  description: 'The current weather at a location.',
  parameters: {
    type: 'object',
    properties: { location: { type: 'string', description: 'City and state.' } },
    required: ['location'],
  },
  strict: false,
} satisfies OpenAI.Responses.FunctionTool;

const user = (content: OpenAI.Responses.EasyInputMessage['content']) => ({
  type: 'message' as const,
  role: 'user' as const,
  content,
});

interface Case {
  readonly input: OpenAI.Responses.ResponseInput;
  readonly tools?: OpenAI.Responses.Tool[];
  readonly has?: string;
}

const CASES: Readonly<Record<string, Case>> = {
  'basic text': { input: [user('Say hello in exactly three words.')] },
  'system prompt': {
    input: [{ type: 'message', role: 'system', content: 'You are a pirate.' }, user('Say hello.')],
  },
  'tool call': {
    input: [user('What is the weather in San Francisco?')],
    tools: [LOCATION_TOOL],
    has: 'function_call',
  },
  'round trip of a tool': {
    input: [
      user('What is the weather in San Francisco?'),
      {
        type: 'function_call',
        call_id: 'call_1',
        name: 'get_weather',
        arguments: '{"location":"San Francisco"}',
      },
      { type: 'function_call_output', call_id: 'call_1', output: '{"sky":"fog"}' },
    ],
    tools: [LOCATION_TOOL],
    has: 'message',
  },
  image: {
    input: [
      user([
        { type: 'input_text', text: 'What is in this picture?' },
        { type: 'input_image', image_url: PIXEL, detail: 'auto' },
      ]),
    ],
  },
  file: {
    input: [
      user([
        { type: 'input_text', text: 'What is in this file?' },
        { type: 'input_file', filename: 'a.pdf', file_data: PDF },
      ]),
    ],
  },
  'several turns': {
    input: [
      user('My name is Alice.'),
      {
        type: 'message',
        role: 'assistant',
        content: 'Hello Alice! How can I help?',
      } as OpenAI.Responses.EasyInputMessage,
      user('What is my name?'),
    ],
  },
};

let running: RunningGateway;
beforeAll(async () => {
  running = await gatewayWithAllKinds();
});
afterAll(() => running.close());

describe.each(WAYS.filter((way) => way !== 'openai'))('mapped to %s', (way) => {
  const model = MODELS[way];

  test.each(Object.entries(CASES))('%s', async (_, { has = 'message', ...request }) => {
    const { openai } = running;
    const plain = await openai.responses.create({ model, ...request });
    expect(response.safeParse(plain).error).toBeUndefined();
    expect(plain.status).toBe('completed');
    expect(plain.output.map(({ type }) => type)).toContain(has);

    const events = await eventsOf(openai, { model, ...request });
    const last = events.at(-1);
    if (last?.type !== 'response.completed') throw new Error(`ends with ${last?.type}`);
    expect(response.safeParse(last.response).error).toBeUndefined();
    expect(last.response.output.map(({ type }) => type)).toContain(has);
    const types = events.map(({ type }) => type);
    expect(types).toEqual(
      expect.arrayContaining(
        has === 'function_call'
          ? ['response.function_call_arguments.delta', 'response.function_call_arguments.done']
          : ['response.content_part.added', 'response.output_text.delta', 'response.content_part.done'],
      ),
    );
  });
});

test.each(Object.entries(CASES))('passed through: %s', async (_, { has = 'message', ...request }) => {
  const plain = await running.openai.responses.create({ model: MODELS.openai, ...request });
  expect(plain.status).toBe('completed');
  expect(plain.output.map(({ type }) => type)).toContain(has);
  const events = await eventsOf(running.openai, { model: MODELS.openai, ...request });
  expect(events.at(-1)?.type).toBe('response.completed');
});
