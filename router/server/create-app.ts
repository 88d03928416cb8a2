import type { RequestListener } from 'node:http';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { createQueue, isLoopback } from '../access/index.ts';
import type { Batches } from '../batches/index.ts';
import type { Config } from '../config/index.ts';
import { createDashboard, isForDashboard, ReviewHolder } from '../dashboard/index.ts';
import type { Gateway } from '../gateway/index.ts';
import { createSender, errorResponse, type Lifecycle, readingGoogleKey, type Sender } from '../http/index.ts';
import { defaultBudgetBytes, MemoryBudget } from '../memory-budget.ts';
import { PASSED_ROUTES } from '../passthrough/index.ts';
import type { HotReload } from '../reload.ts';
import type { Router } from '../router.ts';
import type { ServeOptions } from '../serving.ts';
import { createDecisionMetrics, type Logger, observedRouter } from '../telemetry/index.ts';
import type { Route, ServerContext } from './context.ts';
import { browserGuard, type Guard, keyGuard, pageGuard } from './guards.ts';
import { readingProfilePath } from './named-profile.ts';
import { batchRoutes } from './routes/batches.ts';
import { routeBatch, routeOne } from './routes/decisions.ts';
import { feedbackRoute, isFeedback } from './routes/feedback.ts';
import { googleRoutes } from './routes/google.ts';
import { CALL_PATHS, type CallRoute, modelCallRoutes } from './routes/model-calls.ts';
import { modelsRoute } from './routes/models.ts';
import { passedRoutes } from './routes/passed-routes.ts';
import { isSignedMessage, peopleRoutes } from './routes/people.ts';
import { healthz, index, metricsRoute, openApi, readyz } from './routes/service.ts';
import { threadRoutes } from './routes/threads.ts';
import { createServerLog, loggedErrorResponse } from './server-log.ts';

/** What the page needs besides. */
export interface PageParts {
  /** That of the last reload; default: the one of the start. */
  readonly currentConfig?: (() => Config) | undefined;
  /** Undefined: nothing is reloaded. */
  readonly reloads?: Pick<HotReload, 'past' | 'reload'> | undefined;
  readonly promotion?: ServeOptions['promotion'] | undefined;
  /** What people grade. */
  readonly review?: ReviewHolder | undefined;
  readonly banner?: string | undefined;
}

/** The HTTP API on top of a router. */
export function createApp(
  router: Router,
  config: Config,
  logger: Logger,
  lifecycle: Lifecycle = { draining: false },
  gateway?: Gateway,
  pageParts: PageParts = {},
  openBatches: (context: ServerContext) => Batches | undefined = () => undefined,
): RequestListener {
  const context = createContext(router, config, logger, lifecycle);
  const batches = openBatches(context);
  const { send } = context;
  const calls = gateway ? modelCallRoutes(context, gateway) : [];
  // In the order of their traffic, since Express tries one after the other.
  const routes = [
    ...calls,
    modelsRoute(context, gateway),
    metricsRoute(context, gateway),
    timed(routeOne(context), context),
    timed(routeBatch(context), context),
    readyz(context, gateway),
    healthz(context),
    openApi(context),
    ...(gateway
      ? [
          feedbackRoute(context, gateway),
          ...batchRoutes(context, batches),
          ...passedRoutes(context, gateway),
          ...threadRoutes(context, gateway),
          ...googleRoutes(context, gateway),
          ...peopleRoutes(context, gateway),
        ]
      : []),
  ];
  const keys = gateway?.access && keyGuard(send, gateway.access, gateway.refused, mayLackKey);
  const app = expressApp([...routes, index(context, routes)], keys, context);
  const browsers = browserGuard(config, send, {
    withKeys: keys !== undefined,
    callsModels: gateway !== undefined,
  });
  const pages = dashboardFor(context, gateway, logger, pageParts);
  const rest: RequestListener =
    pages === undefined
      ? app
      : (request, response) => (isForDashboard(request) ? pages : app)(request, response);
  const listener = readingProfilePath(readingGoogleKey(requestListener(browsers, keys, calls, rest)));
  return inOriginForm(requiringHost(listener, send), send);
}

/** Routes that take a token or a signature in place of an API key. */
function mayLackKey(request: Parameters<typeof isFeedback>[0]): boolean {
  return isFeedback(request) || isSignedMessage(request);
}

/** Open to look at, without signing in, only if nobody but this machine can come here, and no proxy leads others here. */
function dashboardFor(
  { router, config, send, lifecycle, budget }: ServerContext,
  gateway: Gateway | undefined,
  logger: Logger,
  { currentConfig = () => config, reloads, promotion, review, banner }: PageParts,
): RequestListener | undefined {
  if (config.dashboard === 'off') return undefined;
  const { host, allowedHosts } = config.server;
  const isOpen = gateway?.access === undefined && isLoopback(host) && allowedHosts.length === 0;
  const pages = createDashboard({
    router,
    config: currentConfig,
    gateway,
    budget,
    reloads,
    promotion,
    review: review ?? new ReviewHolder(undefined, currentConfig),
    banner,
    isOpen,
    isDraining: () => lifecycle.draining,
    onChange: ({ id: _, timeMs: __, ...change }) => logger.info(change, `the dashboard: ${change.text}`),
    onSignIn: (text) => logger.info(`the dashboard: ${text}`),
    onSignInTrouble: (text) => logger.warn(`the dashboard: ${text}`),
  });
  const guard = pageGuard(config, send);
  return guard === undefined
    ? pages
    : (request, response) => guard(request, response, () => pages(request, response));
}

const ABSOLUTE_TARGET = /^[a-z][a-z\d+.-]*:\/\//i;

/**
 * RFC 9112, section 3.2.2: in `GET http://host/path`, which is for proxies, the host takes the place of the one in the Host header. From here
 * on there is one form of a request, and one host.
 */
function inOriginForm(listener: RequestListener, send: Sender): RequestListener {
  const invalidTarget = errorResponse({
    status: 400,
    code: 'invalid_url',
    message: 'The URL cannot be read.',
  });
  return (request, response) => {
    const { url: target = '' } = request;
    if (ABSOLUTE_TARGET.test(target)) {
      if (!/^https?:/i.test(target) || !URL.canParse(target)) {
        request.resume(); // lets the client finish sending and read the response
        return send.error(request, response, invalidTarget);
      }
      const { host, pathname, search } = new URL(target);
      request.headers.host = host;
      request.url = pathname + search;
    }
    listener(request, response);
  };
}

/** RFC 9112, section 3.2: a request of HTTP/1.1 without a Host header gets 400, and so does one with several, of which node shows the first. */
function requiringHost(listener: RequestListener, send: Sender): RequestListener {
  const refused = (message: string) => errorResponse({ status: 400, code: 'malformed_http', message });
  const noHost = refused('The request has no Host header, which HTTP/1.1 requires.');
  const manyHosts = refused('The request has more than one Host header. Send one.');
  return (request, response) => {
    const isMissing = request.headers.host === undefined && request.httpVersion === '1.1';
    if (!isMissing && !hasSecondHost(request.rawHeaders)) return listener(request, response);
    request.resume(); // lets the client finish sending and read the response
    send.error(request, response, isMissing ? noHost : manyHosts);
  };
}

const HOST_LENGTH = 'host'.length;

/** @param raw names and values in turn, as node gives them */
function hasSecondHost(raw: readonly string[]): boolean {
  let hosts = 0;
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at];
    if (name?.length === HOST_LENGTH && name.toLowerCase() === 'host') hosts++;
  }
  return hosts > 1;
}

/**
 * What a request passes before Express, and instead of it:
 *
 * 1. the browser guard, which applies to every path;
 * 2. calls of models, by far the largest traffic: the key guard and their handler, which Express would cost a multiple of
 *    (docs/decisions/0017). Only the exact paths are matched: calls that are spelled otherwise (a query, a slash at the end, upper case) go
 *    through Express to the same key guard and the same handler.
 *
 * Malformed HTTP never becomes a request: see `respondToClientError`.
 */
function requestListener(
  browsers: Guard | undefined,
  keys: Guard | undefined,
  calls: readonly CallRoute[],
  app: RequestListener,
): RequestListener {
  const handlers = new Map(calls.flatMap((route) => pathsOf(route).map((path) => [path, route.handlers[0]])));
  const listener: RequestListener = (request, response) => {
    const call = request.method === 'POST' ? handlers.get(request.url ?? '') : undefined;
    if (call === undefined) app(request, response);
    else if (keys === undefined) call(request, response);
    else keys(request, response, () => call(request, response));
  };
  if (browsers === undefined) return listener;
  return (request, response) => browsers(request, response, () => listener(request, response));
}

function expressApp(routes: readonly Route[], keys: Guard | undefined, context: ServerContext): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  if (keys) app.use(['/v1', '/v1beta', '/metrics', ...unversionedRoots(routes)], keys);
  for (const sharing of byPath(routes).values()) addRoutes(app, sharing, context);
  app.use(unknownRoute(context), lastErrorHandler(context));
  return app;
}

function createContext(router: Router, config: Config, logger: Logger, lifecycle: Lifecycle): ServerContext {
  const metrics = createDecisionMetrics(router);
  return {
    router: observedRouter(router, metrics.decided),
    metrics,
    config,
    lifecycle,
    queue: createQueue({ maxConcurrency: config.server.maxConcurrency, maxQueue: 0, maxWaitMs: 0 }),
    send: createSender(lifecycle),
    budget: new MemoryBudget(config.server.maxBytesAtWork ?? defaultBudgetBytes()),
    log: createServerLog(logger),
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

/** The first parts of the paths without /v1: /models{/*id} is everything under /models. */
function unversionedRoots(routes: readonly Route[]): string[] {
  return routes.flatMap(({ unversionedPath }) => unversionedPath?.replace(/\{.*$/, '') ?? []);
}

/** A path has one route for each of its methods. */
function byPath(routes: readonly Route[]): Map<string, Route[]> {
  const grouped = new Map<string, Route[]>();
  for (const route of routes) grouped.set(route.path, [...(grouped.get(route.path) ?? []), route]);
  return grouped;
}

const ALLOWED = { get: 'GET, HEAD', post: 'POST', delete: 'DELETE' } as const;

function addRoutes(app: Express, routes: readonly Route[], { send }: ServerContext): void {
  const added = app.route(pathsOf(routes[0]!));
  for (const { method, handlers } of routes) added[method](...handlers);
  const allow = routes.map(({ method }) => ALLOWED[method]).join(', ');
  added.all((request, response) => {
    const message = `${request.path} answers ${allow}, not ${request.method}.`;
    const details = { status: 405, code: 'method_not_allowed', message, headers: { allow } };
    send.error(request, response, errorResponse(details));
  });
}

function unknownRoute({ send }: ServerContext): RequestHandler {
  const notFound = errorResponse({
    status: 404,
    code: 'route_not_found',
    message: 'There is no such route here. GET / lists the routes.',
  });
  // with a gateway these routes are there, and nothing of theirs comes here
  const noProviders = errorResponse({
    status: 404,
    code: 'route_not_found',
    message:
      'This server decides and calls no model, since it has no providers. Add "providers" to its configuration (docs/CONFIGURATION.md): this route comes with them.',
  });
  return (request, response) =>
    send.error(request, response, isCallPath(request.path) ? noProviders : notFound);
}

/** Paths that there are only with providers. */
function isCallPath(path: string): boolean {
  const unversioned = path.replace(/^\/v1(?=\/)/, '');
  return CALL_PATHS.includes(path) || PASSED_ROUTES.some((route) => matches(unversioned, route.path));
}

function matches(path: string, pattern: string): boolean {
  const steps = path.split('/');
  const wanted = pattern.split('/');
  return (
    steps.length === wanted.length && wanted.every((one, at) => one.startsWith(':') || one === steps[at])
  );
}

/** The last resort, so that Express never sends a page with a stack trace. Its own errors come from URLs that cannot be decoded. */
function lastErrorHandler(context: ServerContext): ErrorRequestHandler {
  const invalidUrl = errorResponse({ status: 400, code: 'invalid_url', message: 'The URL cannot be read.' });
  return (error, request, response, _next) => {
    const sent = error instanceof URIError ? invalidUrl : loggedErrorResponse(context, error, null);
    context.send.error(request, response, sent);
  };
}
