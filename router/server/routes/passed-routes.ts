import type { ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';
import type { Dialect } from '../../catalog/index.ts';
import type { Gateway } from '../../gateway/index.ts';
import {
  bodyLimits,
  clientDialect,
  errorResponse,
  formBody,
  jsonBody,
  noBody,
  type WithBytes,
} from '../../http/index.ts';
import { isObject } from '../../json/index.ts';
import { PASSED_ROUTES, type PassedRoute } from '../../passthrough/index.ts';
import type { Route, ServerContext } from '../context.ts';
import { type CallRequest, countingSender, handleCall, NO_OBJECT } from './model-calls.ts';

/** The routes whose requests are passed on to a provider as they come. */
export function passedRoutes(context: ServerContext, gateway: Gateway): Route[] {
  return PASSED_ROUTES.map((route) => passedRoute(context, gateway, route));
}

const SIZE_FIELD = 'gateway.max_body_bytes';

type PassedIncoming = CallRequest & WithBytes;

function passedRoute(context: ServerContext, gateway: Gateway, route: PassedRoute): Route {
  const { method, path, summary, operation } = route;
  const limits = bodyLimits(context, context.config.gateway.maxBodyBytes);

  const handler: RequestHandler = (incoming, response) => {
    const startedMs = performance.now();
    const request = incoming as PassedIncoming;
    const dialect = dialectOf(request, route);
    const refuse = countingSender(context.send, (status) => gateway.refused(dialect, status));
    const fullPath = pathAtProvider(path, incoming.params, incoming.originalUrl);
    if (fullPath === undefined) {
      request.resume(); // lets the client finish sending and read the response
      return refuse.error(request, response, INVALID_ID);
    }
    const read = READERS[route.body](limits, refuse, SIZE_FIELD);
    read(request, response as ServerResponse, () => {
      const { body = {}, bodyText = '', bodyNames, bytes } = request;
      if (!isObject(body)) return refuse.error(request, response, NO_OBJECT);
      const passed = { route, path: fullPath, ...(bytes && { bytes }) };
      const names = bodyNames === undefined ? {} : { bodyNames };
      const call = { dialect, operation, body, bodyText, ...names, passed, startedMs };
      void handleCall({ context, gateway, refuse }, request, response, call);
    });
  };
  return { method, path: `/v1${path}`, unversionedPath: path, summary, handlers: [handler] };
}

const READERS = { json: jsonBody, multipart: formBody, none: noBody };

/** If two APIs have the path, the one that the client speaks. */
function dialectOf(request: CallRequest, { kinds }: PassedRoute): Dialect {
  const spoken = clientDialect(request);
  return kinds[spoken] === undefined ? (Object.keys(kinds)[0] as Dialect) : spoken;
}

const ID = /^\w[\w.:-]{0,255}$/;

/** @returns undefined if an id in it has characters that no provider's have: it could lead to another path */
function pathAtProvider(
  path: string,
  params: Readonly<Record<string, unknown>>,
  originalUrl: string,
): string | undefined {
  let filled = path;
  for (const [name, value] of Object.entries(params)) {
    if (typeof value !== 'string' || !ID.test(value)) return undefined;
    filled = filled.replace(`:${name}`, value);
  }
  const query = originalUrl.indexOf('?');
  return query === -1 ? filled : filled + originalUrl.slice(query);
}

const INVALID_ID = errorResponse({
  status: 400,
  code: 'invalid_url',
  message: 'An id in the path may have letters, digits, "_", "-", "." and ":", at most 256 of them.',
});
