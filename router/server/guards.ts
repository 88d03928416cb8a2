import type { IncomingMessage, ServerResponse } from 'node:http';
import cors from 'cors';
import { type Access, type Authentication, isLoopback, requireAccess } from '../access/index.ts';
import type { Dialect } from '../catalog/index.ts';
import type { Config } from '../config/index.ts';
import { PlimsollError } from '../errors.ts';
import { clientDialect, type ErrorResponse, errorResponse, type Sender } from '../http/index.ts';
import { hostnameOf, isSameOrigin, THIS_MACHINE } from '../loopback-host.ts';
import { COMMAND } from '../package.ts';

/** A request that the key guard let through. */
export interface Guarded {
  /** The id of its key. */
  keyId?: string;
  /** The profile that its key is bound to. */
  keyProfile?: string;
  /** The profile in `/p/<profile>/…`, which is taken off the path. */
  pathProfile?: string;
  /** The team of its key, if it has one. */
  team?: string | undefined;
  /** The whole path, of which Express has taken off the beginning in `url`. */
  readonly originalUrl?: string;
}

/** Middleware for Express and for node's own server. */
export type Guard = (request: IncomingMessage & Guarded, response: ServerResponse, next: () => void) => void;

/** Whether requests need an API key. Keys guard the gateway alone: a server that only decides has no authentication. */
export function isGuarded({
  providers,
  access,
  server,
}: Pick<Config, 'providers' | 'access' | 'server'>): boolean {
  return Object.keys(providers).length > 0 && requireAccess(access, server.host);
}

/**
 * Lets requests with a valid key through; the others get 401 or 403 in the form of the API that they speak, before their body is read.
 * @param onRefusal called for each of the others
 * @param mayLackKey whether a request without any key goes on, to a route that looks for something else in its place
 */
export function keyGuard(
  send: Sender,
  access: Access,
  onRefusal: (dialect: Dialect, status: number) => void,
  mayLackKey: (request: IncomingMessage & Guarded) => boolean = () => false,
): Guard {
  return (request, response, next) => {
    const found = access.authenticate(request.headers);
    if (found.kind === 'ok') {
      request.keyId = found.keyId;
      if (found.profile !== undefined) request.keyProfile = found.profile;
      request.team = found.team;
      return next();
    }
    if (found.kind === 'missing' && mayLackKey(request)) return next();
    const refusal = KEY_REFUSALS[found.kind];
    onRefusal(clientDialect(request), refusal.status);
    refuse(request, response, send, refusal);
  };
}

const KEY_REFUSALS: Readonly<Record<Exclude<Authentication['kind'], 'ok'>, ErrorResponse>> = {
  missing: keyRefusal(401, 'An API key is needed: Authorization: Bearer <key>, or x-api-key.'),
  wrong: keyRefusal(401, 'This API key is not known here.'),
  expired: keyRefusal(403, 'This API key has expired.'),
  revoked: keyRefusal(403, 'This API key was revoked.'),
};

function keyRefusal(status: 401 | 403, message: string): ErrorResponse {
  return errorResponse({
    status,
    message,
    code: 'invalid_api_key',
    headers: { 'www-authenticate': 'Bearer' },
  });
}

/** Whether requests for other hosts than this machine and `server.allowed_hosts` are refused. */
export function checksHost({ host, allowedHosts }: Config['server'], withKeys: boolean): boolean {
  return allowedHosts.length > 0 || (!withKeys && isLoopback(host));
}

const ANY_ORIGIN = '*';
const PREFLIGHT_SECONDS = 600;

/** What a page may read of a response; browsers hide all other headers of another origin. */
const EXPOSED_HEADERS = [
  'age',
  'request-id',
  'x-request-id',
  'retry-after',
  'x-plimsoll-attempts',
  'x-plimsoll-baseline-cost-usd',
  'x-plimsoll-cache',
  'x-plimsoll-cache-write-tokens',
  'x-plimsoll-cached-tokens',
  'x-plimsoll-cost-usd',
  'x-plimsoll-decision-id',
  'x-plimsoll-dropped',
  'x-plimsoll-feedback-token',
  'x-plimsoll-handed-off',
  'x-plimsoll-overhead-ms',
  'x-plimsoll-policy',
  'x-plimsoll-profile',
  'x-plimsoll-reason',
  'x-plimsoll-rule',
  'x-plimsoll-selected',
  'x-plimsoll-session',
  'x-plimsoll-session-source',
  'x-plimsoll-served',
  'x-plimsoll-deployment',
  'x-plimsoll-task',
  'x-plimsoll-token-count',
  'x-plimsoll-ungated-reason',
  'x-plimsoll-verdict',
];

/**
 * Decides what web pages may do here. Without API keys a page in the operator's browser could use this server: by its address, which the
 * Origin header shows, or by a name of its own that resolves to this machine (DNS rebinding), which the Host header shows.
 *
 * - Host: on a loopback address without keys, and wherever `server.allowed_hosts` is set, other names get 421. Of pages, which have cookies,
 *   `pageGuard` checks it with keys, too.
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
  const hostMatters = checksHost(server, withKeys);
  if (withKeys && !hostMatters && origins.size === 0) return undefined;
  const allowCors = origins.size > 0 ? corsFor(origins) : undefined;
  const isKnownHost = hostCheck(server);
  const isKnownOrigin = (origin: string, host: string | undefined) =>
    origins.has(ANY_ORIGIN) || origins.has(origin) || isSameOrigin(origin, host);

  function refusalFor({ headers: { host, origin } }: IncomingMessage): ErrorResponse | undefined {
    if (hostMatters && !isKnownHost(host ?? '')) return UNKNOWN_HOST; // HTTP/1.0 may have none
    if (!withKeys && origin !== undefined && !isKnownOrigin(origin, host)) return UNKNOWN_ORIGIN;
    return undefined;
  }

  return (request, response, next) => {
    const refusal = refusalFor(request);
    if (refusal !== undefined) return refuse(request, response, send, refusal);
    if (allowCors === undefined) return next();
    if (request.method === 'OPTIONS' && !isPreflight(request)) return next(); // cors would respond to any OPTIONS
    allowCors(request, response, next);
  };
}

/**
 * For the pages, with keys too: browsers send their cookie by themselves, so on a loopback address a name that somebody else has resolve to
 * this machine must not reach them (DNS rebinding).
 * @returns undefined if any host may lead there: the address is no loopback one, and no hosts are named
 */
export function pageGuard({ server }: Config, send: Sender): Guard | undefined {
  if (!checksHost(server, false)) return undefined;
  const isKnownHost = hostCheck(server);
  return (request, response, next) => {
    if (isKnownHost(request.headers.host ?? '')) return next();
    refuse(request, response, send, UNKNOWN_HOST);
  };
}

/** Whether a Host header names this server. */
function hostCheck(server: Config['server']): (host: string) => boolean {
  const hosts = knownHosts(server);
  let lastKnown: string | undefined; // nearly all requests have the same Host header
  return (host) => {
    if (host === lastKnown) return true;
    if (!hosts.has(hostnameOf(host))) return false;
    lastKnown = host;
    return true;
  };
}

/** As `hostnameOf` writes them. */
function knownHosts({ host, allowedHosts }: Config['server']): ReadonlySet<string> {
  const own = isLoopback(host) ? [host.includes(':') && !host.startsWith('[') ? `[${host}]` : host] : [];
  return new Set([...THIS_MACHINE, ...own.map((name) => name.toLowerCase()), ...allowedHosts]);
}

function refuse(request: IncomingMessage, response: ServerResponse, send: Sender, refusal: ErrorResponse) {
  request.resume(); // lets the client finish sending and read the response
  send.error(request, response, refusal);
}

function corsFor(origins: ReadonlySet<string>) {
  return cors({
    origin: origins.has(ANY_ORIGIN) ? ANY_ORIGIN : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'DELETE'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
  });
}

function isPreflight({ headers }: IncomingMessage): boolean {
  return headers['access-control-request-method'] !== undefined;
}

const UNKNOWN_HOST = errorResponse({
  status: 421,
  code: 'unknown_host',
  message:
    'This server answers to localhost, 127.0.0.1 and [::1]. Add the name in the Host header to server.allowed_hosts if it is yours.',
});

const UNKNOWN_ORIGIN = errorResponse({
  status: 403,
  code: 'origin_not_allowed',
  message: 'Pages of this origin may not call this server. Add it to server.cors_origins if it is yours.',
});

function openToEveryPage(): PlimsollError {
  return new PlimsollError(
    'invalid-config',
    `server.cors_origins: "*" would let every web page call models with your keys. Name the origins, or create API keys (${COMMAND} keys create).`,
    { place: { field: 'server.cors_origins' } },
  );
}
