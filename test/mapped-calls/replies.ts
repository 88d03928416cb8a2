import type Anthropic from '@anthropic-ai/sdk';
import type OpenAI from 'openai';
import type { Dialect, ProviderKind } from '../../router/catalog/index.ts';
import { amazonEvent } from './amazon-events.ts';
import { clientsOf, modelAt } from './mapped-gateway.ts';
import { type Scripted, scriptedProvider } from './scripted-provider.ts';

/** The same reply, text and two calls of tools, in the words of each provider. */
export interface ProviderReply {
  readonly plain: object;
  /** The events of a stream; those of Bedrock are frames. */
  readonly events: readonly (object | string | Uint8Array)[];
}

const USAGE = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 };
const CALLS = [
  { id: 'call_1', name: 'weather', arguments: '{"city":"Bonn"}' },
  { id: 'call_2', name: 'now', arguments: '' },
];

/** @param finish - in the provider's word. Each kind has its own for "it called tools", and servers that say "stop" instead */
export function chatReply(finish = 'tool_calls'): ProviderReply {
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    id: 'c1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason }],
  });
  const tool_calls = CALLS.map(({ id, ...of }) => ({ id, type: 'function', function: of }));
  const message = { role: 'assistant', content: 'Good day.', tool_calls };
  return {
    plain: {
      id: 'c1',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, message, finish_reason: finish }],
      usage: USAGE,
    },
    events: [
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'Good ' }),
      chunk({ content: 'day.' }),
      chunk({
        tool_calls: [
          { index: 0, id: 'call_1', type: 'function', function: { name: 'weather', arguments: '' } },
        ],
      }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: '"Bonn"}' } }] }),
      chunk({
        tool_calls: [{ index: 1, id: 'call_2', type: 'function', function: { name: 'now', arguments: '' } }],
      }),
      chunk({}, finish),
      { ...chunk({}), choices: [], usage: USAGE },
      '[DONE]',
    ],
  };
}

export function messageReply(stop_reason = 'tool_use'): ProviderReply {
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm' };
  const usage = { input_tokens: 7, output_tokens: 1 };
  const tool = (id: string, name: string, input: object) => ({ type: 'tool_use', id, name, input });
  const delta = (index: number, piece: object) => ({ type: 'content_block_delta', index, delta: piece });
  return {
    plain: {
      ...message,
      content: [
        { type: 'text', text: 'Good day.' },
        tool('call_1', 'weather', { city: 'Bonn' }),
        tool('call_2', 'now', {}),
      ],
      stop_reason,
      stop_sequence: null,
      usage: { ...usage, output_tokens: 5 },
    },
    events: [
      {
        type: 'message_start',
        message: { ...message, content: [], stop_reason: null, stop_sequence: null, usage },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      delta(0, { type: 'text_delta', text: 'Good ' }),
      delta(0, { type: 'text_delta', text: 'day.' }),
      { type: 'content_block_stop', index: 0 },
      { type: 'content_block_start', index: 1, content_block: tool('call_1', 'weather', {}) },
      delta(1, { type: 'input_json_delta', partial_json: '{"city":' }),
      delta(1, { type: 'input_json_delta', partial_json: '"Bonn"}' }),
      { type: 'content_block_stop', index: 1 },
      { type: 'content_block_start', index: 2, content_block: tool('call_2', 'now', {}) },
      { type: 'content_block_stop', index: 2 },
      { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 5 } },
      { type: 'message_stop' },
    ],
  };
}

export function geminiReply(finishReason = 'STOP'): ProviderReply {
  const chunk = (parts: object[], more: object = {}, candidate: object = {}) => ({
    candidates: [{ content: { role: 'model', parts }, index: 0, ...candidate }],
    ...more,
  });
  const usageMetadata = { promptTokenCount: 7, candidatesTokenCount: 5, totalTokenCount: 12 };
  const calls = [
    { functionCall: { id: 'call_1', name: 'weather', args: { city: 'Bonn' } } },
    { functionCall: { id: 'call_2', name: 'now', args: {} } },
  ];
  return {
    plain: chunk([{ text: 'Good day.' }, ...calls], { usageMetadata }, { finishReason }),
    events: [
      chunk([{ text: 'Good ' }]),
      chunk([{ text: 'day.' }], { usageMetadata: { promptTokenCount: 7 } }),
      chunk(calls),
      chunk([], { usageMetadata }, { finishReason }),
    ],
  };
}

export function converseReply(stopReason = 'tool_use'): ProviderReply {
  const usage = { inputTokens: 7, outputTokens: 5, totalTokens: 12 };
  const tool = (toolUseId: string, name: string) => ({ toolUse: { toolUseId, name } });
  const at = (contentBlockIndex: number, more: object = {}) => ({ contentBlockIndex, ...more });
  return {
    plain: {
      output: {
        message: {
          role: 'assistant',
          content: [
            { text: 'Good day.' },
            { toolUse: { toolUseId: 'call_1', name: 'weather', input: { city: 'Bonn' } } },
            { toolUse: { toolUseId: 'call_2', name: 'now', input: {} } },
          ],
        },
      },
      stopReason,
      usage,
      metrics: { latencyMs: 1 },
    },
    events: [
      amazonEvent('messageStart', { role: 'assistant' }),
      amazonEvent('contentBlockDelta', at(0, { delta: { text: 'Good ' } })),
      amazonEvent('contentBlockDelta', at(0, { delta: { text: 'day.' } })),
      amazonEvent('contentBlockStop', at(0)),
      amazonEvent('contentBlockStart', at(1, { start: tool('call_1', 'weather') })),
      amazonEvent('contentBlockDelta', at(1, { delta: { toolUse: { input: '{"city":"Bonn"}' } } })),
      amazonEvent('contentBlockStop', at(1)),
      amazonEvent('contentBlockStart', at(2, { start: tool('call_2', 'now') })),
      amazonEvent('contentBlockStop', at(2)),
      amazonEvent('messageStop', { stopReason }),
      amazonEvent('metadata', { usage, metrics: { latencyMs: 1 } }),
    ],
  };
}

export const REPLIES: readonly (readonly [ProviderKind, (finish?: string) => ProviderReply, stop: string])[] =
  [
    ['openai', chatReply, 'stop'],
    ['openai-compatible', chatReply, 'stop'],
    ['mistral', chatReply, 'stop'],
    ['anthropic', messageReply, 'end_turn'],
    ['google', geminiReply, 'STOP'],
    ['bedrock', converseReply, 'end_turn'],
  ];

/** A stream as the provider of this kind sends it. */
export function streamOf(kind: ProviderKind, events: ProviderReply['events']): Scripted {
  if (kind === 'bedrock') {
    return { type: 'application/vnd.amazon.eventstream', body: Buffer.concat(events as Uint8Array[]) };
  }
  return { type: 'text/event-stream', body: events.map((event) => sse(event as object | string)).join('') };
}

/** One event; Anthropic's have their type as name. */
export function sse(event: object | string): string {
  if (typeof event === 'string') return `data: ${event}\n\n`;
  const name = 'type' in event ? `event: ${String(event.type)}\n` : '';
  return `${name}data: ${JSON.stringify(event)}\n\n`;
}

const ASK = {
  model: 'auto',
  max_tokens: 99,
  messages: [{ role: 'user' as const, content: 'What is the weather?' }],
};

/** The reply as the official client of a dialect reads it. */
export interface ClientReply {
  readonly openai?: OpenAI.ChatCompletion;
  readonly anthropic?: Anthropic.Message;
  readonly usage: unknown;
}

/** Asks a provider of this kind with one scripted reply through the official client. Rejects as the client does. */
export async function replyTo(
  dialect: Dialect,
  kind: ProviderKind,
  script: Scripted,
  stream: boolean,
): Promise<ClientReply> {
  const { url } = await scriptedProvider(script);
  const { openai, anthropic, outcomes } = await clientsOf(modelAt(url, kind));
  const usage = () => {
    const outcome = outcomes.at(-1);
    return outcome?.kind === 'reply' ? outcome.usage() : undefined;
  };
  if (dialect === 'openai') {
    const options = { stream_options: { include_usage: true } };
    const reply = stream
      ? await openai.chat.completions.stream({ ...ASK, ...options }).finalChatCompletion()
      : await openai.chat.completions.create(ASK);
    return { openai: reply, usage: usage() };
  }
  const reply = stream
    ? await anthropic.messages.stream(ASK).finalMessage()
    : await anthropic.messages.create(ASK);
  return { anthropic: reply, usage: usage() };
}

/** What of a client's reply must not depend on how the provider sent it. */
export function essence({ openai, anthropic, usage }: ClientReply): object {
  if (anthropic) {
    const { content, stop_reason, stop_sequence, usage: counts } = anthropic;
    const { input_tokens, output_tokens } = counts;
    return { content, stop_reason, stop_sequence, input_tokens, output_tokens, usage };
  }
  const { message, finish_reason } = openai!.choices[0]!;
  const { content, refusal, tool_calls } = message;
  const { prompt_tokens, completion_tokens } = openai!.usage ?? {};
  return { content, refusal, tool_calls, finish_reason, prompt_tokens, completion_tokens, usage };
}
