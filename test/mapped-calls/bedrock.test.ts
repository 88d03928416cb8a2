import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ExchangeError } from '../../router/exchange/provider-error.ts';
import { createMappedAttempt } from '../../router/mapped-calls/attempt.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { scaled } from '../helpers/long-run.ts';
import { amazonAnswer, amazonEvent } from './amazon-events.ts';
import { callTo, clientsOf, drained, ENV, KEY, modelAt, TIMEOUTS } from './mapped-gateway.ts';
import { scriptedProvider } from './scripted-provider.ts';

const EVENTS = 'application/vnd.amazon.eventstream';
const MESSAGES = [{ role: 'user' as const, content: 'Weather?' }];
const ASKED = { model: 'auto', max_tokens: 9, messages: MESSAGES };
const PLAIN = {
  output: { message: { role: 'assistant', content: [{ text: 'Good day.' }] } },
  stopReason: 'end_turn',
  usage: { inputTokens: 7, outputTokens: 5, totalTokens: 12 },
  metrics: { latencyMs: 1 },
};

function streams(...frames: Uint8Array[]) {
  return scriptedProvider({ type: EVENTS, body: Buffer.concat(frames) });
}

/** One streamed attempt in OpenAI's dialect. */
async function streamed(url: string) {
  const outcome = await sendOnce(createMappedAttempt({ env: ENV }))(
    callTo(modelAt(url, 'bedrock'), 'openai', { ...ASKED, stream: true }),
    TIMEOUTS,
  );
  return outcome.kind === 'reply'
    ? { outcome, ...(await drained(outcome.body)) }
    : { outcome, text: '', thrown: undefined };
}

describe('a stream of Amazon Bedrock', () => {
  it("is OpenAI's, with a call of a tool and usage", async () => {
    const { url, seen } = await streams(...amazonAnswer());
    const { openai, outcomes } = await clientsOf(modelAt(url, 'bedrock'));
    const stream = openai.chat.completions.stream({ ...ASKED, stream_options: { include_usage: true } });
    const reply = await stream.finalChatCompletion();
    expect(reply.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: 'Good däy.',
        tool_calls: [{ id: 'tooluse_1', function: { name: 'weather', arguments: '{"city":"x"}' } }],
      },
    });
    const [outcome] = outcomes;
    expect(outcome?.kind === 'reply' && outcome.usage()).toMatchObject({
      inputTokens: 9,
      outputTokens: 5,
      cachedInputTokens: 2,
    });
    expect(reply.usage).toMatchObject({ prompt_tokens: 9, completion_tokens: 5 });
    expect(seen[0]).toMatchObject({
      url: '/model/gpt-4.1-mini/converse-stream',
      headers: { authorization: `Bearer ${KEY}` },
    });
  });

  it("is Anthropic's", async () => {
    const { url } = await streams(...amazonAnswer());
    const { anthropic } = await clientsOf(modelAt(url, 'bedrock'));
    const message = await anthropic.messages.stream(ASKED).finalMessage();
    expect(message).toMatchObject({
      stop_reason: 'tool_use',
      content: [
        { type: 'text', text: 'Good däy.' },
        { type: 'tool_use', name: 'weather', input: { city: 'x' } },
      ],
      usage: { input_tokens: 7, cache_read_input_tokens: 2, output_tokens: 5 },
    });
  });

  it.each<[string, string, string]>([
    ['throttlingException', 'Too many tokens, please wait before trying again.', 'rate-limited'],
    ['serviceUnavailableException', 'The service unavailable for now.', 'overloaded'],
    ['internalServerException', 'It failed.', 'server-error'],
  ])('that begins with %s has not begun', async (type, message, failure) => {
    const { url } = await streams(amazonEvent(type, { message }, 'exception'));
    expect((await streamed(url)).outcome).toMatchObject({ kind: 'failure', failure });
  });

  it.each<[string, Uint8Array[]]>([
    ['an exception', [...amazonAnswer().slice(0, 3), amazonEvent('throttlingException', {}, 'exception')]],
    ['half a frame', [...amazonAnswer().slice(0, 3), amazonAnswer()[3]!.subarray(0, 9)]],
    ['nothing', amazonAnswer().slice(0, 3)],
    ['a frame with a wrong checksum', [...amazonAnswer().slice(0, 3), Buffer.alloc(40, 0).fill(40, 3, 4)]],
  ])('breaks off at %s', async (_, frames) => {
    const { url } = await streams(...frames);
    const { outcome, text, thrown } = await streamed(url);
    expect(outcome.kind).toBe('reply');
    expect(thrown).toBeInstanceOf(ExchangeError);
    expect(text).toContain('Good ');
    expect(text).not.toContain('[DONE]');
  });

  it('with a byte that was changed, or cut within a frame, is never taken for whole', async () => {
    const whole = Buffer.concat(amazonAnswer());
    const ends = amazonAnswer().map((_, at, frames) => Buffer.concat(frames.slice(0, at + 1)).length);
    let body: Buffer = whole;
    const { url } = await scriptedProvider(() => ({ type: EVENTS, body }));
    const changed = fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, bits]) => {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= bits;
      return bytes;
    });
    const cut = fc
      .integer({ min: 1, max: whole.length - 1 })
      .filter((length) => !ends.includes(length))
      .map((length) => whole.subarray(0, length));
    const property = fc.asyncProperty(fc.oneof(changed, cut), async (bytes) => {
      body = bytes;
      const { outcome, text, thrown } = await streamed(url);
      expect(text).not.toContain('[DONE]');
      if (outcome.kind === 'reply') expect(thrown).toBeInstanceOf(ExchangeError);
      else expect(outcome.failure).toBe('bad-answer');
    });
    await fc.assert(property, { numRuns: scaled(150) });
  });

  it.each([
    ['text/html', '<html>down</html>'],
    ['application/json', '{}'],
    [EVENTS, ''],
  ])('is none where it is %s', async (type, body) => {
    const { url } = await scriptedProvider({ type, body });
    expect((await streamed(url)).outcome).toMatchObject({ kind: 'failure', failure: 'bad-answer' });
  });
});

describe('access to Amazon Bedrock', () => {
  afterEach(() => vi.unstubAllEnvs());

  async function asked(env: NodeJS.ProcessEnv) {
    const { seen, url } = await scriptedProvider({ body: JSON.stringify(PLAIN) });
    const keyless = modelAt(url, 'bedrock');
    const model = { ...keyless, provider: { ...keyless.provider, apiKeyEnv: undefined } };
    const outcome = await sendOnce(createMappedAttempt({ env }))(callTo(model, 'openai', ASKED), TIMEOUTS);
    return { outcome, authorization: seen[0]?.headers['authorization'], headers: seen[0]?.headers };
  }

  it("is granted by AWS's variable for a bearer token", async () => {
    const { outcome, authorization } = await asked({ AWS_BEARER_TOKEN_BEDROCK: ' bedrock-token\n' });
    expect(outcome.kind).toBe('reply');
    expect(authorization).toBe('Bearer bedrock-token');
  });

  it("is granted by AWS's signature, with the session's token", async () => {
    const { authorization, headers } = await asked({
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'the-secret',
      AWS_SESSION_TOKEN: 'the-session',
    });
    expect(authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/bedrock\/aws4_request, /,
    );
    expect(headers).toMatchObject({ 'x-amz-security-token': 'the-session' });
    expect(JSON.stringify(headers)).not.toContain('the-secret');
  });

  it.each<[string, NodeJS.ProcessEnv]>([
    ['nothing', {}],
    ['half of a pair', { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE' }],
    ['an empty token', { AWS_BEARER_TOKEN_BEDROCK: ' ' }],
  ])('is not known by %s: it is not asked, at once, whatever the process has', async (_, env) => {
    vi.stubEnv('AWS_BEARER_TOKEN_BEDROCK', 'of-the-process');
    const startedAt = performance.now();
    const { outcome, headers } = await asked(env);
    expect(outcome).toMatchObject({ kind: 'failure', failure: 'auth', status: undefined });
    expect(outcome.kind === 'failure' && outcome.message).toMatch(
      /^bedrock\/test was not called, because AWS_BEARER_TOKEN_BEDROCK /,
    );
    expect(headers).toBeUndefined();
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  it('is signed although the process has a token of another', async () => {
    vi.stubEnv('AWS_BEARER_TOKEN_BEDROCK', 'of-the-process');
    const { authorization } = await asked({ AWS_ACCESS_KEY_ID: 'A', AWS_SECRET_ACCESS_KEY: 'B' });
    expect(authorization).toMatch(/^AWS4-HMAC-SHA256 /);
  });
});
