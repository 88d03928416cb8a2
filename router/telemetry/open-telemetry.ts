import {
  type Attributes,
  context,
  createNoopMeter,
  type Meter,
  metrics,
  ProxyTracerProvider,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { Platform, Provider, ProviderKind } from '../catalog/index.ts';
import type {
  AttemptOutcome,
  Operation,
  PrepareAttempt,
  ProviderCall,
  ReadyAttempt,
} from '../exchange/index.ts';
import { attemptsMade } from '../fallback/index.ts';
import { VERSION } from '../package.ts';
import { type RequestFacts, spentUsd, totalCostUsd } from '../records/index.ts';

/** The span of one request, from its first byte to the last of its reply. */
interface RequestSpan {
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
  startRequest(operation: Operation, headers: Readonly<Record<string, unknown>>): RequestSpan | undefined;
  /** The same, with a child span for each request that is sent inside a request's span. */
  traced(prepare: PrepareAttempt): PrepareAttempt;
}

/**
 * Traces by `@opentelemetry/api` alone: the operator brings the SDK and says where spans go (as with `node --import`); without one
 * nothing is recorded, at next to no cost. No span has a word of a prompt or a reply, of an error's text, or of a key. The client's
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
    // The client's own words name a span only if they named a model of the catalog, or asked for routing.
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

function decisionAttributes({ id, reason, decision, check, ...facts }: RequestFacts): Attributes {
  return known({
    'plimsoll.decision.id': id,
    'plimsoll.decision.reason': reason,
    'plimsoll.decision.policy': decision?.policy.name,
    'plimsoll.decision.predicted_loss': decision?.predictedLoss ?? undefined,
    'plimsoll.decision.threshold': decision?.threshold ?? undefined,
    'plimsoll.decision.verdict': decision?.verdict,
    'plimsoll.decision.ungated_reason': decision?.ungatedReason ?? undefined,
    'plimsoll.cascade.model': check?.model.name,
    'plimsoll.cascade.skip': check?.skip,
    'plimsoll.cascade.reply_loss': check?.replyLoss,
    'plimsoll.cascade.escalated': check?.escalated,
    'plimsoll.cascade.check_ms': check?.ms,
    'plimsoll.cascade.cost_usd': check && spentUsd(check),
    'plimsoll.selected': facts.selected?.name,
    'plimsoll.served': facts.served?.name,
    'plimsoll.attempts': attemptsMade(facts.attempts),
    'plimsoll.cost_usd': totalCostUsd(facts.costUsd, check, facts.abandoned),
  });
}

/** Ends the span with the outcome; that of a reply is known with its head, since its body belongs to the request. */
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

/** Reports a finished request to the operator's OpenTelemetry SDK. */
type GenAiMetrics = (facts: RequestFacts) => void;

/**
 * The conventions' two client histograms, `gen_ai.client.token.usage` ({token}) and `gen_ai.client.operation.duration` (s), with the
 * bucket bounds that they advise. By the API alone: without an SDK nothing is recorded. Requests that reached no model are left out:
 * they have no provider. To be made after the SDK has started, since meters, unlike tracers, are not found later.
 */
export function createGenAiMetrics(meter: Meter = metrics.getMeter('plimsoll', VERSION)): GenAiMetrics {
  if (meter === createNoopMeter()) return () => {}; // there is no SDK
  const tokens = meter.createHistogram('gen_ai.client.token.usage', {
    unit: '{token}',
    description: 'Tokens of prompts and answers.',
    advice: { explicitBucketBoundaries: Array.from({ length: 14 }, (_, i) => 4 ** i) },
  });
  const duration = meter.createHistogram('gen_ai.client.operation.duration', {
    unit: 's',
    description: 'Time to the last byte of an answer.',
    advice: { explicitBucketBoundaries: Array.from({ length: 14 }, (_, i) => 0.01 * 2 ** i) },
  });
  return (facts) => {
    const { served, usage } = facts;
    if (!served) return;
    const attributes = {
      [GEN_AI.operation]: facts.operation,
      [GEN_AI.provider]: providerName(served.provider),
      [GEN_AI.requestModel]: served.id,
      [GEN_AI.responseModel]: served.id,
    };
    const type = errorType(facts);
    duration.record(facts.durationMs / 1_000, { ...attributes, ...(type && { [GEN_AI.errorType]: type }) });
    if (!usage) return;
    tokens.record(usage.inputTokens, { ...attributes, [GEN_AI.tokenType]: 'input' });
    tokens.record(usage.outputTokens, { ...attributes, [GEN_AI.tokenType]: 'output' });
  };
}

/**
 * Names of OpenTelemetry's semantic conventions for generative AI, of which none is stable yet.
 * Source: opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans, "Inference", and gen-ai-metrics.
 */
const GEN_AI = {
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  responseModel: 'gen_ai.response.model',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  cachedInputTokens: 'gen_ai.usage.cache_read.input_tokens',
  cacheWriteInputTokens: 'gen_ai.usage.cache_creation.input_tokens',
  tokenType: 'gen_ai.token.type',
  errorType: 'error.type',
} as const;

/** The conventions' well-known values of `gen_ai.provider.name`. */
const PROVIDERS: Readonly<Record<Exclude<ProviderKind, 'openai-compatible'>, string>> = {
  openai: 'openai',
  anthropic: 'anthropic',
  google: 'gcp.gemini',
  mistral: 'mistral_ai',
  bedrock: 'aws.bedrock',
  people: 'plimsoll.people',
};

const PLATFORMS: Readonly<Record<Platform, string>> = {
  azure: 'azure.ai.openai',
  vertex: 'gcp.vertex_ai',
};

/** For an OpenAI-compatible address, the operator's own name for it: the conventions allow values of one's own. */
function providerName({ kind, platform, name }: Provider): string {
  if (platform !== undefined) return PLATFORMS[platform];
  return kind === 'openai-compatible' ? name : PROVIDERS[kind];
}

/** How it failed, in few words; undefined if it did not. */
function errorType({
  status,
  ended,
}: {
  readonly status: number;
  readonly ended: string;
}): string | undefined {
  if (status >= 400) return String(status);
  return ended === 'whole' ? undefined : ended;
}
