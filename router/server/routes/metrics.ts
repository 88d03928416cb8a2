import type { RequestHandler } from 'express';
import { Registry } from 'prom-client';
import type { Gateway } from '../../gateway/index.ts';
import type { Route, ServerContext } from '../context.ts';

/**
 * GET /metrics: for Prometheus. Names models and sums of money, so it needs a key if the other routes do. The two parts have no metric
 * in common.
 */
export function metricsRoute({ metrics }: ServerContext, gateway?: Gateway): Route {
  const handler: RequestHandler = async (_, response) => {
    const parts = await Promise.all([metrics.exposition(), gateway?.metrics.exposition()]);
    response.writeHead(200, {
      'content-type': Registry.PROMETHEUS_CONTENT_TYPE,
      'cache-control': 'no-store',
    });
    response.end(parts.filter((part) => part !== undefined).join(''));
  };
  return {
    method: 'get',
    path: '/metrics',
    summary: 'Counts, times and costs for Prometheus.',
    handlers: [handler],
  };
}
