import { describe, expect, it } from 'vitest';
import type { Dialect, ProviderKind } from '../../router/catalog/index.ts';
import { createMappedAttempt } from '../../router/mapped-calls/attempt.ts';
import { startFakeProvider } from '../../scripts/fake-provider/index.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { callTo, ENV, modelAt, TIMEOUTS } from './mapped-gateway.ts';

type Fields = Record<string, unknown>;

const CALL = { id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } };
const USE = { type: 'tool_use', id: 'c1', name: 'f', input: {} };
const HELLO = { role: 'user', content: 'Hello' };

function user(...content: unknown[]): Fields {
  return { messages: [{ role: 'user', content }] };
}

/** What an OpenAI client asks of Claude, and the field that the refusal names. */
const OPENAI: [string, Fields][] = [
  ['n', { n: 2 }],
  ['logprobs', { logprobs: true }],
  ['top_logprobs', { top_logprobs: 3 }],
  ['service_tier', { service_tier: 'flex' }],
  ['audio', { audio: { voice: 'alloy', format: 'wav' } }],
  ['modalities.0', { modalities: ['audio'] }],
  ['max_tokens', { max_tokens: 5, max_completion_tokens: 6 }],
  ['an_unknown_field', { an_unknown_field: 1 }],
  ['tools.0.type', { tools: [{ type: 'custom', custom: { name: 'x' } }] }],
  ['tools.0.function.oddity', { tools: [{ type: 'function', function: { name: 'x', oddity: 1 } }] }],
  ['tool_choice', { tool_choice: 'required' }],
  ['tool_choice', { tool_choice: { type: 'function', function: { name: 'x' } } }],
  ['function_call', { function_call: { name: 'x' } }],
  ['stream_options.oddity', { stream_options: { oddity: true } }],
  [
    'messages.0.content.0.input_audio',
    user({ type: 'input_audio', input_audio: { data: 'UklG', format: 'wav' } }),
  ],
  [
    'messages.0.content.0.image_url.url',
    user({ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }),
  ],
  ['messages', { messages: [{ role: 'user', content: '' }] }],
  ['messages.0.content.0.file.file_id', user({ type: 'file', file: { file_id: 'file-1' } })],
  ['messages.1.tool_calls.0.id', { messages: [HELLO, { role: 'assistant', tool_calls: [CALL] }, HELLO] }],
  ['messages.0.tool_call_id', { messages: [{ role: 'tool', tool_call_id: 'nobody', content: 'x' }] }],
];

/** What an Anthropic client asks of a model behind OpenAI's API. */
const ANTHROPIC: [string, Fields][] = [
  ['mcp_servers', { mcp_servers: [{ type: 'url', url: 'https://a.b', name: 'x' }] }],
  ['container', { container: 'c' }],
  ['tool_choice', { tool_choice: { type: 'any' } }],
  ['tool_choice', { tool_choice: { type: 'tool', name: 'x' } }],
  ['thread', { thread: { type: 'create' } }],
  ['inference_geo', { inference_geo: 'eu' }],
  ['service_tier', { service_tier: 'priority' }],
  ['tools.0.type', { tools: [{ type: 'web_search_20250305', name: 'web_search', input_schema: {} }] }],
  [
    'messages.0.content.0.source.url',
    user({ type: 'document', source: { type: 'url', url: 'https://a.b/c.pdf' } }),
  ],
  [
    'messages.0.content.0.citations.enabled',
    user({ type: 'document', source: { type: 'text', data: 'x' }, citations: { enabled: true } }),
  ],
  ['messages.0.content.0.tool_use_id', user({ type: 'tool_result', tool_use_id: 'nobody', content: 'x' })],
  ['messages.1.content.0.id', { messages: [HELLO, { role: 'assistant', content: [USE] }, HELLO] }],
  ['messages.0.role', { messages: [{ role: 'assistant', content: 'The answer is' }] }],
];

/** What only some providers have no place for. */
const OTHERS: [ProviderKind, Dialect, string, Fields][] = [
  [
    'google',
    'openai',
    'messages.0.content.0.image_url.url',
    user({ type: 'image_url', image_url: { url: 'https://a.b/c.png' } }),
  ],
  [
    'mistral',
    'openai',
    'messages.0.content.0.input_audio',
    user({ type: 'input_audio', input_audio: { data: 'UklG', format: 'wav' } }),
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
    const upstream = await startFakeProvider();
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
      expect(outcome.message).toMatch(
        new RegExp(
          `^This request cannot go to ${kind}/test, which was chosen for it\\. .*<provider>/<model>\\.$`,
        ),
      );
      expect(outcome.message).not.toMatch(/expected|received|Invalid|Too big|<=|undefined/);
      const { error } = JSON.parse(Buffer.from(outcome.body!).toString('utf8'));
      expect(error).toMatchObject({ type: 'invalid_request_error', message: outcome.message });
      expect(dialect === 'openai' ? error.param : error.details.param).toBe(field);
      expect(upstream.requests).toEqual([]);
    } finally {
      await upstream.close();
    }
  });

  it('takes what says the same as no field', async () => {
    const upstream = await startFakeProvider();
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
    expect(outcome).toMatchObject({ kind: 'reply' });
    expect(Object.keys(upstream.requests[0]!.body).sort()).toEqual(['max_tokens', 'messages', 'model']);
  });
});
