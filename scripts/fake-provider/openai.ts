import { createHash } from 'node:crypto';
import type { Ask, Reply, ToolCall } from './reply.ts';

type Json = Readonly<Record<string, unknown>>;

/** A constant, so that answers repeat byte for byte. */
const CREATED = 1_700_000_000;
const FINISH = { stop: 'stop', 'stop-sequence': 'stop', length: 'length', tool: 'tool_calls' } as const;

/** What a request to /chat/completions asks. */
export function askOfOpenai(body: Json): Ask {
  const messages = list(body['messages']);
  const parts = messages.flatMap(({ content }) => (typeof content === 'string' ? [] : list(content)));
  const format = body['response_format'] as Json | undefined;
  return {
    model: String(body['model']),
    text: messages.map(({ content }) => textOf(content)).join('\n'),
    images: parts.filter(({ type }) => type === 'image_url').length,
    tools: list(body['tools']).map(({ function: tool }) => {
      const { name, parameters } = tool as Json;
      return { name: String(name), schema: parameters };
    }),
    toolChoice: choiceOf(body['tool_choice']),
    toolResults: messages.filter(({ role }) => role === 'tool').map(({ content }) => textOf(content)),
    schema:
      format?.['type'] === 'json_object' ? {} : (format?.['json_schema'] as Json | undefined)?.['schema'],
    maxTokens: (body['max_completion_tokens'] ?? body['max_tokens'] ?? undefined) as number | undefined,
    stop: [body['stop'] ?? []].flat() as string[],
  };
}

export function openaiAnswer(reply: Reply): Json {
  const { words, toolCalls } = reply;
  const message = {
    role: 'assistant',
    content: toolCalls.length > 0 && words.length === 0 ? null : words.join(''),
    refusal: null,
    ...(toolCalls.length > 0 && { tool_calls: toolCalls.map((call) => calledTool(call, call.input)) }),
  };
  const choice = { index: 0, message, logprobs: null, finish_reason: FINISH[reply.finish] };
  return { ...head(reply, 'chat.completion'), choices: [choice], usage: usageOf(reply) };
}

/** The events of a stream, each with the blank line that ends it. */
export function openaiEvents(reply: Reply, withUsage: boolean): string[] {
  const chunk = (choices: readonly Json[], usage: Json | null) =>
    `data: ${JSON.stringify({ ...head(reply, 'chat.completion.chunk'), choices, ...(withUsage && { usage }) })}\n\n`;
  const delta = (part: Json, finish: string | null = null) =>
    chunk([{ index: 0, delta: part, logprobs: null, finish_reason: finish }], null);
  return [
    delta({ role: 'assistant', content: reply.toolCalls.length === 0 ? '' : null }),
    ...reply.words.map((content) => delta({ content })),
    ...toolDeltas(reply).map((call) => delta({ tool_calls: [call] })),
    delta({}, FINISH[reply.finish]),
    ...(withUsage ? [chunk([], usageOf(reply))] : []),
    'data: [DONE]\n\n',
  ];
}

/** Vectors that are made of a hash of the text; base64 where it is asked for, as the official client does. */
export function openaiEmbeddings(body: Json): Json {
  const inputs = [body['input'] ?? ''].flat().map((input) => String(input));
  const length = Number(body['dimensions'] ?? 8);
  const data = inputs.map((input, index) => {
    const digest = createHash('sha256').update(input).digest();
    const vector = Float32Array.from({ length }, (_, at) => digest[at % digest.length] / 255);
    const base64 = Buffer.from(vector.buffer).toString('base64');
    return {
      object: 'embedding',
      index,
      embedding: body['encoding_format'] === 'base64' ? base64 : [...vector],
    };
  });
  const tokens = Math.ceil(inputs.join('').length / 4);
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  return { object: 'list', data, model: body['model'], usage };
}

function toolDeltas({ toolCalls }: Reply): Json[] {
  return toolCalls.flatMap((call, index) => {
    const half = Math.ceil(call.input.length / 2);
    const pieces = [call.input.slice(0, half), call.input.slice(half)];
    return [
      { index, ...calledTool(call, '') },
      ...pieces.map((part) => ({ index, function: { arguments: part } })),
    ];
  });
}

function calledTool({ id, name }: ToolCall, input: string): Json {
  return { id: `call_${id}`, type: 'function', function: { name, arguments: input } };
}

function head({ id, model }: Reply, object: string): Json {
  return { id: `chatcmpl-${id}`, object, created: CREATED, model, system_fingerprint: null };
}

function usageOf({ inputTokens, outputTokens }: Reply): Json {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: 0 },
  };
}

function choiceOf(choice: unknown): Ask['toolChoice'] {
  if (choice === 'none') return 'none';
  if (choice === 'required') return 'any';
  const named = (choice as { function?: { name: string } } | undefined)?.function;
  return named === undefined ? undefined : { name: named.name };
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return list(content)
    .map(({ text }) => text ?? '')
    .join('\n');
}

function list(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
