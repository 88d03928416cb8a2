import { describe, expect, it } from 'vitest';
import type { Dialect, ProviderKind } from '../../router/catalog/index.ts';
import { ExchangeError } from '../../router/exchange/provider-error.ts';
import { createMappedAttempt } from '../../router/mapped-calls/attempt.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { callTo, drained, ENV, KEY, modelAt, TIMEOUTS } from './mapped-gateway.ts';
import { converseReply, REPLIES, sse, streamOf } from './replies.ts';
import { type Scripted, scriptedProvider } from './scripted-provider.ts';

async function outcomeOf(kind: ProviderKind, dialect: Dialect, script: Scripted, stream: boolean) {
  const { url } = await scriptedProvider(script);
  const body = { model: 'auto', max_tokens: 9, stream, messages: [{ role: 'user', content: 'Hello' }] };
  const attempt = sendOnce(createMappedAttempt({ env: ENV }));
  return attempt(callTo(modelAt(url, kind), dialect, body), TIMEOUTS);
}

const CHAT: readonly (readonly [object, string, number])[] = [
  [{ choices: [{ index: 0, delta: {}, message: {}, finish_reason: 'error' }] }, 'server-error', 200],
  [{ choices: [{ index: 0, delta: {}, message: {}, finish_reason: 'ERROR' }] }, 'server-error', 200],
  [
    { choices: [{ index: 0, delta: { error: 'x' }, message: { error: 'x' }, finish_reason: null }] },
    'server-error',
    200,
  ],
  [{ choices: [{ index: 0, error: { code: 503, message: 'x' }, delta: {} }] }, 'overloaded', 503],
  [{ choices: [], error: { code: 429, message: 'x' } }, 'rate-limited', 429],
  [{ error: 'boom' }, 'server-error', 200],
  [{ object: 'error', message: 'x', type: 'InternalServerError', code: 503 }, 'overloaded', 503],
  [{ error: { message: 'x', code: 'invalid_api_key' } }, 'auth', 401],
  [{ error: { message: 'x', code: 'context_length_exceeded' } }, 'context-window', 200],
  [{ error: { message: `bad: ${KEY}`, code: 400 } }, 'bad-request', 400],
  [{ type: 'error', error: { type: 'overloaded_error', message: 'x' } }, 'overloaded', 529],
];
const CLAUDE: readonly (readonly [object, string, number])[] = [
  [
    { type: 'message_delta', delta: { stop_reason: 'error' }, content: [], stop_reason: 'error' },
    'server-error',
    200,
  ],
  [{ type: 'error', error: { type: 'overloaded_error', message: 'x' } }, 'overloaded', 529],
  [{ type: 'error', error: { type: 'rate_limit_error', message: 'x' } }, 'rate-limited', 429],
  [{ type: 'error', error: { type: 'api_error', message: 'x' } }, 'server-error', 200],
  [
    { type: 'error', error: { type: 'invalid_request_error', message: 'prompt is too long' } },
    'context-window',
    200,
  ],
];
const GEMINI: readonly (readonly [object, string, number])[] = [
  [{ error: { code: 503, message: 'x', status: 'UNAVAILABLE' } }, 'overloaded', 503],
  [{ error: { message: 'x', status: 'RESOURCE_EXHAUSTED' } }, 'rate-limited', 429],
  [{ error: { message: 'x', status: 'PERMISSION_DENIED' } }, 'auth', 403],
  ...['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'TOO_MANY_TOOL_CALLS', 'MALFORMED_RESPONSE'].map(
    (finishReason) =>
      [{ candidates: [{ content: { parts: [] }, finishReason }] }, 'bad-answer', 200] as const,
  ),
  [{ promptFeedback: { blockReason: 'SAFETY' } }, 'content-filter', 200],
  [{ promptFeedback: { blockReason: 'PROHIBITED_CONTENT' }, candidates: [] }, 'content-filter', 200],
];
const ERRORS: Readonly<Partial<Record<ProviderKind, typeof CHAT>>> = {
  openai: CHAT,
  'openai-compatible': CHAT,
  mistral: CHAT,
  anthropic: CLAUDE,
  google: GEMINI,
};

const CASES = REPLIES.filter(([kind]) => ERRORS[kind]).flatMap(([kind, reply]) =>
  (['openai', 'anthropic'] as const).flatMap((dialect) =>
    ERRORS[kind]!.map(([error, failure, status]) => ({ kind, reply, dialect, error, failure, status })),
  ),
);

describe.each(CASES)(
  '$kind to a client of $dialect: $error',
  ({ kind, reply, dialect, error, failure, status }) => {
    const ODD = `: busy\n\n${sse({ choices: [] })}${sse({ type: 'ping' })}`;

    it('is a failure of a plain reply, and of a stream that has no content yet', async () => {
      const plain = { body: JSON.stringify(error) };
      const role = kind === 'anthropic' ? sse(reply().events[0] as object) : '';
      const empty = kind === 'anthropic' || kind === 'google' ? '' : sse(reply().events[0] as object);
      const stream = { type: 'text/event-stream', body: ODD + role + empty + sse(error) };
      for (const [script, streamed] of [
        [plain, false],
        [stream, true],
      ] as const) {
        const outcome = await outcomeOf(kind, dialect, script, streamed);
        expect(outcome).toMatchObject({ kind: 'failure', failure, status });
        expect(JSON.stringify(outcome)).not.toContain(KEY);
        if (outcome.kind !== 'failure' || failure !== 'bad-request') continue;
        const said = JSON.parse(Buffer.from(outcome.body!).toString());
        expect(said.error.message).toBe('bad: [key]');
        expect(said.type).toBe(dialect === 'anthropic' ? 'error' : undefined);
      }
    });

    it('in the middle breaks a stream off', async () => {
      const begun = reply()
        .events.slice(0, 3)
        .map((event) => sse(event as object));
      const body = `${begun.join('')}${sse(error)}${sse('[DONE]')}${sse({ type: 'message_stop' })}`;
      const outcome = await outcomeOf(kind, dialect, { type: 'text/event-stream', body }, true);
      if (outcome.kind !== 'reply') throw new Error(outcome.message);
      const { text, thrown } = await drained(outcome.body);
      expect(thrown).toBeInstanceOf(ExchangeError);
      expect(thrown).toMatchObject({ reportedToClient: false });
      expect(text).toContain('Good ');
      expect(text).not.toMatch(/\[DONE\]|message_stop/);
    });
  },
);

describe.each(['malformed_tool_use', 'malformed_model_output', 'error'])(
  'a reply of Bedrock that ends with %s',
  (stopReason) => {
    it.each(['openai', 'anthropic'] as const)('is a failure to a client of %s', async (dialect) => {
      const { plain, events } = converseReply(stopReason);
      const outcome = await outcomeOf('bedrock', dialect, { body: JSON.stringify(plain) }, false);
      expect(outcome).toMatchObject({ kind: 'failure', failure: 'bad-answer' });
      const streamed = await outcomeOf('bedrock', dialect, streamOf('bedrock', events), true);
      if (streamed.kind !== 'reply') throw new Error(streamed.message);
      expect((await drained(streamed.body)).thrown).toBeInstanceOf(ExchangeError);
    });
  },
);

it.each<[ProviderKind, object, string]>([
  ['openai', { choices: [] }, 'bad-answer'],
  ['openai-compatible', { choices: null, usage: { prompt_tokens: 1, completion_tokens: 1 } }, 'bad-answer'],
  ['mistral', {}, 'bad-answer'],
  ['mistral', { choices: [null] }, 'bad-answer'],
  ['anthropic', { type: 'message', role: 'assistant' }, 'bad-answer'],
  ['google', {}, 'bad-answer'],
  ['google', { candidates: [], usageMetadata: { promptTokenCount: 3 } }, 'bad-answer'],
  ['google', { candidates: [{ content: {}, finishReason: 'MALFORMED_FUNCTION_CALL' }] }, 'bad-answer'],
  ['bedrock', { message: 'no' }, 'bad-answer'],
])('%s: %j is no reply, plain or streamed', async (kind, reply, failure) => {
  for (const dialect of ['openai', 'anthropic'] as const) {
    expect(await outcomeOf(kind, dialect, { body: JSON.stringify(reply) }, false)).toMatchObject({ failure });
    if (kind === 'bedrock') continue;
    const body = sse(reply) + sse('[DONE]');
    expect(await outcomeOf(kind, dialect, { type: 'text/event-stream', body }, true)).toMatchObject({
      failure,
    });
  }
});
