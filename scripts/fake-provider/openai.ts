import { createHash } from 'node:crypto';
import { type Json, objects } from './json.ts';
import { type ChatRequest, halves, type Reply, type ToolCall } from './reply.ts';

/** A constant, so that responses repeat byte for byte. */
const CREATED = 1_700_000_000;
const FINISH = { stop: 'stop', 'stop-sequence': 'stop', length: 'length', tool: 'tool_calls' } as const;

/** Reads the body of a request to /chat/completions. */
export function parseOpenaiRequest(body: Json): ChatRequest {
  const messages = objects(body['messages']);
  const parts = messages.flatMap(({ content }) => (typeof content === 'string' ? [] : objects(content)));
  const format = body['response_format'] as Json | undefined;
  return {
    model: String(body['model']),
    text: messages.map(({ content }) => textOf(content)).join('\n'),
    images: parts.filter(({ type }) => type === 'image_url').length,
    tools: objects(body['tools']).map(({ function: tool }) => {
      const { name, parameters } = tool as Json;
      return { name: String(name), schema: parameters };
    }),
    toolChoice: parseToolChoice(body['tool_choice']),
    toolResults: messages.filter(({ role }) => role === 'tool').map(({ content }) => textOf(content)),
    schema:
      format?.['type'] === 'json_object' ? {} : (format?.['json_schema'] as Json | undefined)?.['schema'],
    maxTokens: (body['max_completion_tokens'] ?? body['max_tokens'] ?? undefined) as number | undefined,
    stop: [body['stop'] ?? []].flat() as string[],
    logprobs: body['logprobs'] === true,
  };
}

export function openaiResponse(reply: Reply): Json {
  const { words, toolCalls } = reply;
  const message = {
    role: 'assistant',
    content: toolCalls.length > 0 && words.length === 0 ? null : words.join(''),
    refusal: null,
    ...(toolCalls.length > 0 && { tool_calls: toolCalls.map((call) => toolCallJson(call, call.input)) }),
  };
  const choice = {
    index: 0,
    message,
    logprobs: logprobsOf(reply, 0, words.length),
    finish_reason: FINISH[reply.finish],
  };
  return { ...envelope(reply, 'chat.completion'), choices: [choice], usage: usageJson(reply) };
}

/** The events of a stream, each with the blank line that ends it. */
export function openaiEvents(reply: Reply, withUsage: boolean): string[] {
  const chunk = (choices: readonly Json[], usage: Json | null) =>
    `data: ${JSON.stringify({ ...envelope(reply, 'chat.completion.chunk'), choices, ...(withUsage && { usage }) })}\n\n`;
  const delta = (part: Json, finish: string | null = null, logprobs: Json | null = null) =>
    chunk([{ index: 0, delta: part, logprobs, finish_reason: finish }], null);
  return [
    delta({ role: 'assistant', content: reply.toolCalls.length === 0 ? '' : null }),
    ...reply.words.map((content, at) => delta({ content }, null, logprobsOf(reply, at, at + 1))),
    ...toolDeltas(reply).map((call) => delta({ tool_calls: [call] })),
    delta({}, FINISH[reply.finish]),
    ...(withUsage ? [chunk([], usageJson(reply))] : []),
    'data: [DONE]\n\n',
  ];
}

/** Vectors made from a hash of the text, in base64 on request, as the official client does. */
export function openaiEmbeddings(body: Json): Json {
  const inputs = [body['input'] ?? ''].flat().map((input) => String(input));
  const length = Number(body['dimensions'] ?? 8);
  const data = inputs.map((input, index) => {
    const digest = createHash('sha256').update(input).digest();
    const vector = Float32Array.from({ length }, (_, i) => digest.readUInt8(i % digest.length) / 255);
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

/** Log-probabilities of the words from `start` until before `end`; null if they were not asked for, or the reply calls tools. */
function logprobsOf({ words, logprobs }: Reply, start: number, end: number): Json | null {
  if (logprobs === undefined) return null;
  const content = words.slice(start, end).map((token, i) => ({
    token,
    logprob: logprobs[start + i],
    bytes: null,
    top_logprobs: [],
  }));
  return { content, refusal: null };
}

function toolDeltas({ toolCalls }: Reply): Json[] {
  return toolCalls.flatMap((call, index) => [
    { index, ...toolCallJson(call, '') },
    ...halves(call.input).map((part) => ({ index, function: { arguments: part } })),
  ]);
}

function toolCallJson({ id, name }: ToolCall, input: string): Json {
  return { id: `call_${id}`, type: 'function', function: { name, arguments: input } };
}

function envelope({ id, model }: Reply, object: string): Json {
  return { id: `chatcmpl-${id}`, object, created: CREATED, model, system_fingerprint: null };
}

function usageJson({ inputTokens, outputTokens }: Reply): Json {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: 0 },
  };
}

function parseToolChoice(choice: unknown): ChatRequest['toolChoice'] {
  if (choice === 'none') return 'none';
  if (choice === 'required') return 'any';
  const named = (choice as { function?: { name: string } } | undefined)?.function;
  return named === undefined ? undefined : { name: named.name };
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return objects(content)
    .map(({ text }) => text ?? '')
    .join('\n');
}
