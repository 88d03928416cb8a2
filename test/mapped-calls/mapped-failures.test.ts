import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import type { Dialect, ProviderKind } from '../../router/catalog/index.ts';
import type { AttemptOutcome } from '../../router/exchange/index.ts';
import { ExchangeError } from '../../router/exchange/provider-error.ts';
import { createMappedAttempt } from '../../router/mapped-calls/attempt.ts';
import { type Fault, startFakeProvider } from '../../scripts/fake-provider/index.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { callTo, drained, ENV, gatewayTo, KEY, modelAt, TIMEOUTS } from './mapped-gateway.ts';

const DIRECTIONS: [Dialect, ProviderKind][] = [
  ['openai', 'anthropic'],
  ['anthropic', 'openai'],
];
const FAULTS: [Fault, string, number | undefined][] = [
  ['400', 'bad-request', 400],
  ['400-context', 'context-window', 400],
  ['400-filter', 'content-filter', 400],
  ['401', 'auth', 401],
  ['403', 'auth', 403],
  ['404', 'model-missing', 404],
  ['408', 'request-timeout', 408],
  ['429', 'rate-limited', 429],
  ['500', 'server-error', 500],
  ['502', 'server-error', 502],
  ['503', 'overloaded', 503],
  ['529', 'overloaded', 529],
  ['html', 'server-error', 502],
  ['wrong-type', 'bad-answer', 200],
  ['reset-first', 'reset', undefined],
];

async function outcomeOf(
  fault: Fault,
  dialect: Dialect,
  kind: ProviderKind,
  stream: boolean,
  timeouts = TIMEOUTS,
): Promise<AttemptOutcome> {
  const upstream = await startFakeProvider({ apiKey: KEY, slowMs: 3000 });
  upstream.failAlways(fault);
  const body = { model: 'auto', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 100, stream };
  const outcome = await sendOnce(createMappedAttempt({ env: ENV }))(
    callTo(modelAt(upstream.url, kind), dialect, body),
    timeouts,
  );
  if (outcome.kind === 'failure') await upstream.close();
  return outcome;
}

describe.each(DIRECTIONS)("failures of a client of %s's dialect asking %s", (dialect, kind) => {
  describe.each([false, true])('stream: %s', (stream) => {
    it.each(FAULTS)('%s is %s', async (fault, failure, status) => {
      const outcome = await outcomeOf(fault, dialect, kind, stream);
      expect(outcome).toMatchObject({ kind: 'failure', failure, status });
      expect(JSON.stringify(outcome)).not.toContain(KEY);
    });

    it('takes the wait of Retry-After', async () => {
      expect(await outcomeOf('429-retry-after', dialect, kind, stream)).toMatchObject({
        failure: 'rate-limited',
        retryAfterMs: 1000,
      });
    });

    it('is a timeout where the first byte does not come in time', async () => {
      const outcome = await outcomeOf('slow-first-byte', dialect, kind, stream, {
        ...TIMEOUTS,
        firstByteMs: 100,
      });
      expect(outcome).toMatchObject({ kind: 'failure', failure: 'timeout' });
    });
  });

  it('refuses a plain reply whose JSON is invalid', async () => {
    expect(await outcomeOf('broken-json', dialect, kind, false)).toMatchObject({ failure: 'bad-answer' });
  });

  it('refuses a plain reply that breaks off', async () => {
    expect(await outcomeOf('reset', dialect, kind, false)).toMatchObject({ failure: 'reset' });
  });

  it.each<Fault>(['reset', 'half-event', 'broken-json'])('breaks off in mid-stream: %s', async (fault) => {
    const outcome = await outcomeOf(fault, dialect, kind, true);
    if (outcome.kind !== 'reply') throw new Error(outcome.message);
    const { text, thrown } = await drained(outcome.body);
    expect(thrown).toBeInstanceOf(ExchangeError);
    expect(text).not.toContain('[DONE]');
    expect(text).not.toContain('message_stop');
    expect(outcome.usage()).toBeUndefined();
  });

  it('breaks off if the stream falls silent', async () => {
    const outcome = await outcomeOf('stall', dialect, kind, true, { ...TIMEOUTS, idleMs: 100 });
    if (outcome.kind !== 'reply') throw new Error(outcome.message);
    expect((await drained(outcome.body)).thrown).toMatchObject({ name: 'ExchangeError', reason: 'stall' });
  });

  it.each<Fault>(['gzip', 'bad-utf8'])('reads what is only odd: %s', async (fault) => {
    const outcome = await outcomeOf(fault, dialect, kind, true);
    if (outcome.kind !== 'reply') throw new Error(outcome.message);
    const { text, thrown } = await drained(outcome.body);
    expect(thrown).toBeUndefined();
    expect(text).toContain(dialect === 'openai' ? '[DONE]' : 'message_stop');
  });

  it('is not asked without its key, and a refused connection is no connection', async () => {
    const body = { model: 'auto', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 9 };
    const call = callTo(modelAt('http://127.0.0.1:1/v1', kind), dialect, body);
    expect(await sendOnce(createMappedAttempt({ env: {} }))(call, TIMEOUTS)).toMatchObject({
      failure: 'auth',
      status: undefined,
    });
    expect(await sendOnce(createMappedAttempt({ env: ENV }))(call, TIMEOUTS)).toMatchObject({
      failure: 'connect-refused',
    });
  });

  it('sends no key to a provider that needs none, whatever the environment has', async () => {
    const upstream = await startFakeProvider();
    const { provider, ...model } = modelAt(upstream.url, kind);
    const keyless = { ...model, provider: { ...provider, apiKeyEnv: undefined } };
    const body = { model: 'auto', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 9 };
    await sendOnce(createMappedAttempt({ env: ENV }))(callTo(keyless, dialect, body), TIMEOUTS);
    await upstream.close();
    expect(upstream.requests[0]?.headers).not.toHaveProperty('authorization');
    expect(upstream.requests[0]?.headers).not.toHaveProperty('x-api-key');
  });

  it('rejects with the reason of its signal, and leaves the provider', async () => {
    const upstream = await startFakeProvider({ slowMs: 20_000 });
    upstream.failAlways('slow-first-byte');
    const leaving = new AbortController();
    const body = {
      model: 'auto',
      messages: [{ role: 'user', content: 'Hello' }],
      max_tokens: 9,
      stream: true,
    };
    const attempt = sendOnce(createMappedAttempt({ env: ENV }))(
      callTo(modelAt(upstream.url, kind), dialect, body, leaving.signal),
      { ...TIMEOUTS, firstByteMs: 20_000, totalMs: 20_000 },
    );
    const rejected = expect(attempt).rejects.toThrow('the client left');
    await expect.poll(() => upstream.requests.length).toBe(1);
    leaving.abort(new Error('the client left'));
    await rejected;
    await expect.poll(() => upstream.requests[0]?.aborted).toBe(true);
    await upstream.close();
  });

  it('leaves the provider when a reader stops, even before the first byte', async () => {
    const upstream = await startFakeProvider({ words: 1000, chunkMs: 20 });
    const body = {
      model: 'auto',
      messages: [{ role: 'user', content: 'Hello' }],
      max_tokens: 9000,
      stream: true,
    };
    const outcome = await sendOnce(createMappedAttempt({ env: ENV }))(
      callTo(modelAt(upstream.url, kind), dialect, body),
      TIMEOUTS,
    );
    if (outcome.kind !== 'reply') throw new Error(outcome.message);
    await outcome.body[Symbol.asyncIterator]().return?.();
    await expect.poll(() => upstream.requests[0]?.aborted).toBe(true);
    await upstream.close();
  });
});

describe('failures as the official clients see them', () => {
  it('throws the right class for what cannot be mapped', async () => {
    const { openai } = await gatewayTo('anthropic');
    const asked = openai.chat.completions.create({
      model: 'auto',
      messages: [{ role: 'user', content: 'x' }],
      n: 2,
    });
    const error = await asked.catch((thrown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ status: 400, param: 'n', code: 'unmappable_field' });
  });

  it('throws to whoever reads a stream that breaks off', async () => {
    const { openai, anthropic, upstream } = await gatewayTo('anthropic');
    upstream.failAlways('reset');
    const stream = await openai.chat.completions.create({
      model: 'auto',
      messages: [{ role: 'user', content: 'x' }],
      stream: true,
    });
    const read = async () => {
      for await (const _ of stream);
    };
    await expect(read()).rejects.toThrow(/broke/);
    const message = anthropic.messages
      .stream({ model: 'auto', max_tokens: 9, messages: [{ role: 'user', content: 'x' }] })
      .finalMessage();
    await expect(message).rejects.toThrow(/broke|reset/);
  });
});
