import { type Json, objects } from './json.ts';
import { type ChatRequest, halves, promptTokens, type Reply, type ToolCall } from './reply.ts';

const STOP_REASON = {
  stop: 'end_turn',
  'stop-sequence': 'stop_sequence',
  length: 'max_tokens',
  tool: 'tool_use',
} as const;

/** Signature of every thinking block; must come back unchanged. */
export const THINKING_SIGNATURE = 'c2lnbmVkIGJ5IHRoZSBmYWtlIHByb3ZpZGVy';

/** Reads the body of a request to /messages. */
export function parseAnthropicRequest(body: Json): ChatRequest {
  const blocks = objects(body['messages']).flatMap(({ content }) => blocksOf(content));
  const inside = blocks.flatMap((block) =>
    block['type'] === 'tool_result' ? blocksOf(block['content']) : [block],
  );
  const format = (body['output_config'] as Json | undefined)?.['format'] as Json | undefined;
  return {
    model: String(body['model']),
    text: textOf([...blocksOf(body['system']), ...inside]),
    images: inside.filter(({ type }) => type === 'image').length,
    tools: objects(body['tools']).map(({ name, input_schema }) => ({
      name: String(name),
      schema: input_schema,
    })),
    toolChoice: parseToolChoice(body['tool_choice'] as Json | undefined),
    toolResults: blocks.filter(({ type }) => type === 'tool_result').map(({ content }) => textOf(content)),
    thinking: ['enabled', 'adaptive'].includes(String((body['thinking'] as Json | undefined)?.['type'])),
    schema: format?.['schema'],
    maxTokens: body['max_tokens'] as number | undefined,
    stop: (body['stop_sequences'] ?? []) as string[],
  };
}

/** The reply of /messages/count_tokens. */
export function countResponse(request: ChatRequest): Json {
  return { input_tokens: promptTokens(request) };
}

export function anthropicResponse(reply: Reply): Json {
  return {
    ...envelope(reply),
    content: replyBlocks(reply).map(({ whole }) => whole),
    stop_reason: STOP_REASON[reply.finish],
    stop_sequence: reply.stopSequence ?? null,
    usage: { ...inputUsage(reply), output_tokens: reply.outputTokens },
  };
}

/** The events of a stream, each with the blank line that ends it. */
export function anthropicEvents(reply: Reply): string[] {
  const event = (type: string, fields: Json) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
  const start = { ...envelope(reply), content: [], stop_reason: null, stop_sequence: null };
  const stop = { stop_reason: STOP_REASON[reply.finish], stop_sequence: reply.stopSequence ?? null };
  return [
    event('message_start', { message: { ...start, usage: { ...inputUsage(reply), output_tokens: 1 } } }),
    ...replyBlocks(reply).flatMap(({ empty, deltas }, index) => [
      event('content_block_start', { index, content_block: empty }),
      ...(index === 0 ? [event('ping', {})] : []),
      ...deltas.map((delta) => event('content_block_delta', { index, delta })),
      event('content_block_stop', { index }),
    ]),
    event('message_delta', { delta: stop, usage: { output_tokens: reply.outputTokens } }),
    event('message_stop', {}),
  ];
}

function envelope({ id, model }: Reply): Json {
  return { id: `msg_${id}`, type: 'message', role: 'assistant', model };
}

/** A content block: whole, and as a stream starts and continues it. */
interface Block {
  readonly whole: Json;
  readonly empty: Json;
  readonly deltas: readonly Json[];
}

function replyBlocks({ words, toolCalls, thinking }: Reply): readonly Block[] {
  return [
    ...(thinking ? [THINKING_BLOCK] : []),
    ...(words.length > 0 || toolCalls.length === 0 ? [textBlock(words)] : []),
    ...toolCalls.map(toolBlock),
  ];
}

const THINKING_BLOCK: Block = {
  whole: { type: 'thinking', thinking: 'Considering.', signature: THINKING_SIGNATURE },
  empty: { type: 'thinking', thinking: '', signature: '' },
  deltas: [
    { type: 'thinking_delta', thinking: 'Considering.' },
    { type: 'signature_delta', signature: THINKING_SIGNATURE },
  ],
};

function textBlock(words: readonly string[]): Block {
  return {
    whole: { type: 'text', text: words.join('') },
    empty: { type: 'text', text: '' },
    deltas: words.map((text) => ({ type: 'text_delta', text })),
  };
}

function toolBlock({ id, name, input }: ToolCall): Block {
  const use = { type: 'tool_use', id: `toolu_${id}`, name };
  const deltas = halves(input)
    .filter((part) => part !== '')
    .map((part) => ({ type: 'input_json_delta', partial_json: part }));
  return { whole: { ...use, input: JSON.parse(input) }, empty: { ...use, input: {} }, deltas };
}

function inputUsage({ inputTokens, cached }: Reply): Json {
  if (cached !== undefined) {
    const { fresh, read, written5m, written1h } = cached;
    return {
      input_tokens: fresh,
      cache_creation_input_tokens: written5m + written1h,
      cache_read_input_tokens: read,
      cache_creation: { ephemeral_5m_input_tokens: written5m, ephemeral_1h_input_tokens: written1h },
    };
  }
  return { input_tokens: inputTokens, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
}

function parseToolChoice(choice: Json | undefined): ChatRequest['toolChoice'] {
  if (choice?.['type'] === 'none') return 'none';
  if (choice?.['type'] === 'any') return 'any';
  return choice?.['type'] === 'tool' ? { name: String(choice['name']) } : undefined;
}

function textOf(content: unknown): string {
  return blocksOf(content)
    .map(({ text }) => text ?? '')
    .join('\n');
}

function blocksOf(content: unknown): readonly Json[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : objects(content);
}
