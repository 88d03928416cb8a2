/** The log, without secrets; Prometheus' metrics; traces and metrics for the operator's OpenTelemetry SDK. */
import type { MetricSources } from './scraped-metrics.ts';

export {
  createBatch,
  createDecisionMetrics,
  type DecisionMetrics,
  observedRouter,
} from './decision-metrics.ts';
export { createLogger, type Logger } from './logger.ts';
export type { Metrics } from './request-metrics.ts';

/** What a gateway reports of its requests. Loaded here, so that a server that only decides never loads it. */
export async function openRequestTelemetry(sources: MetricSources) {
  const [{ createMetrics }, { createGenAiMetrics, createTraces }] = await Promise.all([
    import('./request-metrics.ts'),
    import('./open-telemetry.ts'),
  ]);
  return { metrics: createMetrics(sources), genAiMetrics: createGenAiMetrics(), traces: createTraces() };
}
