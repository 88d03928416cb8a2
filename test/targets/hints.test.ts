import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Dialect, PROVIDER_KINDS, type ProviderKind } from '../../router/catalog/types.ts';
import { createMappedAttempt } from '../../router/mapped-calls/attempt.ts';
import type { UnmappableRule } from '../../router/targets/losses.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { scaled } from '../helpers/long-run.ts';
import { callTo, ENV, modelAt, TIMEOUTS } from '../mapped-calls/mapped-gateway.ts';
import { MODELS, type ReplyingProvider, replyingProvider } from '../mapped-calls/scripted-provider.ts';

type Body = Record<string, unknown>;
type Messages = Record<string, unknown>[];

/** A hint with a value that nothing else in a request has: a provider that did not get the field did not see it. */
interface Hint {
  readonly path: string;
  readonly value: unknown;
  /** Elsewhere in the body than at the top. */
  readonly put?: (body: Body, value: unknown) => void;
}

const messages = (body: Body) => body['messages'] as Messages;
const parts = (body: Body, at = 0) => messages(body)[at]!['content'] as Messages;
const tools = (body: Body) => body['tools'] as Messages;

const OPENAI_HINTS: readonly Hint[] = [
  { path: 'temperature', value: 1.3071 },
  { path: 'top_p', value: 0.9071 },
  { path: 'top_k', value: 8171 },
  { path: 'min_p', value: 0.0971 },
  { path: 'repetition_penalty', value: 1.1971 },
  { path: 'presence_penalty', value: 0.4071 },
  { path: 'frequency_penalty', value: 0.3071 },
  { path: 'seed', value: 8_675_309 },
  { path: 'logit_bias', value: { 50256: -97 } },
  { path: 'user', value: 'end-user-5071' },
  { path: 'safety_identifier', value: 'safety-5072' },
  { path: 'metadata', value: { team: 'metadata-5073' } },
  { path: 'store', value: true },
  { path: 'prompt_cache_key', value: 'cache-5074' },
  { path: 'prompt_cache_retention', value: '24h' },
  { path: 'reasoning_effort', value: 'xhigh' },
  { path: 'reasoning', value: { effort: 'effort-5081' } },
  { path: 'verbosity', value: 'verbosity-5075' },
  { path: 'prediction', value: { type: 'content', content: 'predicted-5076' } },
  { path: 'service_tier', value: 'auto' },
  { path: 'parallel_tool_calls', value: false },
  {
    path: 'messages.0.name',
    value: 'name-5077',
    put: (body, value) => {
      messages(body)[0]!['name'] = value;
    },
  },
  {
    path: 'messages.0.content.0.cache_control',
    value: { type: 'ephemeral' },
    put: (body, value) => {
      parts(body)[0]!['cache_control'] = value;
    },
  },
  {
    path: 'tools.0.eager_input_streaming',
    value: true,
    put: (body, value) => {
      tools(body)[0]!['eager_input_streaming'] = value;
    },
  },
  {
    path: 'tools.0.function.cache_control',
    value: { type: 'ephemeral' },
    put: (body, value) => {
      (tools(body)[0]!['function'] as Body)['cache_control'] = value;
    },
  },
  { path: 'include_reasoning', value: true },
  { path: 'chat_template_kwargs', value: { enable_thinking: 'kwarg-5087' } },
  { path: 'enable_thinking', value: false },
  { path: 'thinking_budget', value: 508_800 },
  { path: 'repeat_penalty', value: 1.1089 },
  {
    path: 'tools.0.function.input_examples',
    value: [{ city: 'example-5090' }],
    put: (body, value) => {
      (tools(body)[0]!['function'] as Body)['input_examples'] = value;
    },
  },
  { path: 'thinking', value: { type: 'thinking-5085' } },
  { path: 'cache_control', value: { type: 'ephemeral', ttl: 'cache-5086' } },
  {
    path: 'messages.0.content.1.image_url.detail',
    value: 'detail-5078',
    put: (body, value) => {
      const image = parts(body)[1]!['image_url'] as Body;
      image['detail'] = value;
    },
  },
  {
    path: 'messages.1.reasoning_content',
    value: 'thought-5079',
    put: (body, value) => {
      messages(body)[1]!['reasoning_content'] = value;
    },
  },
  {
    path: 'messages.1.provider_specific_fields',
    value: { a: 'echo-5080' },
    put: (body, value) => {
      messages(body)[1]!['provider_specific_fields'] = value;
    },
  },
  {
    path: 'messages.1.annotations',
    value: [{ url: 'annotation-5082' }],
    put: (body, value) => {
      messages(body)[1]!['annotations'] = value;
    },
  },
  {
    path: 'messages.1.audio',
    value: { id: 'audio-5083' },
    put: (body, value) => {
      messages(body)[1]!['audio'] = value;
    },
  },
];

const ANTHROPIC_HINTS: readonly Hint[] = [
  { path: 'temperature', value: 0.3071 },
  { path: 'top_p', value: 0.9071 },
  { path: 'top_k', value: 8171 },
  { path: 'metadata', value: { user_id: 'end-user-6071', account: 'account-6072' } },
  { path: 'service_tier', value: 'standard_only' },
  { path: 'context_management', value: { edits: [{ type: 'clear-6073' }] } },
  { path: 'cache_control', value: { type: 'ephemeral', ttl: '1h' } },
  { path: 'thinking', value: { type: 'adaptive', display: 'display-6074' } },
  { path: 'output_config', value: { effort: 'high', task_budget: { total: 607_500 } } },
  {
    path: 'system.0.cache_control',
    value: { type: 'ephemeral', ttl: '5m' },
    put: (body, value) => {
      body['system'] = [{ type: 'text', text: 'Be brief.', cache_control: value }];
    },
  },
  {
    path: 'messages.0.content.0.cache_control',
    value: { type: 'ephemeral' },
    put: (body, value) => {
      parts(body)[0]!['cache_control'] = value;
    },
  },
  {
    path: 'messages.1.content.0',
    value: { type: 'thinking', thinking: 'thought-6076', signature: 'signature-6077' },
    put: (body, value) => {
      parts(body, 1).unshift(value as Body);
    },
  },
  {
    path: 'tools.0.eager_input_streaming',
    value: true,
    put: (body, value) => {
      tools(body)[0]!['eager_input_streaming'] = value;
    },
  },
  {
    path: 'tools.0.cache_control',
    value: { type: 'ephemeral' },
    put: (body, value) => {
      tools(body)[0]!['cache_control'] = value;
    },
  },
  {
    path: 'tools.0.defer_loading',
    value: true,
    put: (body, value) => {
      tools(body)[0]!['defer_loading'] = value;
    },
  },
  {
    path: 'tools.0.input_examples',
    value: [{ city: 'example-6078' }],
    put: (body, value) => {
      tools(body)[0]!['input_examples'] = value;
    },
  },
  {
    path: 'tool_choice.disable_parallel_tool_use',
    value: { type: 'auto', disable_parallel_tool_use: true },
    put: (body, value) => {
      body['tool_choice'] = value;
    },
  },
];

const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** A valid request with a place for every hint. */
function plain(dialect: Dialect): Body {
  const schema = { type: 'object', properties: { city: { type: 'string' } } };
  const body: Body = { model: 'auto', max_tokens: 900 };
  if (dialect === 'openai') {
    const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } };
    body['messages'] = [
      { role: 'user', content: [{ type: 'text', text: 'Hello' }, image] },
      { role: 'assistant', content: 'Good day.' },
      { role: 'user', content: 'And now?' },
    ];
    body['tools'] = [{ type: 'function', function: { name: 'weather', parameters: schema } }];
    return body;
  }
  body['messages'] = [
    { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
    { role: 'assistant', content: [{ type: 'text', text: 'Good day.' }] },
    { role: 'user', content: 'And now?' },
  ];
  body['tools'] = [{ name: 'weather', input_schema: schema }];
  return body;
}

function withHints(dialect: Dialect, hints: readonly Hint[]): Body {
  const body = plain(dialect);
  for (const { path, value, put } of hints) {
    if (put) put(body, structuredClone(value));
    else body[path] = structuredClone(value);
  }
  return body;
}

const attempt = sendOnce(createMappedAttempt({ env: ENV }));

function ask(
  { url }: ReplyingProvider,
  kind: ProviderKind,
  dialect: Dialect,
  body: Body,
  unmappable?: UnmappableRule,
) {
  const call = callTo(modelAt(url, kind, { id: MODELS[kind] }), dialect, body);
  return attempt({ ...call, ...(unmappable && { unmappable }) }, TIMEOUTS);
}

/** Words of the values: what a provider may not have got of a dropped field. */
function wordsOf(value: unknown): string[] {
  return JSON.stringify(value).match(/[a-z]+-\d{4}|\d{4,}|0\.\d{4}|1\.\d{4}/g) ?? [];
}

const PAIRS = PROVIDER_KINDS.flatMap((kind) =>
  (['openai', 'anthropic'] as const).map((dialect) => [kind, dialect] as const),
);

describe.each(PAIRS)('hints for %s, asked in %s', (kind, dialect) => {
  const hints = dialect === 'openai' ? OPENAI_HINTS : ANTHROPIC_HINTS;

  it('are never refused, in any combination, and what is dropped is not sent', async () => {
    const provider = await replyingProvider(kind);
    await fc.assert(
      fc.asyncProperty(fc.subarray([...hints]), async (some) => {
        const outcome = await ask(provider, kind, dialect, withHints(dialect, some));
        expect(outcome).toMatchObject({ kind: 'reply' });
        if (outcome.kind !== 'reply') return;
        const sent = JSON.stringify(provider.bodies().at(-1));
        const dropped = outcome.dropped ?? [];
        for (const hint of some) {
          if (!dropped.includes(hint.path)) continue;
          for (const word of wordsOf(hint.value)) expect(sent).not.toContain(word);
        }
        const known = hints.map(({ path }) => path);
        for (const path of dropped)
          expect(known.some((one) => path === one || path.startsWith(`${one}.`))).toBe(true);
      }),
      { numRuns: scaled(40) },
    );
  });

  it('are dropped with everything else under drop-all', async () => {
    const provider = await replyingProvider(kind);
    const body = { ...withHints(dialect, hints), a_field_of_tomorrow: 'value-7777' };
    const outcome = await ask(provider, kind, dialect, body, 'drop-all');
    expect(outcome).toMatchObject({ kind: 'reply' });
    expect(outcome.kind === 'reply' && outcome.dropped).toContain('a_field_of_tomorrow');
    expect(JSON.stringify(provider.bodies().at(-1))).not.toContain('value-7777');
  });

  it('a field that is not known is a demand: refused by name unless everything may be dropped', async () => {
    const provider = await replyingProvider(kind);
    const body = { ...plain(dialect), a_field_of_tomorrow: 'value-7777' };
    for (const rule of ['drop-hints', 'refuse'] as const) {
      const outcome = await ask(provider, kind, dialect, body, rule);
      expect(outcome).toMatchObject({ kind: 'failure', failure: 'bad-request' });
      expect(outcome.kind === 'failure' && outcome.message).toContain('a_field_of_tomorrow');
    }
    expect(provider.bodies()).toEqual([]);
  });
});

/** Without a counterpart at these kinds: under `refuse` the field is named. */
describe.each<[ProviderKind, Dialect, string]>([
  ['anthropic', 'openai', 'seed'],
  ['anthropic', 'openai', 'metadata'],
  ['anthropic', 'openai', 'messages.0.name'],
  ['openai', 'openai', 'temperature'],
  ['openai', 'anthropic', 'top_k'],
  ['openai', 'anthropic', 'tools.0.eager_input_streaming'],
  ['openai', 'anthropic', 'messages.0.content.0.cache_control'],
  ['google', 'openai', 'user'],
  ['google', 'anthropic', 'tool_choice.disable_parallel_tool_use'],
  ['bedrock', 'openai', 'seed'],
  ['mistral', 'anthropic', 'context_management'],
])('%s, asked in %s: %s', (kind, dialect, path) => {
  const hint = (dialect === 'openai' ? OPENAI_HINTS : ANTHROPIC_HINTS).filter((one) => one.path === path);

  it('is dropped and listed by default, refused by name under refuse', async () => {
    const provider = await replyingProvider(kind);
    const body = withHints(dialect, hint);
    expect(await ask(provider, kind, dialect, body)).toMatchObject({ kind: 'reply', dropped: [path] });
    const refused = await ask(provider, kind, dialect, body, 'refuse');
    expect(refused).toMatchObject({ kind: 'failure', failure: 'bad-request', status: undefined });
    expect(refused.kind === 'failure' && refused.message).toContain(`${path}: `);
    expect(provider.bodies()).toHaveLength(1);
  });
});

describe.each(PAIRS)(
  'a cache mark for %s, asked in %s, with something inside that is not known',
  (kind, dialect) => {
    const odd = [
      { type: 'ephemeral', scope: 'scope-7001' },
      { type: 'kind-7002' },
      { ttl: 5, scope: 'scope-7003' },
      'x',
    ];

    it.each(odd)('is no reason to refuse the request: %j', async (mark) => {
      const provider = await replyingProvider(kind);
      for (const rule of ['drop-hints', 'drop-all'] as const) {
        const body = plain(dialect);
        parts(body)[0]!['cache_control'] = mark;
        const outcome = await ask(provider, kind, dialect, body, rule);
        expect(outcome).toMatchObject({ kind: 'reply' });
        const dropped = outcome.kind === 'reply' ? outcome.dropped : [];
        expect(dropped).toContainEqual(expect.stringMatching(/^messages\.0\.content\.0\.cache_control/));
        const sent = JSON.stringify(provider.bodies().at(-1));
        for (const word of wordsOf(mark)) expect(sent).not.toContain(word);
      }
    });
  },
);
