/** What providers reply when all is well, in three APIs, plain and streamed, with a text or with a call of the first tool. */
export interface ProviderReply {
  readonly type: string;
  readonly body: string;
}

interface Asked {
  readonly model?: string;
  readonly stream?: boolean;
  readonly tools?: readonly unknown[];
}

const WORDS = ['Good', ' day', ', *naïve* ', '👋', ' "world".'];
const TEXT = WORDS.join('');
const CALL_INPUT = { city: 'Zürich', days: 2 };
const CALL_PARTS = ['{"city":', '"Zürich","da', 'ys":2}'];

/** @param path that was asked, by which the API is known */
export function replyTo(path: string, body: string): ProviderReply {
  const asked: Asked = body === '' ? {} : JSON.parse(body);
  const calls = asked.tools !== undefined;
  if (path.includes('/embeddings')) return json(EMBEDDINGS);
  if (path.includes(':batchEmbed'))
    return json({ embeddings: [{ values: [0.25, -0.5] }, { values: [1, 0] }] });
  if (path.includes(':embedContent')) return json({ embedding: { values: [0.25, -0.5] } });
  if (path.includes(':generateContent')) return json(google(calls));
  if (path.includes(':streamGenerateContent')) return events(googleEvents(calls));
  const { model = 'none', stream = false } = asked;
  if (path.includes('/messages'))
    return stream ? events(anthropicEvents(model, calls)) : json(anthropic(model, calls));
  return stream ? events(openaiEvents(model, calls)) : json(openai(model, calls));
}

function json(body: object): ProviderReply {
  return { type: 'application/json', body: JSON.stringify(body) };
}

function events(list: readonly string[]): ProviderReply {
  return { type: 'text/event-stream', body: list.map((event) => `${event}\n\n`).join('') };
}

const EMBEDDINGS = {
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding: [0.25, -0.5] }],
  model: 'text-embedding-3-small',
  usage: { prompt_tokens: 5, total_tokens: 5 },
};

const OPENAI_USAGE = {
  prompt_tokens: 1_000,
  completion_tokens: 500,
  total_tokens: 1_500,
  prompt_tokens_details: { cached_tokens: 200 },
};

function openaiHead(model: string, object: string) {
  return { id: 'chatcmpl-pinned', object, created: 1_700_000_000, model, system_fingerprint: 'fp_1' };
}

function openai(model: string, calls: boolean) {
  const call = {
    id: 'call_pinned',
    type: 'function',
    function: { name: 'forecast', arguments: CALL_PARTS.join('') },
  };
  const message = calls ? { content: null, tool_calls: [call] } : { content: TEXT };
  return {
    ...openaiHead(model, 'chat.completion'),
    choices: [
      {
        index: 0,
        message: { role: 'assistant', ...message, refusal: null },
        logprobs: null,
        finish_reason: calls ? 'tool_calls' : 'stop',
      },
    ],
    usage: OPENAI_USAGE,
  };
}

function openaiEvents(model: string, calls: boolean): string[] {
  const chunk = (delta: object, finish: string | null = null) => ({
    ...openaiHead(model, 'chat.completion.chunk'),
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  const part = (call: object) => chunk({ tool_calls: [{ index: 0, ...call }] });
  const first = part({ id: 'call_pinned', type: 'function', function: { name: 'forecast', arguments: '' } });
  const said = calls
    ? [first, ...CALL_PARTS.map((words) => part({ function: { arguments: words } }))]
    : WORDS.map((content) => chunk({ content }));
  const usage = { ...openaiHead(model, 'chat.completion.chunk'), choices: [], usage: OPENAI_USAGE };
  return [
    ...[
      chunk({ role: 'assistant', content: '' }),
      ...said,
      chunk({}, calls ? 'tool_calls' : 'stop'),
      usage,
    ].map((event) => `data: ${JSON.stringify(event)}`),
    'data: [DONE]',
  ];
}

const ANTHROPIC_USAGE = {
  input_tokens: 800,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 200,
  output_tokens: 500,
};

function anthropicHead(model: string) {
  return { id: 'msg_pinned', type: 'message', role: 'assistant', model };
}

function anthropic(model: string, calls: boolean) {
  const text = { type: 'text', text: TEXT };
  const call = { type: 'tool_use', id: 'toolu_pinned', name: 'forecast', input: CALL_INPUT };
  return {
    ...anthropicHead(model),
    content: calls ? [text, call] : [text],
    stop_reason: calls ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: ANTHROPIC_USAGE,
  };
}

function anthropicEvents(model: string, calls: boolean): string[] {
  const event = (type: string, fields: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}`;
  const block = (index: number, empty: object, deltas: readonly object[]) => [
    event('content_block_start', { index, content_block: empty }),
    ...deltas.map((delta) => event('content_block_delta', { index, delta })),
    event('content_block_stop', { index }),
  ];
  const message = { ...anthropicHead(model), content: [], stop_reason: null, stop_sequence: null };
  const call = { type: 'tool_use', id: 'toolu_pinned', name: 'forecast', input: {} };
  const delta = { stop_reason: calls ? 'tool_use' : 'end_turn', stop_sequence: null };
  return [
    event('message_start', { message: { ...message, usage: { ...ANTHROPIC_USAGE, output_tokens: 1 } } }),
    event('ping', {}),
    ...block(
      0,
      { type: 'text', text: '' },
      WORDS.map((text) => ({ type: 'text_delta', text })),
    ),
    ...(calls
      ? block(
          1,
          call,
          CALL_PARTS.map((words) => ({ type: 'input_json_delta', partial_json: words })),
        )
      : []),
    event('message_delta', { delta, usage: { output_tokens: 500 } }),
    event('message_stop', {}),
  ];
}

const GOOGLE_TAIL = {
  usageMetadata: {
    promptTokenCount: 1_000,
    candidatesTokenCount: 400,
    thoughtsTokenCount: 100,
    totalTokenCount: 1_500,
    cachedContentTokenCount: 200,
  },
  modelVersion: 'gemini-pinned',
  responseId: 'google-pinned',
};

function googleChunk(parts: readonly object[], finishReason?: string) {
  return {
    candidates: [{ content: { role: 'model', parts }, ...(finishReason && { finishReason }), index: 0 }],
    ...GOOGLE_TAIL,
  };
}

const GOOGLE_CALL = { functionCall: { name: 'forecast', args: CALL_INPUT } };

function google(calls: boolean) {
  return googleChunk(calls ? [GOOGLE_CALL] : [{ text: TEXT }], 'STOP');
}

function googleEvents(calls: boolean): string[] {
  const said = calls ? [googleChunk([GOOGLE_CALL])] : WORDS.map((text) => googleChunk([{ text }]));
  return [...said, googleChunk([{ text: '' }], 'STOP')].map((event) => `data: ${JSON.stringify(event)}`);
}
