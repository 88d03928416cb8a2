import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { afterEach, expect, test } from 'vitest';
import type { AttemptOutcome, ProviderCall } from '../../router/exchange/index.ts';
import { createTraces } from '../../router/telemetry/open-telemetry.ts';
import { alwaysReady, sendOnce, type WholeAttempt } from '../fallback/attempts.ts';
import { CHEAP, facts, refusedFacts, STRONG, withPlanted } from '../records/facts.ts';
import { memorySdk } from './recorded-spans.ts';

afterEach(() => {
  trace.disable();
  context.disable();
  propagation.disable();
});

/** As an operator's own SDK is brought in: by the global API, not through Plimsoll. */
function withSdk() {
  const { spans, provider, contextManager, propagator } = memorySdk();
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(contextManager);
  propagation.setGlobalPropagator(propagator);
  return spans;
}

const TIMEOUTS = { connectMs: 1, firstByteMs: 1, idleMs: 1, totalMs: 1 };

function callOf(model = CHEAP, signal = new AbortController().signal): ProviderCall {
  const body = { messages: [{ role: 'user', content: 'sk-planted-0123456789' }] };
  const headers = { authorization: 'Bearer sk-planted-0123456789' };
  return { model, dialect: 'openai', operation: 'chat', body, stream: false, headers, signal };
}

const answer: AttemptOutcome = {
  kind: 'reply',
  status: 200,
  headers: {},
  body: (async function* () {})(),
  usage: () => undefined,
};
const overloaded: AttemptOutcome = {
  kind: 'failure',
  failure: 'overloaded',
  status: 503,
  retryAfterMs: undefined,
  message: 'sk-planted-0123456789',
};

/** The cheap model is overloaded, the strong one answers; over awaits, as upstreams do. */
const upstream: WholeAttempt = async (call) => {
  await new Promise((resolve) => setImmediate(resolve));
  return call.model === CHEAP ? overloaded : answer;
};

test('one span a request, by the conventions, and a child for each attempt', async () => {
  const traces = createTraces(); // made before the SDK starts: spans are found all the same
  const spans = withSdk();
  const request = traces.startRequest('chat', { traceparent: `00-${'b'.repeat(32)}-${'c'.repeat(16)}-01` })!;
  await request.run(async () => {
    await sendOnce(traces.traced(alwaysReady(upstream)))(callOf(CHEAP), TIMEOUTS);
    await sendOnce(traces.traced(alwaysReady(upstream)))(callOf(STRONG), TIMEOUTS);
  });
  const usage = { inputTokens: 1_000, outputTokens: 500, cachedInputTokens: 100, cacheWriteInputTokens: 40 };
  request.end(facts({ usage }));
  const [whole, first, second] = spans;
  expect(spans).toHaveLength(3);
  expect(whole).toEqual({
    name: 'chat auto',
    kind: SpanKind.CLIENT,
    status: undefined,
    ends: 1,
    spanId: whole!.spanId,
    traceId: 'b'.repeat(32),
    parentSpanId: 'c'.repeat(16),
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'gcp.gemini',
      'gen_ai.request.model': 'auto',
      'gen_ai.response.model': 'huge',
      'gen_ai.usage.input_tokens': 1_000,
      'gen_ai.usage.output_tokens': 500,
      'gen_ai.usage.cache_read.input_tokens': 100,
      'gen_ai.usage.cache_creation.input_tokens': 40,
      'plimsoll.decision.id': 'dec_1',
      'plimsoll.decision.reason': 'within-threshold',
      'plimsoll.decision.policy': 'default',
      'plimsoll.decision.predicted_loss': 0.25,
      'plimsoll.decision.threshold': 0.3,
      'plimsoll.decision.verdict': 'PASS',
      'plimsoll.selected': 'vllm/tiny',
      'plimsoll.served': 'google/huge',
      'plimsoll.attempts': 3,
      'plimsoll.cost_usd': 0.03,
    },
  });
  expect(first).toMatchObject({
    name: 'attempt vllm/tiny',
    parentSpanId: whole!.spanId,
    traceId: 'b'.repeat(32),
    ends: 1,
    status: { code: SpanStatusCode.ERROR },
    attributes: {
      'gen_ai.provider.name': 'vllm',
      'gen_ai.request.model': 'tiny',
      'http.response.status_code': 503,
      'error.type': 'overloaded',
    },
  });
  expect(second).toMatchObject({
    name: 'attempt google/huge',
    parentSpanId: whole!.spanId,
    ends: 1,
    status: undefined,
  });
  expect(second!.attributes).not.toHaveProperty('error.type');
});

test('what is not known is no attribute; a refusal and a broken stream are errors', () => {
  const spans = withSdk();
  const traces = createTraces();
  traces.startRequest('chat', {})!.end(refusedFacts());
  traces.startRequest('chat', {})!.end(facts({ ended: 'broken', decision: undefined }));
  expect(spans[0]).toMatchObject({
    name: 'chat refused',
    parentSpanId: undefined,
    status: { code: SpanStatusCode.ERROR },
  });
  expect(Object.keys(spans[0]!.attributes).sort()).toEqual([
    'error.type',
    'gen_ai.operation.name',
    'gen_ai.provider.name',
    'gen_ai.request.model',
    'plimsoll.attempts',
    'plimsoll.decision.id',
    'plimsoll.decision.reason',
  ]);
  expect(spans[0]!.attributes['error.type']).toBe('400');
  expect(spans[1]).toMatchObject({ name: 'chat vllm/tiny', attributes: { 'error.type': 'broken' } });
});

test('an attempt that is aborted ends its span, and rejects as before', async () => {
  const spans = withSdk();
  const reason = new Error('client left');
  const aborted: WholeAttempt = () => Promise.reject(reason);
  const traces = createTraces();
  const work = () => sendOnce(traces.traced(alwaysReady(aborted)))(callOf(), TIMEOUTS);
  await expect(traces.startRequest('chat', {})!.run(work)).rejects.toBe(reason);
  expect(spans[1]).toMatchObject({ ends: 1, attributes: { 'error.type': 'aborted' } });
});

test('no prompt, key or upstream message in any span', async () => {
  const spans = withSdk();
  const traces = createTraces();
  const request = traces.startRequest('chat', { authorization: 'Bearer sk-planted-0123456789' })!;
  await request.run(() => sendOnce(traces.traced(alwaysReady(upstream)))(callOf(), TIMEOUTS));
  request.end(withPlanted('sk-planted-0123456789'));
  expect(spans).toHaveLength(2);
  expect(JSON.stringify(spans)).not.toMatch(/planted|Ada/);
});

test('without an SDK nothing happens, and attempts pass through', async () => {
  const traces = createTraces();
  expect(traces.startRequest('embeddings', {})).toBeUndefined();
  expect(await sendOnce(traces.traced(alwaysReady(upstream)))(callOf(STRONG), TIMEOUTS)).toBe(answer);
});
