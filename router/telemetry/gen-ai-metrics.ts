import { type Meter, metrics } from '@opentelemetry/api';
import { VERSION } from '../package.ts';
import type { RequestFacts } from '../records/index.ts';
import { errorType, GEN_AI, providerName } from './gen-ai.ts';

/** Tells a finished request to the operator's OpenTelemetry SDK. */
export type GenAiMetrics = (facts: RequestFacts) => void;

/**
 * The conventions' two client histograms, `gen_ai.client.token.usage` ({token}) and `gen_ai.client.operation.duration` (s), with the
 * bucket bounds that they advise. By the API alone: without an SDK nothing is recorded. Requests that reached no model are left out:
 * they have no provider. To be made after the SDK has started, since meters, unlike tracers, are not found later.
 */
export function createGenAiMetrics(meter: Meter = metrics.getMeter('plimsoll', VERSION)): GenAiMetrics {
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
