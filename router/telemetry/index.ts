export { createDecisionMetrics, type DecisionMetrics, observedRouter } from './decision-metrics.ts';
export { createGenAiMetrics } from './gen-ai-metrics.ts';
export { createLogger, type Logger } from './logger.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export { createTraces } from './traces.ts';
