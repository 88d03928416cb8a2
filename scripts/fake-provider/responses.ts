import { type Json, objects } from './json.ts';
import { type ChatRequest, halves, type Reply } from './reply.ts';

/** A constant, so that responses repeat byte for byte. */
const CREATED = 1_700_000_000;

/** Reads the body of a request to /responses. */
export function parseResponsesRequest(body: Json): ChatRequest {
  const { input } = body;
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : objects(input);
  const parts = items.flatMap(({ content, output }) => [...listOf(content), ...listOf(output)]);
  const format = (body['text'] as Json | undefined)?.['format'] as Json | undefined;
  return {
    model: String(body['model']),
    text: [body['instructions'] ?? '', ...items.map(({ content, output }) => textOf(content ?? output))].join(
      '\n',
    ),
    images: parts.filter(({ type }) => type === 'input_image').length,
    tools: objects(body['tools'])
      .filter(({ type }) => type === 'function')
      .map(({ name, parameters }) => ({ name: String(name), schema: parameters })),
    toolChoice: parseToolChoice(body['tool_choice']),
    toolResults: items
      .filter(({ type }) => type === 'function_call_output')
      .map(({ output }) => textOf(output)),
    schema: format?.['type'] === 'json_object' ? {} : format?.['schema'],
    maxTokens: (body['max_output_tokens'] ?? undefined) as number | undefined,
    stop: [],
  };
}

/** @param body the request, whose settings come back */
export function responsesResponse(reply: Reply, body: Json): Json {
  const cut = reply.finish === 'length';
  return {
    ...envelope(reply, body),
    status: cut ? 'incomplete' : 'completed',
    incomplete_details: cut ? { reason: 'max_output_tokens' } : null,
    output: itemsOf(reply).map(({ whole }) => whole),
    usage: {
      input_tokens: reply.inputTokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: reply.outputTokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: reply.inputTokens + reply.outputTokens,
    },
  };
}

/** The events of a stream, each with the blank line that ends it. */
export function responsesEvents(reply: Reply, body: Json): string[] {
  let sequence = 0;
  const event = (type: string, fields: Json) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...fields })}\n\n`;
  const begun = { response: envelope(reply, body) };
  const whole = responsesResponse(reply, body);
  return [
    event('response.created', begun),
    event('response.in_progress', begun),
    ...itemsOf(reply).flatMap(({ added, whole: item, growth }, index) => [
      event('response.output_item.added', { output_index: index, item: added }),
      ...growth.map(([type, fields]) => event(type, { item_id: item['id'], output_index: index, ...fields })),
      event('response.output_item.done', { output_index: index, item }),
    ]),
    event(`response.${whole['status']}`, { response: whole }),
  ];
}

interface Item {
  readonly added: Json;
  readonly whole: Json;
  /** Events between the two, by type. */
  readonly growth: readonly (readonly [string, Json])[];
}

function itemsOf(reply: Reply): Item[] {
  return [
    ...(reply.words.length > 0 || reply.toolCalls.length === 0 ? [messageOf(reply)] : []),
    ...callsOf(reply),
  ];
}

function messageOf({ id, words, finish }: Reply): Item {
  const text = words.join('');
  const part = { type: 'output_text', annotations: [], logprobs: [], text };
  const head = { id: `msg_${id}`, type: 'message', role: 'assistant' };
  const status = finish === 'length' ? 'incomplete' : 'completed';
  return {
    added: { ...head, status: 'in_progress', content: [] },
    whole: { ...head, status, content: [part] },
    growth: [
      ['response.content_part.added', { content_index: 0, part: { ...part, text: '' } }],
      ...words.map((delta): [string, Json] => [
        'response.output_text.delta',
        { content_index: 0, delta, logprobs: [] },
      ]),
      ['response.output_text.done', { content_index: 0, text, logprobs: [] }],
      ['response.content_part.done', { content_index: 0, part }],
    ],
  };
}

function callsOf({ toolCalls }: Reply): Item[] {
  return toolCalls.map(({ id, name, input }) => {
    const head = { id: `fc_${id}`, type: 'function_call', call_id: `call_${id}`, name };
    return {
      added: { ...head, status: 'in_progress', arguments: '' },
      whole: { ...head, status: 'completed', arguments: input },
      growth: [
        ...halves(input).map((delta): [string, Json] => [
          'response.function_call_arguments.delta',
          { delta },
        ]),
        ['response.function_call_arguments.done', { name, arguments: input }],
      ],
    };
  });
}

function envelope({ id, model }: Reply, body: Json): Json {
  const { instructions = null, tools = [], tool_choice: choice = 'auto', store = true, metadata = {} } = body;
  return {
    id: `resp_${id}`,
    object: 'response',
    created_at: CREATED,
    status: 'in_progress',
    error: null,
    incomplete_details: null,
    instructions,
    max_output_tokens: body['max_output_tokens'] ?? null,
    model,
    output: [],
    parallel_tool_calls: body['parallel_tool_calls'] ?? true,
    previous_response_id: body['previous_response_id'] ?? null,
    reasoning: { effort: null, summary: null },
    store,
    temperature: 1,
    text: body['text'] ?? { format: { type: 'text' } },
    tool_choice: choice,
    tools,
    top_p: 1,
    truncation: 'disabled',
    usage: null,
    metadata,
  };
}

function parseToolChoice(choice: unknown): ChatRequest['toolChoice'] {
  if (choice === 'none') return 'none';
  if (choice === 'required') return 'any';
  const { name } = (choice ?? {}) as { readonly name?: string };
  return name === undefined ? undefined : { name };
}

function listOf(content: unknown): readonly Json[] {
  return typeof content === 'string' ? [] : objects(content);
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return objects(content)
    .map(({ text }) => text ?? '')
    .join('\n');
}
