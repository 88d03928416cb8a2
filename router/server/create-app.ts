import type { RequestListener } from 'node:http';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import type { Config } from '../config/index.ts';
import type { Gateway } from '../gateway/index.ts';
import { defaultBudgetBytes, MemoryBudget } from '../memory-budget.ts';
import type { Router } from '../router.ts';
import { createDecisionMetrics, type Logger, observedRouter } from '../telemetry/index.ts';
import { createAdmission } from './admission.ts';
import { createSender, type Lifecycle } from './answer.ts';
import { reportedAnswer } from './answer-work.ts';
import { browserGuard } from './browser-guard.ts';
import type { Route, ServerContext } from './context.ts';
import { errorAnswer } from './error-answer.ts';
import { type Guard, keyGuard } from './key-guard.ts';
import { createReport } from './report.ts';
import { index, openApi } from './routes/documents.ts';
import { type CallRoute, gatewayRoutes } from './routes/gateway.ts';
import { healthz, readyz } from './routes/health.ts';
import { metricsRoute } from './routes/metrics.ts';
import { modelsRoute } from './routes/models.ts';
import { routeOne } from './routes/route.ts';
import { routeBatch } from './routes/route-batch.ts';

/**
 * The HTTP API on top of a router. Calls of models, whose traffic is by far the largest, are handed to their route before Express sees them
 * (docs/decisions/0017); Express has all the rest, and those that are spelled otherwise. Its routes stand in the order of their traffic.
 */
export function createApp(
  router: Router,
  config: Config,
  logger: Logger,
  lifecycle: Lifecycle = { draining: false },
  gateway?: Gateway,
): RequestListener {
  const context = contextOf(router, config, logger, lifecycle);
  const calls = gateway ? gatewayRoutes(context, gateway) : [];
  const listed = [
    ...calls,
    modelsRoute(context, gateway),
    metricsRoute(context, gateway),
    ...[routeOne, routeBatch].map((route) => timed(route(context), context)),
    readyz(context, gateway),
    healthz(context),
    openApi(context),
  ];
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  const guard = gateway?.access && keyGuard(context.send, gateway.access, gateway.refused);
  if (guard) app.use(['/v1', '/metrics', ...unversionedRoots(listed)], guard);
  for (const route of [...listed, index(context, listed)]) addRoute(app, route, context);
  app.use(unknownRoute(context), anythingElse(context));
  const listener = withCallsFirst(calls, guard, app);
  const ways = { withKeys: guard !== undefined, callsModels: gateway !== undefined };
  return guarded(browserGuard(config, context.send, ways), listener);
}

function guarded(guard: Guard | undefined, listener: RequestListener): RequestListener {
  if (guard === undefined) return listener;
  return (request, response) => guard(request, response, () => listener(request, response));
}

function withCallsFirst(
  calls: readonly CallRoute[],
  guard: Guard | undefined,
  app: Express,
): RequestListener {
  const byPath = new Map(calls.flatMap((route) => pathsOf(route).map((path) => [path, route.handlers[0]])));
  return (request, response) => {
    const call = request.method === 'POST' ? byPath.get(request.url!) : undefined;
    if (call === undefined) app(request, response);
    else if (guard === undefined) call(request, response);
    else guard(request, response, () => call(request, response));
  };
}

function contextOf(router: Router, config: Config, logger: Logger, lifecycle: Lifecycle): ServerContext {
  const { maxConcurrency, requestTimeoutMs: timeoutMs } = config.server;
  const budgetBytes = config.server.maxBytesAtWork ?? defaultBudgetBytes();
  const metrics = createDecisionMetrics(router);
  return {
    router: observedRouter(router, metrics.decided),
    metrics,
    config,
    lifecycle,
    admission: createAdmission({ maxConcurrency, timeoutMs }),
    send: createSender(lifecycle),
    budget: new MemoryBudget(budgetBytes),
    report: createReport(logger),
  };
}

const CLIENT_LEFT = 499;

/** A route whose responses are counted, with the time that they took. */
function timed(route: Route, { metrics }: ServerContext): Route {
  const count: RequestHandler = (_, response, next) => {
    const startedMs = performance.now();
    response.once('close', () => {
      const status = response.headersSent ? response.statusCode : CLIENT_LEFT;
      metrics.responded(route.path, status, (performance.now() - startedMs) / 1_000);
    });
    next();
  };
  return { ...route, handlers: [count, ...route.handlers] };
}

function pathsOf({ path, unversionedPath }: Route): string[] {
  return unversionedPath === undefined ? [path] : [path, unversionedPath];
}

/** What the paths without /v1 begin with: /models{/*id} covers all under /models. */
function unversionedRoots(routes: readonly Route[]): string[] {
  return routes.flatMap(({ unversionedPath }) => unversionedPath?.replace(/\{.*$/, '') ?? []);
}

function addRoute(app: Express, route: Route, { send }: ServerContext): void {
  const { method, handlers } = route;
  const allow = method === 'get' ? 'GET, HEAD' : 'POST';
  app
    .route(pathsOf(route))
    [method](...handlers)
    .all((request, response) => {
      const message = `${request.path} answers ${allow}, not ${request.method}.`;
      const details = { status: 405, code: 'method_not_allowed', message, headers: { allow } };
      send.error(request, response, errorAnswer(details));
    });
}

function unknownRoute({ send }: ServerContext): RequestHandler {
  const answer = errorAnswer({
    status: 404,
    code: 'route_not_found',
    message: 'There is no such route here. GET / lists the routes.',
  });
  return (request, response) => send.error(request, response, answer);
}

/** The last resort, so that Express never answers with a page and a stack trace. Errors of its own come from broken URLs. */
function anythingElse(context: ServerContext): ErrorRequestHandler {
  const brokenUrl = errorAnswer({ status: 400, code: 'invalid_url', message: 'The URL cannot be read.' });
  return (error, request, response, _next) => {
    const answer = error instanceof URIError ? brokenUrl : reportedAnswer(context, error, null);
    context.send.error(request, response, answer);
  };
}
