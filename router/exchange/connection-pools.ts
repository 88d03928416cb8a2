import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import tls from 'node:tls';
import { Agent, buildConnector, type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { PlimsollError } from '../errors.ts';

export interface ConnectionPools {
  /** Keeps connections open between requests. */
  readonly kept: Dispatcher;
  /** A new connection for each request. */
  readonly fresh: Dispatcher;
  /** Whether `error` ended a connection that was open before `time` (performance.now, ms): one that the server may have left long ago. */
  readonly endedOlderConnection: (error: unknown, time: number) => boolean;
}

/** How providers are reached from this network. */
export interface Outbound {
  /** Certificates of authorities in PEM; undefined: those that Node trusts. */
  readonly ca?: readonly string[];
  /** Undefined if there is none. */
  readonly proxy?: { readonly http: string; readonly https: string; readonly except: string };
}

/** An attempt's own limit on connecting is shorter; this one ends what no attempt waits for any more. */
const CONNECT_MS = 30_000;
/** Without a hint of the server's. Shorter than servers keep theirs, 60 s and more, so that it is we who close. */
const IDLE_MS = 15_000;
const MAX_HEADER_BYTES = 64 * 1024;
/** What is on this machine is never behind a proxy. */
const OWN_MACHINE = 'localhost,127.0.0.1,[::1]';

/**
 * How providers are reached: through the proxies that the environment names (HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in either case), and
 * trusting the authorities of a file besides those that Node trusts.
 * @throws PlimsollError `invalid-config` if a proxy's address is no URL, or the file has no certificate; `io` if it cannot be read
 */
export function outboundFrom(caFile: string | undefined, env: NodeJS.ProcessEnv = process.env): Outbound {
  const http = proxyIn(env, 'HTTP_PROXY');
  const https = proxyIn(env, 'HTTPS_PROXY') ?? http;
  const except = env['no_proxy'] ?? env['NO_PROXY'] ?? '';
  return {
    ...(caFile !== undefined && { ca: [...trustedByNode(env), ...certificatesIn(caFile)] }),
    // An empty address is none: undici would look into the environment for one that is left out.
    ...(https !== undefined && {
      proxy: { http: http ?? '', https, except: except === '*' ? except : `${OWN_MACHINE},${except}` },
    }),
  };
}

function proxyIn(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const address = env[name.toLowerCase()] || env[name] || undefined;
  if (address === undefined) return undefined;
  if (URL.canParse(address) && /^https?:$/.test(new URL(address).protocol)) return address;
  throw new PlimsollError(
    'invalid-config',
    `${name} is no address of a proxy. Set it to one such as http://proxy.example:3128, or unset it.`,
  );
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function certificatesIn(file: string): readonly string[] {
  const place = { place: { field: 'upstream.ca_file', file } };
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new PlimsollError('io', `upstream.ca_file: ${file} cannot be read (${code}).`, place);
  }
  const found = text.match(CERTIFICATE) ?? [];
  if (found.length > 0 && found.every(isCertificate)) return found;
  throw new PlimsollError(
    'invalid-config',
    `upstream.ca_file: ${file} ${found.length === 0 ? 'has no certificate' : 'has a certificate that cannot be read'}. It must have certificates of authorities in PEM, each between BEGIN CERTIFICATE and END CERTIFICATE.`,
    place,
  );
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

/** Whoever gives a list of authorities to TLS replaces those that it trusts of itself, NODE_EXTRA_CA_CERTS included. */
function trustedByNode({ NODE_EXTRA_CA_CERTS: extra }: NodeJS.ProcessEnv): readonly string[] {
  // Since Node 22.15, and not in the types of Node 20.
  const { getCACertificates } = tls as { getCACertificates?: (type: 'default') => string[] };
  if (getCACertificates !== undefined) return getCACertificates('default');
  return [...tls.rootCertificates, ...(extra ? certificatesIn(extra) : [])];
}

/**
 * New pools, unless a dispatcher is given: with it, no request is sent a second time. They follow no redirection, and undici's own timeouts are
 * off: those count in whole seconds, and the attempt has its own. Idle connections do not keep the process alive, so there is nothing to
 * close.
 */
export function connectionPools(dispatcher?: Dispatcher, { ca, proxy }: Outbound = {}): ConnectionPools {
  if (dispatcher !== undefined) {
    return { kept: dispatcher, fresh: dispatcher, endedOlderConnection: () => false };
  }
  const openedAt = new WeakMap<object, number>();
  const limits = { headersTimeout: 0, bodyTimeout: 0, maxHeaderSize: MAX_HEADER_BYTES };
  const trust = ca === undefined ? {} : { ca: [...ca] };
  const connect = { timeout: CONNECT_MS, ...trust };
  const kept = {
    ...limits,
    keepAliveTimeout: IDLE_MS,
    connect: watchedConnector(connect, (error, time) => openedAt.set(error, time)),
  };
  const fresh = { ...limits, pipelining: 0, connect };
  const through = proxy && {
    httpProxy: proxy.http,
    httpsProxy: proxy.https,
    noProxy: proxy.except,
    ...(ca !== undefined && { requestTls: trust, proxyTls: trust }),
  };
  return {
    kept: through ? new EnvHttpProxyAgent({ ...kept, ...through }) : new Agent(kept),
    fresh: through ? new EnvHttpProxyAgent({ ...fresh, ...through }) : new Agent(fresh),
    endedOlderConnection: (error, time) => {
      const opened = typeof error === 'object' && error !== null ? openedAt.get(error) : undefined;
      return opened !== undefined && opened < time;
    },
  };
}

/** A request cannot ask undici for its socket; but the error that ends a socket is the one that its request gets. */
function watchedConnector(
  options: buildConnector.BuildOptions,
  onError: (error: Error, openedAt: number) => void,
): buildConnector.connector {
  const connect = buildConnector(options);
  return (request, callback) => {
    const watch = (socket: Socket) => {
      const openedAt = performance.now();
      socket.once('error', (error) => onError(error, openedAt));
    };
    connect(request, (...result) => {
      // With an error there is no second argument, whatever the types say.
      if (result[1]) watch(result[1]);
      callback(...result);
    });
  };
}
