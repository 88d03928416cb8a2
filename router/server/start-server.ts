import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from '../config/index.ts';
import { PlimsollError } from '../errors.ts';
import type { Gateway } from '../gateway/index.ts';
import type { Router } from '../router.ts';
import type { Logger } from '../telemetry/index.ts';
import { announce } from './announce.ts';
import type { Lifecycle } from './answer.ts';
import { answerClientError } from './client-error.ts';
import { closerOf } from './close-within.ts';
import { openConnections } from './connections.ts';
import { createApp } from './create-app.ts';
import { disconnectStalledClients } from './stalled-clients.ts';

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /**
   * Says "not ready", stops accepting, waits for requests at work (at most drain_timeout_ms), closes the router.
   * Resolves to whether every request was answered. Safe to call twice.
   */
  close(): Promise<boolean>;
}

/** Starts to serve, and says in the log what serves. @throws PlimsollError `io` where the port cannot be had. */
export async function startServer(parts: {
  readonly config: Config;
  readonly router: Router;
  readonly logger: Logger;
  /** Where models are called; without it the server only decides. */
  readonly gateway?: Gateway;
}): Promise<RunningServer> {
  const { config, router, logger, gateway } = parts;
  const lifecycle: Lifecycle = { draining: false };
  const app = createApp(router, config, logger, lifecycle, gateway);
  const server = createServer(timeouts(config.server.requestTimeoutMs), app);
  server.on('clientError', answerClientError);
  const open = openConnections(server);
  const closeWithin = closerOf(server, open);
  disconnectStalledClients(server, open, config.server.clientStallMs);
  await listening(server, config.server);
  const { port } = server.address() as AddressInfo;
  const url = `http://${urlHost(config.server.host)}:${port}`;
  announce(logger, router, config, url);
  let closed: Promise<boolean> | undefined;

  async function drain(): Promise<boolean> {
    lifecycle.draining = true;
    const whole = await closeWithin(config.server.drainTimeoutMs);
    await gateway?.close();
    await router.close();
    return whole;
  }

  return {
    url,
    port,
    close() {
      closed ??= drain();
      return closed;
    },
  };
}

/** Of a kept connection without a request. Node's default has changed between versions. */
const KEEP_ALIVE_MS = 5_000;

/** A request must have arrived within the time; how long its work may take is admission's affair. */
function timeouts(requestTimeoutMs: number) {
  return {
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: Math.min(1000, requestTimeoutMs),
  };
}

function listening(server: Server, { host, port }: Config['server']): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(cause, host, port)));
    server.listen(port, host, resolve);
  });
}

const SET_PORT = 'Set server.port in plimsoll.config.yaml, PLIMSOLL_PORT, PORT or --port.';

function listenError(cause: NodeJS.ErrnoException, host: string, port: number): PlimsollError {
  const field = cause.code === 'EADDRINUSE' || cause.code === 'EACCES' ? 'server.port' : 'server.host';
  return new PlimsollError('io', listenMessage(cause.code, host, port), { place: { field }, cause });
}

function listenMessage(code: string | undefined, host: string, port: number): string {
  if (code === 'EADDRINUSE') return `Port ${port} is in use by another program. ${SET_PORT}`;
  if (code === 'EACCES') return `Port ${port} needs rights that this user does not have. ${SET_PORT}`;
  return `Cannot listen on ${host}, port ${port} (${code ?? 'unknown reason'}). Set server.host to an address of this machine.`;
}

function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
