import { describe, expect, it } from 'vitest';
import type { Dialect, ProviderKind } from '../../router/catalog/types.ts';
import { createMappedAttempt } from '../../router/upstream/mapped-attempt.ts';
import { startUpstream } from '../../scripts/upstream/start-upstream.ts';
import { sendOnce } from '../upstream/attempts.ts';
import { callTo, ENV, modelAt, TIMEOUTS } from './mapped-gateway.ts';

type Fields = Record<string, unknown>;

const CALL = { id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } };
const USE = { type: 'tool_use', id: 'c1', name: 'f', input: {} };
const MARK = { cache_control: { type: 'ephemeral' } };
const IMAGE = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } };

function user(...content: unknown[]): Fields {
  return { messages: [{ role: 'user', content }] };
}

/** What an OpenAI client asks of Claude, and the field that the refusal names. */
const OPENAI: [string, Fields][] = [
  ['n', { n: 2 }],
  ['logprobs', { logprobs: true }],
  ['top_logprobs', { top_logprobs: 3 }],
  ['logit_bias.50256', { logit_bias: { 50256: -100 } }],
  ['audio', { audio: { voice: 'alloy', format: 'wav' } }],
  ['modalities.0', { modalities: ['audio'] }],
  ['metadata', { metadata: { a: 'b' } }],
  ['store', { store: true }],
  ['seed', { seed: 7 }],
  ['presence_penalty', { presence_penalty: 0.5 }],
  ['frequency_penalty', { frequency_penalty: 0.5 }],
  ['temperature', { temperature: 1.5 }],
  ['top_p', { top_p: 0.5, temperature: 0.5 }],
  ['max_tokens', { max_tokens: 9_000_000 }],
  ['max_tokens', { max_tokens: 5, max_completion_tokens: 6 }],
  ['response_format', { response_format: { type: 'json_object' } }],
  ['reasoning_effort', { reasoning_effort: 'high' }],
  ['functions', { functions: [] }],
  ['prediction', { prediction: { type: 'content', content: 'x' } }],
  ['an_unknown_field', { an_unknown_field: 1 }],
  ['tools.0.type', { tools: [{ type: 'custom', custom: { name: 'x' } }] }],
  ['tools.0.function.oddity', { tools: [{ type: 'function', function: { name: 'x', oddity: 1 } }] }],
  ['stream_options.oddity', { stream_options: { oddity: true } }],
  ['user', { user: 'a', safety_identifier: 'b' }],
  ['messages.0.name', { messages: [{ role: 'user', content: 'x', name: 'Ann' }] }],
  ['messages.0.content.0.type', user({ type: 'input_audio', input_audio: { data: '', format: 'wav' } })],
  [
    'messages.0.content.0.image_url.detail',
    user({ type: 'image_url', image_url: { url: 'https://a.b/c.png', detail: 'low' } }),
  ],
  [
    'messages.0.content.0.image_url.url',
    user({ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }),
  ],
  ['messages.0.content.0.cache_control', user({ type: 'text', text: 'x', ...MARK })],
  ['messages.0.tool_call_id', { messages: [{ role: 'tool', tool_call_id: 'nobody', content: 'x' }] }],
  [
    'messages.0.tool_calls.0.function.arguments',
    {
      messages: [
        { role: 'assistant', tool_calls: [{ ...CALL, function: { name: 'f', arguments: '{"a":' } }] },
      ],
    },
  ],
  ['messages.0.refusal', { messages: [{ role: 'assistant', content: null, refusal: 'No.' }] }],
];

/** What an Anthropic client asks of a model behind OpenAI's API. */
const ANTHROPIC: [string, Fields][] = [
  ['top_k', { top_k: 5 }],
  ['thinking.type', { thinking: { type: 'enabled', budget_tokens: 1024 } }],
  ['context_management', { context_management: {} }],
  ['mcp_servers', { mcp_servers: [] }],
  ['container', { container: 'c' }],
  ['service_tier', { service_tier: 'standard_only' }],
  ['thread', { thread: { type: 'create' } }],
  ['output_config.effort', { output_config: { effort: 'low' } }],
  ['metadata.account', { metadata: { account: 'x' } }],
  ['system.0.cache_control', { system: [{ type: 'text', text: 'x', ...MARK }] }],
  ['tools.0.cache_control', { tools: [{ name: 'f', input_schema: { type: 'object' }, ...MARK }] }],
  ['tools.0.type', { tools: [{ type: 'web_search_20250305', name: 'web_search', input_schema: {} }] }],
  ['messages.0.content.0.cache_control', user({ type: 'text', text: 'x', ...MARK })],
  [
    'messages.0.content.0.type',
    user({ type: 'document', source: { type: 'text', data: 'x', media_type: 'text/plain' } }),
  ],
  ['messages.0.content.0.tool_use_id', user({ type: 'tool_result', tool_use_id: 'nobody', content: 'x' })],
  ['messages.0.role', { messages: [{ role: 'assistant', content: 'The answer is' }] }],
  [
    'messages.0.content.0.type',
    { messages: [{ role: 'assistant', content: [{ type: 'thinking', thinking: 'x', signature: 'y' }] }] },
  ],
  [
    'messages.1.content.0.content.0',
    {
      messages: [
        { role: 'assistant', content: [USE] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1', content: [IMAGE] }] },
      ],
    },
  ],
];

/** What only some providers have no place for. */
const OTHERS: [ProviderKind, Dialect, string, Fields][] = [
  ['google', 'openai', 'user', { user: 'u' }],
  ['google', 'openai', 'parallel_tool_calls', { parallel_tool_calls: false }],
  [
    'google',
    'openai',
    'messages.0.content.0.image_url.url',
    user({ type: 'image_url', image_url: { url: 'https://a.b/c.png' } }),
  ],
  ['bedrock', 'openai', 'seed', { seed: 1 }],
  ['mistral', 'anthropic', 'metadata.user_id', { metadata: { user_id: 'u' } }],
  ['mistral', 'anthropic', 'top_k', { top_k: 3 }],
  [
    'google',
    'anthropic',
    'tool_choice.disable_parallel_tool_use',
    { tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
  ],
];

const CASES: [ProviderKind, Dialect, string, Fields][] = [
  ...OPENAI.map(([field, body]): [ProviderKind, Dialect, string, Fields] => [
    'anthropic',
    'openai',
    field,
    body,
  ]),
  ...ANTHROPIC.map(([field, body]): [ProviderKind, Dialect, string, Fields] => [
    'openai',
    'anthropic',
    field,
    body,
  ]),
  ...OTHERS,
];

describe('what cannot be mapped', () => {
  it.each(CASES)('%s asked in %s: %s is named, and nothing is sent', async (kind, dialect, field, fields) => {
    const upstream = await startUpstream();
    try {
      const usual = {
        model: 'auto',
        messages: [{ role: 'user', content: 'Hello' }],
        ...(dialect === 'anthropic' && { max_tokens: 9 }),
      };
      const call = callTo(modelAt(upstream.url, kind), dialect, { ...usual, ...fields });
      const outcome = await sendOnce(createMappedAttempt({ env: ENV }))(call, TIMEOUTS);

      expect(outcome).toMatchObject({ kind: 'failure', failure: 'bad-request', status: undefined });
      if (outcome.kind !== 'failure') return;
      expect(outcome.message).toContain(` ${field}: `);
      const { error } = JSON.parse(Buffer.from(outcome.body!).toString('utf8'));
      expect(error).toMatchObject({ type: 'invalid_request_error', message: outcome.message });
      expect(dialect === 'openai' ? error.param : error.details.param).toBe(field);
      expect(upstream.requests).toEqual([]);
    } finally {
      await upstream.close();
    }
  });

  it('takes what says the same as no field', async () => {
    const upstream = await startUpstream();
    const neutral = {
      n: 1,
      logprobs: false,
      top_p: 1,
      presence_penalty: 0,
      frequency_penalty: 0,
      logit_bias: {},
      modalities: ['text'],
      store: false,
      service_tier: 'auto',
      seed: null,
      parallel_tool_calls: true,
      metadata: null,
      tools: [],
    };
    const body = { model: 'auto', messages: [{ role: 'user', content: 'Hello' }], ...neutral };
    const outcome = await sendOnce(createMappedAttempt({ env: ENV }))(
      callTo(modelAt(upstream.url, 'anthropic'), 'openai', body),
      TIMEOUTS,
    );
    await upstream.close();
    expect(outcome).toMatchObject({ kind: 'answer' });
    expect(Object.keys(upstream.requests[0]!.body).sort()).toEqual(['max_tokens', 'messages', 'model']);
  });
});
