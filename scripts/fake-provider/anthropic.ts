import type { Ask, Reply, ToolCall } from './reply.ts';

type Json = Readonly<Record<string, unknown>>;

const STOP_REASON = {
  stop: 'end_turn',
  'stop-sequence': 'stop_sequence',
  length: 'max_tokens',
  tool: 'tool_use',
} as const;

/** Of every thought: a model's own, which must come back as it was. */
export const THINKING_SIGNATURE = 'c2lnbmVkIGJ5IHRoZSBmYWtlIHByb3ZpZGVy';

/** What a request to /messages asks. */
export function askOfAnthropic(body: Json): Ask {
  const blocks = list(body['messages']).flatMap(({ content }) => blocksOf(content));
  const inside = blocks.flatMap((block) =>
    block['type'] === 'tool_result' ? blocksOf(block['content']) : [block],
  );
  const format = (body['output_config'] as Json | undefined)?.['format'] as Json | undefined;
  return {
    model: String(body['model']),
    text: textOf([...blocksOf(body['system']), ...inside]),
    images: inside.filter(({ type }) => type === 'image').length,
    tools: list(body['tools']).map(({ name, input_schema }) => ({
      name: String(name),
      schema: input_schema,
    })),
    toolChoice: choiceOf(body['tool_choice'] as Json | undefined),
    toolResults: blocks.filter(({ type }) => type === 'tool_result').map(({ content }) => textOf(content)),
    thinking: ['enabled', 'adaptive'].includes(String((body['thinking'] as Json | undefined)?.['type'])),
    schema: format?.['schema'],
    maxTokens: body['max_tokens'] as number | undefined,
    stop: (body['stop_sequences'] ?? []) as string[],
  };
}

export function anthropicAnswer(reply: Reply): Json {
  return {
    ...message(reply),
    content: blocksOfReply(reply).map(({ whole }) => whole),
    stop_reason: STOP_REASON[reply.finish],
    stop_sequence: reply.stopSequence ?? null,
    usage: { ...inputUsage(reply), output_tokens: reply.outputTokens },
  };
}

/** The events of a stream, each with the blank line that ends it. */
export function anthropicEvents(reply: Reply): string[] {
  const event = (type: string, fields: Json) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
  const start = { ...message(reply), content: [], stop_reason: null, stop_sequence: null };
  const stop = { stop_reason: STOP_REASON[reply.finish], stop_sequence: reply.stopSequence ?? null };
  return [
    event('message_start', { message: { ...start, usage: { ...inputUsage(reply), output_tokens: 1 } } }),
    ...blocksOfReply(reply).flatMap(({ empty, deltas }, index) => [
      event('content_block_start', { index, content_block: empty }),
      ...(index === 0 ? [event('ping', {})] : []),
      ...deltas.map((delta) => event('content_block_delta', { index, delta })),
      event('content_block_stop', { index }),
    ]),
    event('message_delta', { delta: stop, usage: { output_tokens: reply.outputTokens } }),
    event('message_stop', {}),
  ];
}

function message({ id, model }: Reply): Json {
  return { id: `msg_${id}`, type: 'message', role: 'assistant', model };
}

/** A block of a reply: whole, and as a stream begins and continues it. */
interface Block {
  readonly whole: Json;
  readonly empty: Json;
  readonly deltas: readonly Json[];
}

function blocksOfReply({ words, toolCalls, thinking }: Reply): readonly Block[] {
  return [
    ...(thinking ? [THOUGHT] : []),
    ...(words.length > 0 || toolCalls.length === 0 ? [textBlock(words)] : []),
    ...toolCalls.map(toolBlock),
  ];
}

const THOUGHT: Block = {
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
  const deltas = halves(input).map((part) => ({ type: 'input_json_delta', partial_json: part }));
  return { whole: { ...use, input: JSON.parse(input) }, empty: { ...use, input: {} }, deltas };
}

function inputUsage({ inputTokens }: Reply): Json {
  return { input_tokens: inputTokens, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
}

function halves(text: string): string[] {
  const half = Math.ceil(text.length / 2);
  return [text.slice(0, half), text.slice(half)].filter((part) => part !== '');
}

function choiceOf(choice: Json | undefined): Ask['toolChoice'] {
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
  return typeof content === 'string' ? [{ type: 'text', text: content }] : list(content);
}

function list(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
