import { Registry } from 'prom-client';
import type { Dialect } from '../catalog/index.ts';
import type { RequestFacts } from '../records/index.ts';
import { costCounters } from './metrics/cost-counters.ts';
import { counterIn } from './metrics/counter-in.ts';
import { addGauges, type MetricSources } from './metrics/gauges.ts';
import { requestCounters } from './metrics/request-counters.ts';
import { timeHistograms } from './metrics/time-histograms.ts';

export type { MetricSources };

export interface Metrics {
  /** Counts one request. Of what is not known nothing is counted. */
  request(facts: RequestFacts): void;
  /** Counts one that was refused before it was a request to route: no key, a body that cannot be read, no room. */
  refused(dialect: Dialect, status: number): void;
  /** Prometheus' text format 0.0.4. */
  exposition(): Promise<string>;
}

/**
 * The gateway's metrics, in a registry of their own. Labels have few values: models are those of the catalog, reasons, verdicts and
 * outcomes come from closed lists, and nothing that a client writes becomes one.
 *
 * `plimsoll_cost_usd_total` has all answers of known cost. To compare, take `plimsoll_compared_cost_usd_total`: it, the baseline and
 * the random cost add up the very same requests, those that were routed and whose three costs are known.
 */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const tellers = [requestCounters(registry), costCounters(registry), timeHistograms(registry)];
  addGauges(registry, sources);
  const refused = counterIn(registry)(
    'plimsoll_refused_requests_total',
    'Requests refused before routing: no key, a body that cannot be read, no room. They are not in the decision log.',
    'dialect',
    'status',
  );
  return {
    exposition: () => registry.metrics(),
    refused: (dialect, status) => refused.inc({ dialect, status }),
    request(facts) {
      for (const tell of tellers) tell(facts);
    },
  };
}
