import type { Scripted } from './scripted-provider.ts';

/** One request to the server, and what the provider does with the requests that come of it. */
export interface Exchange {
  /** Also the name of the fixture. */
  readonly name: string;
  /** `main` has the whole configuration; `guarded` wants API keys and has low limits. */
  readonly server?: 'main' | 'guarded';
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent as it is, everything else as JSON. */
  readonly body?: unknown;
  readonly replies?: readonly Scripted[];
  /** Sent while another call is at work. */
  readonly whileBusy?: boolean;
  /** What of the response is kept, in place of its body. */
  readonly kept?: (body: string) => string;
}

const EASY = 'Translate good morning into French.';
const HARD = 'Prove that the eigenvalues of a Hermitian operator are real, and derive the spectral theorem.';
const CHAT = '/v1/chat/completions';
const MESSAGES = '/v1/messages';
const FIVE_MESSAGES = Array.from({ length: 5 }, () => ({ role: 'user', content: 'Hello' }));
const CLAUDE = { 'anthropic-version': '2023-06-01' };
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

function ask(content: unknown, more: object = {}) {
  return { model: 'auto', max_tokens: 300, messages: [{ role: 'user', content }], ...more };
}

const SCHEMA = {
  type: 'object',
  properties: {
    city: { type: 'string', description: 'Name of the city' },
    days: { type: 'integer', minimum: 1 },
  },
  required: ['city'],
  additionalProperties: false,
};
const OPENAI_TOOLS = {
  tools: [{ type: 'function', function: { name: 'forecast', description: 'Weather.', parameters: SCHEMA } }],
};
const ANTHROPIC_TOOLS = { tools: [{ name: 'forecast', description: 'Weather.', input_schema: SCHEMA }] };

const OPENAI_LOOP = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'How is the weather in Zürich?' },
  {
    role: 'assistant',
    content: 'Let me look.',
    tool_calls: [
      { id: 'call_1', type: 'function', function: { name: 'forecast', arguments: '{"city":"Zürich"}' } },
    ],
  },
  { role: 'tool', tool_call_id: 'call_1', content: 'sunny' },
];
const ANTHROPIC_LOOP = [
  { role: 'user', content: 'How is the weather in Zürich?' },
  {
    role: 'assistant',
    content: [
      { type: 'text', text: 'Let me look.' },
      { type: 'tool_use', id: 'toolu_1', name: 'forecast', input: { city: 'Zürich' } },
    ],
  },
  { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'sunny' }] },
];

const SAMPLING = { temperature: 0.5, top_p: 0.9, stop: ['END'], seed: 7, user: 'someone' };
const OPENAI_ERROR = (message: string, type = 'server_error', code: string | null = null) =>
  JSON.stringify({ error: { message, type, param: null, code } });
const ANTHROPIC_ERROR = (message: string, type: string) =>
  JSON.stringify({ type: 'error', error: { type, message }, request_id: 'req_provider' });

const FAILED: Scripted = { status: 500, body: OPENAI_ERROR('internal') };
const BUSY: Scripted = {
  status: 429,
  headers: { 'retry-after': '7' },
  body: OPENAI_ERROR('slow down', 'rate_limit_error', 'rate_limit_exceeded'),
};

const OPENAI_START =
  'data: {"id":"chatcmpl-pinned","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Half of"},"finish_reason":null}]}\n\n';
const ANTHROPIC_START = [
  'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_pinned","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":8,"output_tokens":1}}}',
  'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
  'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Half of"}}',
]
  .map((event) => `${event}\n\n`)
  .join('');

const DECIDING: readonly Exchange[] = [
  { name: 'route-prompt', path: '/v1/route', body: { prompt: EASY } },
  { name: 'route-messages', path: '/v1/route', body: { messages: [{ role: 'user', content: HARD }] } },
  { name: 'route-policy', path: '/v1/route', body: { prompt: EASY, policy: 'thrifty' } },
  { name: 'route-explain', path: '/v1/route', body: { prompt: 'Hello, 12 people?', explain: true } },
  {
    name: 'route-batch',
    path: '/v1/route/batch',
    body: {
      policy: 'always-strong',
      requests: [{ prompt: EASY }, { prompt: HARD, policy: 'default' }, { prompt: '' }, { promt: EASY }],
    },
  },
  { name: 'route-batch-empty-400', path: '/v1/route/batch', body: { requests: [] } },
  { name: 'route-empty-400', path: '/v1/route', body: { prompt: '' } },
  { name: 'route-unknown-field-400', path: '/v1/route', body: { prompt: EASY, modle: 'a' } },
  { name: 'route-json-400', path: '/v1/route', body: '{"prompt": "a",\n "b": }' },
  { name: 'route-policy-404', path: '/v1/route', body: { prompt: EASY, policy: 'nobody' } },
  { name: 'route-405', method: 'DELETE', path: '/v1/route' },
  { name: 'index', method: 'GET', path: '/' },
  { name: 'unknown-route-404', method: 'GET', path: '/v1/nothing' },
  { name: 'healthz', method: 'GET', path: '/healthz' },
  { name: 'readyz', method: 'GET', path: '/readyz' },
  { name: 'readyz-head', method: 'HEAD', path: '/readyz' },
  { name: 'models', method: 'GET', path: '/v1/models' },
  { name: 'models-anthropic', method: 'GET', path: '/v1/models?limit=3', headers: CLAUDE },
  { name: 'model', method: 'GET', path: '/v1/models/anthropic/claude-haiku-4-5' },
  { name: 'model-404', method: 'GET', path: '/v1/models/openai/gpt-4o-nimi', headers: CLAUDE },
];

const NATIVE: readonly Exchange[] = [
  {
    name: 'chat-native',
    path: CHAT,
    headers: {
      'openai-beta': 'x=1',
      'openai-organization': 'org',
      'idempotency-key': 'one',
      authorization: 'Bearer of-the-client',
    },
    body: ask(EASY, { ...SAMPLING, a_field_of_tomorrow: { a: [1, null] } }),
    replies: [
      {
        headers: { 'x-ratelimit-remaining-requests': '9', 'openai-processing-ms': '5', 'set-cookie': 'a=b' },
      },
    ],
  },
  { name: 'chat-native-escalated', path: CHAT, body: ask(HARD) },
  {
    name: 'chat-native-body-bytes',
    path: '/chat/completions',
    body: `{ "model" : "auto",\n\t"messages":[{"role":"user","content":"Hello \\u00e9 \\/ é"}], "n": 1.0 }`,
  },
  { name: 'chat-native-stream', path: CHAT, body: ask(EASY, { stream: true }) },
  {
    name: 'chat-native-stream-with-usage',
    path: CHAT,
    body: ask(HARD, { stream: true, stream_options: { include_usage: true } }),
  },
  { name: 'chat-native-tools', path: CHAT, body: ask('How is the weather in Zürich?', OPENAI_TOOLS) },
  {
    name: 'messages-native',
    path: MESSAGES,
    headers: { ...CLAUDE, 'anthropic-beta': 'a-beta', 'x-api-key': 'of-the-client' },
    body: ask(EASY, { model: 'auto:claude', system: 'Be brief.', top_k: 5, a_field_of_tomorrow: true }),
    replies: [{ headers: { 'request-id': 'req_provider', 'anthropic-ratelimit-requests-remaining': '9' } }],
  },
  {
    name: 'messages-native-stream',
    path: '/messages',
    headers: CLAUDE,
    body: ask(HARD, { model: 'auto:claude', stream: true }),
  },
  { name: 'chat-compatible', path: CHAT, body: ask(EASY, { model: 'local/qwen3', min_p: 0.1 }) },
  {
    name: 'chat-gzip',
    path: CHAT,
    headers: { 'accept-encoding': 'gzip' },
    body: ask(EASY, { model: 'openai/gpt-4o' }),
  },
  {
    name: 'embeddings',
    path: '/v1/embeddings',
    body: { model: 'openai/text-embedding-3-small', input: 'one' },
  },
  {
    name: 'embeddings-google',
    path: '/v1/embeddings',
    body: { model: 'google/gemini-embedding-001', input: ['one', 'two'], dimensions: 2 },
  },
];

const MAPPED: readonly Exchange[] = [
  {
    name: 'chat-to-anthropic',
    path: CHAT,
    body: ask(EASY, { model: 'auto:claude', ...SAMPLING, presence_penalty: 0.1, logit_bias: { a: 1 } }),
  },
  {
    name: 'chat-to-anthropic-stream',
    path: CHAT,
    body: ask(HARD, { model: 'auto:claude', stream: true, stream_options: { include_usage: true } }),
  },
  {
    name: 'chat-to-anthropic-tools',
    path: CHAT,
    body: {
      model: 'auto:claude',
      messages: OPENAI_LOOP,
      ...OPENAI_TOOLS,
      tool_choice: 'auto',
      parallel_tool_calls: false,
    },
  },
  {
    name: 'chat-to-anthropic-tools-stream',
    path: CHAT,
    body: ask('Zürich?', { model: 'auto:claude', ...OPENAI_TOOLS, stream: true }),
  },
  {
    name: 'chat-to-anthropic-picture-and-schema',
    path: CHAT,
    body: ask(
      [
        { type: 'text', text: 'What is it?' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}`, detail: 'low' } },
      ],
      {
        model: 'anthropic/claude-sonnet-5',
        reasoning_effort: 'low',
        response_format: { type: 'json_schema', json_schema: { name: 'city', strict: true, schema: SCHEMA } },
      },
    ),
  },
  { name: 'chat-to-google', path: CHAT, body: ask(EASY, { model: 'auto:gemini', ...SAMPLING }) },
  { name: 'chat-to-google-stream', path: CHAT, body: ask(HARD, { model: 'auto:gemini', stream: true }) },
  {
    name: 'chat-to-google-tools',
    path: CHAT,
    body: { model: 'auto:gemini', messages: OPENAI_LOOP, ...OPENAI_TOOLS, tool_choice: 'required' },
  },
  {
    name: 'messages-to-openai',
    path: MESSAGES,
    headers: CLAUDE,
    body: ask([{ type: 'text', text: EASY, cache_control: { type: 'ephemeral' } }], {
      system: [{ type: 'text', text: 'Be brief.' }],
      stop_sequences: ['END'],
      top_k: 3,
      metadata: { user_id: 'someone' },
    }),
  },
  { name: 'messages-to-openai-stream', path: MESSAGES, headers: CLAUDE, body: ask(HARD, { stream: true }) },
  {
    name: 'messages-to-openai-tools',
    path: MESSAGES,
    headers: CLAUDE,
    body: {
      model: 'auto',
      max_tokens: 200,
      messages: ANTHROPIC_LOOP,
      ...ANTHROPIC_TOOLS,
      tool_choice: { type: 'any' },
    },
  },
  {
    name: 'messages-to-openai-tools-stream',
    path: MESSAGES,
    headers: CLAUDE,
    body: ask('Zürich?', { ...ANTHROPIC_TOOLS, stream: true }),
  },
  {
    name: 'messages-to-compatible',
    path: MESSAGES,
    headers: CLAUDE,
    body: ask(EASY, { model: 'local/qwen3', temperature: 0.2 }),
  },
  {
    name: 'messages-to-google',
    path: MESSAGES,
    headers: CLAUDE,
    body: ask(
      [
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } },
        { type: 'text', text: 'What is it?' },
      ],
      { model: 'auto:gemini', thinking: { type: 'enabled', budget_tokens: 1_024 }, max_tokens: 2_000 },
    ),
  },
  {
    name: 'messages-to-google-stream',
    path: MESSAGES,
    headers: CLAUDE,
    body: ask('Zürich?', { model: 'auto:gemini', ...ANTHROPIC_TOOLS, stream: true }),
  },
];

const SELECTING: readonly Exchange[] = [
  { name: 'router-policy', path: CHAT, body: ask(EASY, { model: 'router-always-strong' }) },
  { name: 'router-policy-threshold', path: CHAT, body: ask(HARD, { model: 'router-default-0.9' }) },
  { name: 'alias', path: MESSAGES, headers: CLAUDE, body: ask(EASY, { model: 'claude-opus-4-8' }) },
  { name: 'explicit-model', path: CHAT, body: ask(EASY, { model: 'openai/gpt-4o' }) },
  { name: 'profile-mixed', path: CHAT, body: ask(HARD, { model: 'auto:mixed' }) },
  { name: 'requirements-escalate', path: CHAT, body: ask(EASY, { model: 'auto:plain', ...OPENAI_TOOLS }) },
  {
    name: 'requirements-400',
    path: CHAT,
    body: ask([{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }], {
      model: 'auto:plain',
    }),
  },
  {
    name: 'picture-alone',
    path: CHAT,
    body: ask([{ type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } }]),
  },
  { name: 'unmappable-400', path: CHAT, body: ask(EASY, { model: 'auto:claude', n: 3 }) },
  {
    name: 'unmappable-anthropic-400',
    path: MESSAGES,
    headers: CLAUDE,
    body: ask(EASY, { mcp_servers: [{ type: 'url', url: 'https://example.com', name: 'a' }] }),
  },
];

const REFUSED: readonly Exchange[] = [
  { name: 'chat-400', path: CHAT, body: { model: 'auto', messages: 'Hello' } },
  {
    name: 'messages-400',
    path: MESSAGES,
    headers: CLAUDE,
    body: { model: 'auto', messages: [{ role: 'user' }] },
  },
  { name: 'chat-json-400', path: CHAT, body: '{"model": "auto",' },
  { name: 'messages-empty-400', path: MESSAGES, headers: CLAUDE, body: '' },
  { name: 'threshold-400', path: CHAT, body: ask(EASY, { model: 'router-default-7' }) },
  { name: 'chat-404', path: CHAT, body: ask(EASY, { model: 'gpt-4o-nimi' }) },
  { name: 'messages-404', path: MESSAGES, headers: CLAUDE, body: ask(EASY, { model: 'auto:clod' }) },
  { name: 'chat-405', method: 'GET', path: CHAT },
  { name: 'messages-405', method: 'PUT', path: MESSAGES, headers: CLAUDE },
  { name: 'chat-415', path: CHAT, headers: { 'content-type': 'text/plain' }, body: 'Hello' },
  {
    name: 'messages-415',
    path: MESSAGES,
    headers: { ...CLAUDE, 'content-encoding': 'zstd' },
    body: ask(EASY),
  },
  { name: 'messages-count-tokens', path: '/v1/messages/count_tokens', headers: CLAUDE, body: ask(EASY) },
  { name: 'foreign-origin-403', path: CHAT, headers: { origin: 'https://evil.example' }, body: ask(EASY) },
  { name: 'foreign-host-421', method: 'GET', path: '/v1/models', headers: { host: 'evil.example' } },
  { name: 'no-key-of-provider-503', path: CHAT, body: ask(EASY, { model: 'keyless/model' }) },
  {
    name: 'no-key-of-provider-anthropic-503',
    path: MESSAGES,
    headers: CLAUDE,
    body: ask(EASY, { model: 'keyless/model' }),
  },
];

const FAILING: readonly Exchange[] = [
  { name: 'fallback-after-500', path: CHAT, body: ask(EASY), replies: [FAILED, FAILED] },
  { name: 'retry-after-500', path: CHAT, body: ask(HARD), replies: [FAILED] },
  {
    name: 'fallback-mapped',
    path: MESSAGES,
    headers: CLAUDE,
    body: ask(HARD, { model: 'auto:claude' }),
    replies: [FAILED, FAILED],
  },
  {
    name: 'all-fail-503',
    path: CHAT,
    body: ask(HARD, { model: 'openai/gpt-4o' }),
    replies: [
      { ...FAILED, status: 503 },
      { ...FAILED, status: 503 },
    ],
  },
  {
    name: 'all-busy-429',
    path: MESSAGES,
    headers: CLAUDE,
    body: ask(HARD, { model: 'openai/gpt-4o' }),
    replies: [BUSY],
  },
  {
    name: 'provider-refuses-400',
    path: CHAT,
    body: ask(EASY),
    replies: [
      {
        status: 400,
        body: OPENAI_ERROR('temperature is not taken', 'invalid_request_error', 'unsupported_value'),
      },
    ],
  },
  {
    name: 'provider-refuses-mapped-400',
    path: CHAT,
    body: ask(EASY, { model: 'auto:claude' }),
    replies: [{ status: 400, body: ANTHROPIC_ERROR('temperature is not taken', 'invalid_request_error') }],
  },
  {
    name: 'provider-key-wrong',
    path: CHAT,
    body: ask(EASY, { model: 'openai/gpt-4o' }),
    replies: [
      {
        status: 401,
        body: OPENAI_ERROR(
          'Incorrect API key provided: sk-wrong',
          'invalid_request_error',
          'invalid_api_key',
        ),
      },
    ],
  },
  {
    name: 'context-too-long-400',
    path: CHAT,
    body: ask(EASY, { model: 'openai/gpt-4o-mini' }),
    replies: [
      { status: 400, body: OPENAI_ERROR('too long', 'invalid_request_error', 'context_length_exceeded') },
    ],
  },
  {
    name: 'error-in-a-200',
    path: CHAT,
    body: ask(EASY),
    replies: [{ body: OPENAI_ERROR('overloaded') }, { body: OPENAI_ERROR('overloaded') }],
  },
  {
    name: 'refusal-of-the-model',
    path: MESSAGES,
    headers: CLAUDE,
    body: ask(EASY),
    replies: [
      {
        body: '{"id":"chatcmpl-pinned","object":"chat.completion","created":1,"model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":"I will not."},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}',
      },
    ],
  },
  {
    name: 'refusal-of-claude',
    path: CHAT,
    body: ask(EASY, { model: 'auto:claude' }),
    replies: [
      {
        body: '{"id":"msg_pinned","type":"message","role":"assistant","model":"claude-haiku-4-5","content":[],"stop_reason":"refusal","stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":1}}',
      },
    ],
  },
  {
    name: 'prompt-blocked-by-google',
    path: CHAT,
    body: ask(EASY, { model: 'google/gemini-2.5-flash' }),
    replies: [{ body: '{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":9}}' }],
  },
  {
    name: 'broken-json',
    path: CHAT,
    body: ask(EASY),
    replies: [{ body: '{"id": "chatcm' }, { body: 'no JSON' }],
  },
  { name: 'stream-cut', path: CHAT, body: ask(EASY, { stream: true }), replies: [{ body: OPENAI_START }] },
  {
    name: 'stream-reset',
    path: CHAT,
    body: ask(EASY, { stream: true }),
    replies: [{ body: OPENAI_START, reset: true }],
  },
  {
    name: 'stream-cut-anthropic',
    path: MESSAGES,
    headers: CLAUDE,
    body: ask(EASY, { model: 'auto:claude', stream: true }),
    replies: [{ body: ANTHROPIC_START }],
  },
  {
    name: 'stream-cut-mapped',
    path: MESSAGES,
    headers: CLAUDE,
    body: ask(EASY, { stream: true }),
    replies: [{ body: OPENAI_START }],
  },
  {
    name: 'stream-cut-mapped-to-openai',
    path: CHAT,
    body: ask(EASY, { model: 'auto:claude', stream: true }),
    replies: [{ body: ANTHROPIC_START }],
  },
  {
    name: 'stream-error-event',
    path: CHAT,
    body: ask(EASY, { stream: true }),
    replies: [{ body: `${OPENAI_START}data: ${OPENAI_ERROR('overloaded')}\n\n` }],
  },
  {
    name: 'stream-fallback-before-the-first-event',
    path: CHAT,
    body: ask(EASY, { stream: true }),
    replies: [
      { body: `data: ${OPENAI_ERROR('overloaded')}\n\n` },
      { body: `: ping\n\ndata: ${OPENAI_ERROR('overloaded')}\n\n` },
    ],
  },
  {
    name: 'stream-of-a-ping-alone',
    path: CHAT,
    body: ask(EASY, { stream: true }),
    replies: [{ body: ': ping\n\n' }],
  },
];

const GUARDED: readonly Exchange[] = [
  { name: 'keys-chat-401', server: 'guarded', path: CHAT, body: ask(EASY) },
  {
    name: 'keys-messages-401',
    server: 'guarded',
    path: MESSAGES,
    headers: { ...CLAUDE, 'x-api-key': 'wrong' },
    body: ask(EASY),
  },
  { name: 'keys-models-401', server: 'guarded', method: 'GET', path: '/v1/models' },
  {
    name: 'keys-chat',
    server: 'guarded',
    path: CHAT,
    headers: { authorization: 'Bearer <key>' },
    body: ask(EASY),
  },
  {
    name: 'chat-413',
    server: 'guarded',
    path: CHAT,
    headers: { 'x-api-key': '<key>' },
    body: ask('long '.repeat(2_000)),
  },
  {
    name: 'messages-413',
    server: 'guarded',
    path: MESSAGES,
    headers: { ...CLAUDE, 'x-api-key': '<key>' },
    body: ask('long '.repeat(2_000)),
  },
  {
    name: 'route-413',
    server: 'guarded',
    path: '/v1/route',
    headers: { 'x-api-key': '<key>' },
    body: { prompt: 'long '.repeat(2_000) },
  },
  {
    // max_messages is a limit of /v1/route alone.
    name: 'chat-with-more-messages-than-route-takes',
    server: 'guarded',
    path: CHAT,
    headers: { 'x-api-key': '<key>' },
    body: { model: 'auto', messages: FIVE_MESSAGES },
  },
  {
    name: 'route-too-many-messages-400',
    server: 'guarded',
    path: '/v1/route',
    headers: { 'x-api-key': '<key>' },
    body: { messages: FIVE_MESSAGES },
  },
  {
    name: 'too-deep-400',
    server: 'guarded',
    path: CHAT,
    headers: { 'x-api-key': '<key>' },
    body: `${'['.repeat(40)}${']'.repeat(40)}`,
  },
  {
    name: 'queue-full-429',
    server: 'guarded',
    path: CHAT,
    headers: { 'x-api-key': '<key>' },
    body: ask(EASY),
    whileBusy: true,
  },
  {
    name: 'queue-full-messages-429',
    server: 'guarded',
    path: MESSAGES,
    headers: { ...CLAUDE, 'x-api-key': '<key>' },
    body: ask(EASY),
    whileBusy: true,
  },
];

/** Names of metrics and of their labels; the values are other tests' affair. */
function metricNames(body: string): string {
  const lines = body.split('\n').map((line) => {
    if (line.startsWith('#')) return line;
    const [, name, labels = ''] = /^([\w:]+)(?:\{(.*)\})? /.exec(line) ?? [];
    return name && `${name}{${[...labels.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)].map(([, label]) => label)}}`;
  });
  return [...new Set(lines)].filter((line) => / plimsoll_|^plimsoll_/.test(line ?? '')).join('\n');
}

/** Last, when all that it counts has happened. */
const COUNTED: Exchange = { name: 'metrics', method: 'GET', path: '/metrics', kept: metricNames };

/** In this order, one after another: the decision counts of /readyz depend on it. */
export const EXCHANGES: readonly Exchange[] = [
  ...DECIDING,
  ...NATIVE,
  ...MAPPED,
  ...SELECTING,
  ...REFUSED,
  ...FAILING,
  ...GUARDED,
  COUNTED,
];
