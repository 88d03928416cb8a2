import { describe, expect, it } from 'vitest';
import type { ProviderKind } from '../../router/catalog/index.ts';
import { createMappedAttempt } from '../../router/mapped-calls/attempt.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { callTo, ENV, modelAt, TIMEOUTS } from './mapped-gateway.ts';
import { MODELS, replyingProvider } from './scripted-provider.ts';

type Json = Record<string, unknown>;
type Case = [ProviderKind, string, Json, object];

const attempt = sendOnce(createMappedAttempt({ env: ENV }));

async function sent(kind: ProviderKind, dialect: 'openai' | 'anthropic', id: string, body: Json) {
  const provider = await replyingProvider(kind);
  const messages = [{ role: 'user', content: 'Hello' }];
  const call = callTo(modelAt(provider.url, kind, { id }), dialect, {
    model: 'x',
    max_tokens: 900,
    messages,
    ...body,
  });
  const outcome = await attempt(call, TIMEOUTS);
  expect(outcome).toMatchObject({ kind: 'reply', dropped: [] });
  return provider.bodies().at(-1);
}

const NAME_SCHEMA = {
  type: 'object',
  properties: { name: { type: 'string' } },
  required: ['name'],
  additionalProperties: false,
};
const PDF = 'JVBERi0xLjQ=';
const WAV = 'UklGRg==';
const TALK = [
  { role: 'user', content: 'Hello' },
  { role: 'assistant', content: 'Good day.' },
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'And now?' },
];

function user(...content: Json[]): Json {
  return { messages: [{ role: 'user', content }] };
}

/** What of the body the provider gets. */
const FROM_OPENAI: Case[] = [
  [
    'anthropic',
    'claude-sonnet-5-5',
    { response_format: { type: 'json_object', schema: NAME_SCHEMA } },
    { output_config: { format: { type: 'json_schema', schema: NAME_SCHEMA } } },
  ],
  [
    'google',
    'gemini-2.5-flash',
    { response_format: { type: 'json_object', schema: NAME_SCHEMA } },
    { generationConfig: { responseMimeType: 'application/json', responseJsonSchema: NAME_SCHEMA } },
  ],
  [
    'anthropic',
    'claude-sonnet-5-5',
    { reasoning_effort: 'low' },
    { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } },
  ],
  [
    'anthropic',
    'claude-haiku-4-5',
    { reasoning_effort: 'low', max_tokens: 9_000 },
    { max_tokens: 9_000, thinking: { type: 'enabled', budget_tokens: 1_024 } },
  ],
  [
    'google',
    'gemini-2.5-flash',
    { reasoning_effort: 'none' },
    { generationConfig: { thinkingConfig: { thinkingBudget: 0 } } },
  ],
  [
    'google',
    'gemini-3.5-flash',
    { reasoning_effort: 'xhigh' },
    { generationConfig: { thinkingConfig: { thinkingLevel: 'high' } } },
  ],
  ['mistral', 'mistral-small-latest', { reasoning_effort: 'high' }, { reasoning_effort: 'high' }],
  [
    'google',
    MODELS.google,
    { response_format: { type: 'json_object' } },
    { generationConfig: { responseMimeType: 'application/json' } },
  ],
  [
    'mistral',
    MODELS.mistral,
    { response_format: { type: 'json_object' } },
    { response_format: { type: 'json_object' } },
  ],
  [
    'anthropic',
    MODELS.anthropic,
    { response_format: { type: 'json_object' } },
    { system: [{ type: 'text', text: expect.stringContaining('JSON object') }] },
  ],
  [
    'bedrock',
    MODELS.bedrock,
    { response_format: { type: 'json_object' } },
    { system: [{ text: expect.stringContaining('JSON object') }] },
  ],
  [
    'anthropic',
    MODELS.anthropic,
    user({ type: 'file', file: { file_data: `data:application/pdf;base64,${PDF}`, filename: 'a.pdf' } }),
    {
      messages: [
        {
          content: [
            { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: PDF } },
          ],
        },
      ],
    },
  ],
  [
    'google',
    MODELS.google,
    user({ type: 'file', file: { file_data: `data:application/pdf;base64,${PDF}` } }),
    { contents: [{ parts: [{ inlineData: { mimeType: 'application/pdf', data: PDF } }] }] },
  ],
  [
    'google',
    MODELS.google,
    user({ type: 'input_audio', input_audio: { data: WAV, format: 'wav' } }),
    { contents: [{ parts: [{ inlineData: { mimeType: 'audio/wav', data: WAV } }] }] },
  ],
  ['google', MODELS.google, { top_k: 5 }, { generationConfig: { topK: 5 } }],
  ['anthropic', MODELS.anthropic, { top_k: 5 }, { top_k: 5 }],
  [
    'anthropic',
    MODELS.anthropic,
    { messages: TALK },
    {
      messages: [
        { role: 'user' },
        { role: 'assistant' },
        { role: 'user', content: [{ text: expect.stringContaining('Be brief.') }, { text: 'And now?' }] },
      ],
    },
  ],
  [
    'google',
    MODELS.google,
    { messages: TALK },
    {
      contents: [
        { role: 'user' },
        { role: 'model' },
        { role: 'user', parts: [{ text: expect.stringContaining('Be brief.') }] },
        { role: 'user', parts: [{ text: 'And now?' }] },
      ],
    },
  ],
  [
    'anthropic',
    MODELS.anthropic,
    user({ type: 'text', text: 'Long.', cache_control: { type: 'ephemeral' } }),
    { messages: [{ content: [{ text: 'Long.', cache_control: { type: 'ephemeral' } }] }] },
  ],
];

const FROM_ANTHROPIC: Case[] = [
  ['openai', 'gpt-6-sol', { output_config: { effort: 'max' } }, { reasoning_effort: 'max' }],
  ['openai', 'gpt-6-sol', { thinking: { type: 'disabled' } }, { reasoning_effort: 'none' }],
  ['openai', 'gpt-5', { thinking: { type: 'disabled' } }, { reasoning_effort: 'minimal' }],
  [
    'openai',
    'gpt-6-luna',
    { thinking: { type: 'enabled', budget_tokens: 4_000 } },
    { reasoning_effort: 'medium' },
  ],
  [
    'google',
    'gemini-2.5-pro',
    { thinking: { type: 'enabled', budget_tokens: 4_000 } },
    { generationConfig: { thinkingConfig: { thinkingBudget: 4_000 } } },
  ],
  [
    'google',
    'gemini-3.5-flash',
    { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } },
    { generationConfig: { thinkingConfig: { thinkingLevel: 'low' } } },
  ],
  [
    'openai',
    'gpt-6-sol',
    { messages: TALK },
    {
      messages: [
        { role: 'user' },
        { role: 'assistant' },
        { role: 'developer', content: 'Be brief.' },
        { role: 'user' },
      ],
    },
  ],
  [
    'openai',
    MODELS.openai,
    user({ type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: PDF } }),
    {
      messages: [{ content: [{ type: 'file', file: { file_data: `data:application/pdf;base64,${PDF}` } }] }],
    },
  ],
  [
    'openai',
    MODELS.openai,
    {
      tools: [{ name: 'f', input_schema: { type: 'object' } }],
      tool_choice: { type: 'auto', disable_parallel_tool_use: true },
    },
    { parallel_tool_calls: false, tool_choice: 'auto' },
  ],
];

describe('fields with a counterpart', () => {
  it.each(FROM_OPENAI)('OpenAI to %s (%s): %o', async (kind, id, body, expected) => {
    expect(await sent(kind, 'openai', id, body)).toMatchObject(expected);
  });

  it.each(FROM_ANTHROPIC)('Anthropic to %s (%s): %o', async (kind, id, body, expected) => {
    expect(await sent(kind, 'anthropic', id, body)).toMatchObject(expected);
  });

  it('thinking with a budget is left out within a tool loop, where it needs what the client does not have', async () => {
    const provider = await replyingProvider('anthropic');
    const call = { id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } };
    const body = {
      model: 'x',
      reasoning_effort: 'high',
      messages: [
        TALK[0],
        { role: 'assistant', tool_calls: [call] },
        { role: 'tool', tool_call_id: 'c1', content: 'x' },
      ],
      tools: [{ type: 'function', function: { name: 'f' } }],
    };
    const model = modelAt(provider.url, 'anthropic', { id: 'claude-haiku-4-5' });
    const outcome = await attempt(callTo(model, 'openai', body), TIMEOUTS);
    expect(outcome).toMatchObject({ kind: 'reply', dropped: ['reasoning_effort'] });
    expect(provider.bodies()[0]).not.toHaveProperty('thinking');
  });

  it('pictures in results of tools follow them in a message of the user, if the target does not take them there', async () => {
    const image = {
      type: 'image',
      source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' },
    };
    const use = { type: 'tool_use', id: 't1', name: 'read', input: {} };
    const result = {
      type: 'tool_result',
      tool_use_id: 't1',
      content: [{ type: 'text', text: 'a.png' }, image],
    };
    const messages = [TALK[0], { role: 'assistant', content: [use] }, { role: 'user', content: [result] }];
    const tools = [{ name: 'read', input_schema: { type: 'object' } }];
    expect(await sent('openai', 'anthropic', MODELS.openai, { messages, tools })).toMatchObject({
      messages: [
        {},
        {},
        { role: 'tool', content: 'a.png' },
        { role: 'user', content: [{ type: 'image_url' }] },
      ],
    });
  });
});

describe('a limit on the output', () => {
  const ids = ['gpt-4.1-mini', 'gpt-4o', 'o3', 'gpt-5', 'gpt-6-sol', 'gpt-9-next', 'ft:gpt-4o:mine'];

  it.each(ids)(
    'is max_completion_tokens at OpenAI, whose newer models refuse the old name: %s',
    async (id) => {
      const body = await sent('openai', 'anthropic', id, {});
      expect(body).toMatchObject({ max_completion_tokens: 900 });
      expect(body).not.toHaveProperty('max_tokens');
    },
  );

  it.each(['openai-compatible', 'mistral'] as const)('is max_tokens at %s', async (kind) => {
    const body = await sent(kind, 'anthropic', MODELS[kind], {});
    expect(body).toMatchObject({ max_tokens: 900 });
    expect(body).not.toHaveProperty('max_completion_tokens');
  });
});

describe('the detail of pictures', () => {
  const picture = (detail?: string) => ({
    type: 'image_url',
    image_url: { url: 'data:image/png;base64,iVBORw0KGgo=', ...(detail && { detail }) },
  });
  const pdf = { type: 'file', file: { file_data: `data:application/pdf;base64,${PDF}` } };

  async function detailSent(kind: ProviderKind, id: string, ...content: Json[]) {
    const provider = await replyingProvider(kind);
    const call = callTo(modelAt(provider.url, kind, { id }), 'openai', { model: 'x', ...user(...content) });
    const outcome = await attempt(call, TIMEOUTS);
    const { generationConfig } = provider.bodies().at(-1) as { generationConfig?: Json };
    const dropped = outcome.kind === 'reply' ? outcome.dropped : outcome;
    return [generationConfig?.['mediaResolution'], dropped];
  }

  it.each(['low', 'high'])('%s is the resolution of Gemini, if all pictures ask for it', async (detail) => {
    const resolution = `MEDIA_RESOLUTION_${detail.toUpperCase()}`;
    for (const id of ['gemini-2.5-flash', 'gemini-3.5-flash']) {
      expect(await detailSent('google', id, picture(detail), picture(detail))).toEqual([resolution, []]);
    }
  });

  it('auto is no wish', async () => {
    for (const kind of ['google', 'anthropic', 'mistral', 'bedrock'] as const) {
      expect(await detailSent(kind, MODELS[kind], picture('auto'), picture())).toEqual([undefined, []]);
    }
  });

  const path = (at: number) => `messages.0.content.${at}.image_url.detail`;
  it.each<[string, ProviderKind, string, Json[], string[]]>([
    [
      'another picture asks for another',
      'google',
      'gemini-2.5-flash',
      [picture('low'), picture('high')],
      [path(0), path(1)],
    ],
    ['another picture asks for none', 'google', 'gemini-2.5-flash', [picture(), picture('high')], [path(1)]],
    ['there is another file', 'google', 'gemini-2.5-flash', [pdf, picture('low')], [path(1)]],
    ['it is of no known kind', 'google', 'gemini-2.5-flash', [picture('original')], [path(0)]],
    ['the model is too old', 'google', 'gemini-2.0-flash', [picture('low')], [path(0)]],
    ...(['anthropic', 'mistral', 'bedrock'] as const).flatMap((kind) =>
      ['low', 'high', 'original'].map((detail): [string, ProviderKind, string, Json[], string[]] => [
        `${kind} has none: ${detail}`,
        kind,
        MODELS[kind],
        [picture(detail)],
        [path(0)],
      ]),
    ),
  ])('is dropped by name where %s', async (_, kind, id, content, dropped) => {
    expect(await detailSent(kind, id, ...content)).toEqual([undefined, dropped]);
  });
});

/** The body of Claude Code's first request, as far as its form matters. */
const CLAUDE_CODE: Json = {
  model: 'auto',
  max_tokens: 32_000,
  stream: false,
  system: [
    { type: 'text', text: 'You are Claude Code.', cache_control: { type: 'ephemeral' } },
    { type: 'text', text: 'Rules.', cache_control: { type: 'ephemeral', ttl: '1h' } },
  ],
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Context.' },
        { type: 'text', text: 'List the files.', cache_control: { type: 'ephemeral' } },
      ],
    },
    { role: 'system', content: [{ type: 'text', text: 'Skills: none.' }] },
  ],
  tools: [
    {
      name: 'Bash',
      description: 'Runs.',
      input_schema: {
        $schema: 'x',
        type: 'object',
        properties: { command: { type: 'string' } },
        required: ['command'],
      },
      eager_input_streaming: true,
    },
  ],
  metadata: { user_id: 'user_1_session_2' },
  thinking: { type: 'adaptive' },
  output_config: { effort: 'high' },
  context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
};

describe('Claude Code', () => {
  it.each<[ProviderKind, string]>([
    ['openai', 'gpt-6-luna'],
    ['openai', 'gpt-6-sol'],
    ['openai-compatible', 'qwen3'],
    ['google', 'gemini-2.5-flash'],
    ['google', 'gemini-3.5-flash'],
    ['mistral', MODELS.mistral],
    ['bedrock', MODELS.bedrock],
  ])('runs on %s (%s)', async (kind, id) => {
    const provider = await replyingProvider(kind);
    const call = callTo(modelAt(provider.url, kind, { id }), 'anthropic', CLAUDE_CODE);
    expect(await attempt(call, TIMEOUTS)).toMatchObject({ kind: 'reply' });
    const body = JSON.stringify(provider.bodies()[0]);
    expect(body.indexOf('Skills: none.')).toBeGreaterThan(body.indexOf('List the files.'));
    for (const word of ['context_management', 'eager_input_streaming', 'cache_control'])
      expect(body).not.toContain(word);
  });
});
