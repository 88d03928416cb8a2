import type { IncomingMessage, ServerResponse } from 'node:http';
import cors from 'cors';
import { isLoopback } from '../access/index.ts';
import type { Config } from '../config/index.ts';
import { PlimsollError } from '../errors.ts';
import type { Sender } from './answer.ts';
import { type ErrorAnswer, errorAnswer } from './error-answer.ts';
import type { Guard } from './key-guard.ts';

const ANY_ORIGIN = '*';
const PREFLIGHT_SECONDS = 600;

/** What a page may read of a response; browsers hide all other headers of another origin. */
const EXPOSED_HEADERS = [
  'request-id',
  'x-request-id',
  'retry-after',
  ...[
    'attempts',
    'baseline-cost-usd',
    'cost-usd',
    'decision-id',
    'dropped',
    'overhead-ms',
    'policy',
    'reason',
  ]
    .concat(['selected', 'served', 'ungated-reason', 'verdict'])
    .map((name) => `x-plimsoll-${name}`),
];

/**
 * Decides what web pages may do here. Without API keys a page in the operator's browser could use this server: by its address, which the
 * Origin header shows, or by a name of its own that resolves to this machine (DNS rebinding), which the Host header shows.
 *
 * - Host: on a loopback address without keys, and wherever `server.allowed_hosts` is set, other names get 421.
 * - Origin: without keys, an origin that is neither this server's own nor in `server.cors_origins` gets 403.
 * - CORS: the origins in `server.cors_origins` get the headers that let a page read the response, and their preflights are answered.
 *
 * @param withKeys whether every call needs an API key
 * @returns undefined if there is nothing to check
 * @throws PlimsollError `invalid-config` if any origin is allowed to call models without a key
 */
export function browserGuard(
  { server }: Config,
  send: Sender,
  { withKeys, callsModels }: { readonly withKeys: boolean; readonly callsModels: boolean },
): Guard | undefined {
  const origins = new Set(server.corsOrigins);
  if (origins.has(ANY_ORIGIN) && callsModels && !withKeys) throw openToEveryPage();
  const hosts = new Set(server.allowedHosts);
  const checksHost = hosts.size > 0 || (!withKeys && isLoopback(server.host));
  if (withKeys && !checksHost && origins.size === 0) return undefined;
  const allowCors = origins.size > 0 ? corsFor(origins) : undefined;
  const isKnownHost = (host: string) => isLoopback(host) || hosts.has(host);
  const isKnownOrigin = (origin: string, host: string | undefined) =>
    origins.has(ANY_ORIGIN) || origins.has(origin) || isSameOrigin(origin, host);

  function refusalOf({ headers: { host, origin } }: IncomingMessage): ErrorAnswer | undefined {
    if (checksHost && host !== undefined && !isKnownHost(hostnameOf(host))) return UNKNOWN_HOST;
    if (!withKeys && origin !== undefined && !isKnownOrigin(origin, host)) return UNKNOWN_ORIGIN;
    return undefined;
  }

  return (request, response, next) => {
    const refusal = refusalOf(request);
    if (refusal !== undefined) return refuse(request, response, send, refusal);
    if (allowCors === undefined) return next();
    if (request.method === 'OPTIONS' && !isPreflight(request)) return next(); // cors would answer any OPTIONS
    allowCors(request, response, next);
  };
}

function refuse(request: IncomingMessage, response: ServerResponse, send: Sender, refusal: ErrorAnswer) {
  request.resume(); // lets the client finish sending and read the response
  send.error(request, response, refusal);
}

function corsFor(origins: ReadonlySet<string>) {
  return cors({
    origin: origins.has(ANY_ORIGIN) ? ANY_ORIGIN : [...origins],
    methods: ['GET', 'HEAD', 'POST'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
  });
}

function isPreflight({ headers }: IncomingMessage): boolean {
  return headers['access-control-request-method'] !== undefined;
}

/** A page that this server itself served. */
function isSameOrigin(origin: string, host: string | undefined): boolean {
  return host !== undefined && origin === `http://${host.toLowerCase()}`;
}

const HOST = /^(\[[\d:.a-f]+\]|[\w.-]+)(?::\d{1,5})?$/;

/** Without the port; lower case, as names are compared. Empty if the header is not a host and a port. */
function hostnameOf(host: string): string {
  return HOST.exec(host.toLowerCase())?.[1] ?? '';
}

const UNKNOWN_HOST = errorAnswer({
  status: 421,
  code: 'unknown_host',
  message:
    'This server answers to localhost, 127.0.0.1 and [::1]. Add the name in the Host header to server.allowed_hosts if it is yours.',
});

const UNKNOWN_ORIGIN = errorAnswer({
  status: 403,
  code: 'origin_not_allowed',
  message: 'Pages of this origin may not call this server. Add it to server.cors_origins if it is yours.',
});

function openToEveryPage(): PlimsollError {
  return new PlimsollError(
    'invalid-config',
    'server.cors_origins: "*" would let every web page call models with your keys. Name the origins, or create API keys (plimsoll keys create).',
    { place: { field: 'server.cors_origins' } },
  );
}
