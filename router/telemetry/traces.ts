import {
  type Attributes,
  context,
  ProxyTracerProvider,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { attemptsMade } from '../fallback/index.ts';
import { VERSION } from '../package.ts';
import type { AttemptOutcome, PrepareAttempt, ProviderCall, ReadyAttempt } from '../providers/index.ts';
import type { RequestFacts } from '../records/index.ts';
import { errorType, GEN_AI, providerName } from './gen-ai.ts';

/** The span of one request, from its first byte to the last of its answer. */
export interface RequestSpan {
  /** Runs work inside the span: attempts that are made in it become its children. */
  run<T>(work: () => T): T;
  /** To be called once, when all is known. */
  end(facts: RequestFacts): void;
}

export interface Traces {
  /**
   * Undefined without an SDK: then there is nothing to carry along.
   * @param headers of the client; its `traceparent` is taken up if the operator's SDK reads one
   */
  startRequest(
    operation: 'chat' | 'embeddings',
    headers: Readonly<Record<string, unknown>>,
  ): RequestSpan | undefined;
  /** The same, with a child span for each request that is sent inside a request's span. */
  traced(prepare: PrepareAttempt): PrepareAttempt;
}

/**
 * Traces by `@opentelemetry/api` alone: the operator brings the SDK and says where spans go (as with `node --import`); without one
 * nothing is recorded, at next to no cost. No span has a word of a prompt or an answer, of an error's text, or of a key. The client's
 * `traceparent` is not sent on to providers.
 */
export function createTraces(): Traces {
  const tracer = trace.getTracer('plimsoll', VERSION);
  const hasSdk = sdkWatch();
  return {
    startRequest(operation, headers) {
      if (!hasSdk()) return undefined;
      const parent = propagation.extract(context.active(), headers);
      // CLIENT, as the conventions have it for an operation with all its retries; the HTTP server's own span is not ours to make.
      const span = tracer.startSpan(operation, REQUEST, parent);
      const inside = trace.setSpan(parent, span);
      return { run: (work) => context.with(inside, work), end: (facts) => endRequest(span, facts) };
    },
    traced: (prepare) => (call) => {
      const prepared = prepare(call);
      if (!hasSdk() || trace.getSpan(context.active()) === undefined) return prepared; // its request is not traced
      const traced = (one: Awaited<typeof prepared>) =>
        one.kind === 'failure' ? one : tracedSend(tracer, call, one);
      return prepared instanceof Promise ? prepared.then(traced) : traced(prepared);
    },
  };
}

function tracedSend(tracer: Tracer, { model }: ProviderCall, { send }: ReadyAttempt): ReadyAttempt {
  const attributes = { [GEN_AI.provider]: providerName(model.provider), [GEN_AI.requestModel]: model.id };
  const options = { kind: SpanKind.CLIENT, attributes };
  return {
    kind: 'ready',
    send(timeouts) {
      const parent = context.active();
      const span = tracer.startSpan(`attempt ${model.name}`, options, parent);
      if (!span.isRecording()) return send(timeouts);
      return context.with(trace.setSpan(parent, span), () => ended(span, send(timeouts)));
    },
  };
}

const REQUEST = { kind: SpanKind.CLIENT };

/** The API's provider delegates to this one until an SDK is registered. */
const NO_PROVIDER = new ProxyTracerProvider().getDelegate();

/** @returns whether an SDK is registered; it may start after the gateway. The API's provider is looked up once, which costs the most. */
function sdkWatch(): () => boolean {
  const provider = trace.getTracerProvider();
  return () => !(provider instanceof ProxyTracerProvider) || provider.getDelegate() !== NO_PROVIDER;
}

function endRequest(span: Span, facts: RequestFacts): void {
  if (span.isRecording()) {
    // The client's own words name a span only where they named a model of the catalog, or asked for routing.
    span.updateName(`${facts.operation} ${facts.decision ? 'auto' : (facts.selected?.name ?? 'refused')}`);
    span.setAttributes(requestAttributes(facts));
    span.setAttributes(decisionAttributes(facts));
    const type = errorType(facts);
    if (type !== undefined) fail(span, type);
  }
  span.end();
}

const MAX_REQUESTED_MODEL = 200;

function requestAttributes({ usage, served, ...facts }: RequestFacts): Attributes {
  return known({
    [GEN_AI.operation]: facts.operation,
    [GEN_AI.requestModel]: facts.requestedModel.slice(0, MAX_REQUESTED_MODEL),
    [GEN_AI.responseModel]: served?.id,
    [GEN_AI.provider]: served ? providerName(served.provider) : 'plimsoll',
    [GEN_AI.inputTokens]: usage?.inputTokens,
    [GEN_AI.outputTokens]: usage?.outputTokens,
    [GEN_AI.cachedInputTokens]: usage?.cachedInputTokens,
    [GEN_AI.cacheWriteInputTokens]: usage?.cacheWriteInputTokens,
  });
}

function decisionAttributes({ id, reason, decision, ...facts }: RequestFacts): Attributes {
  return known({
    'plimsoll.decision.id': id,
    'plimsoll.decision.reason': reason,
    'plimsoll.decision.policy': decision?.policy.name,
    'plimsoll.decision.predicted_loss': decision?.predictedLoss ?? undefined,
    'plimsoll.decision.threshold': decision?.threshold ?? undefined,
    'plimsoll.decision.verdict': decision?.verdict,
    'plimsoll.decision.ungated_reason': decision?.ungatedReason ?? undefined,
    'plimsoll.selected': facts.selected?.name,
    'plimsoll.served': facts.served?.name,
    'plimsoll.attempts': attemptsMade(facts.attempts),
    'plimsoll.cost_usd': facts.costUsd,
  });
}

/** Ends the span with the outcome: of an answer when its head is there, since its body belongs to the request. */
async function ended(span: Span, outcome: Promise<AttemptOutcome>): Promise<AttemptOutcome> {
  try {
    const result = await outcome;
    if (result.status !== undefined) span.setAttribute('http.response.status_code', result.status);
    if (result.kind === 'failure') fail(span, result.failure);
    return result;
  } catch (error) {
    fail(span, 'aborted'); // an attempt rejects for no other reason
    throw error;
  } finally {
    span.end();
  }
}

function fail(span: Span, type: string): void {
  span.setAttribute(GEN_AI.errorType, type);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

function known(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
