/** What is measured of a request: whether a whole reply went out, US dollars, ms until its last byte, scores of feedback. */
export const METRICS = ['success', 'cost_usd', 'duration_ms', 'score'] as const;
export type Metric = (typeof METRICS)[number];

/** Multiplies what the first arm has, to ask whether another has more than this many times as much. */
export type ControlFactors = Readonly<Partial<Record<Metric, number>>>;

/** Its values are from 0 to 1. */
export function isBounded(metric: Metric): boolean {
  return metric === 'success' || metric === 'score';
}

export function byMetric<T>(make: (metric: Metric) => T): Record<Metric, T> {
  return Object.fromEntries(METRICS.map((metric) => [metric, make(metric)])) as Record<Metric, T>;
}
