import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Batches, openBatches } from '../batches/index.ts';
import type { Config } from '../config/index.ts';
import { ReviewHolder } from '../dashboard/index.ts';
import { PlimsollError } from '../errors.ts';
import type { Gateway } from '../gateway/index.ts';
import {
  closeWithin,
  disconnectStalledClients,
  type Lifecycle,
  openConnections,
  respondToClientError,
  withoutFloods,
} from '../http/index.ts';
import { urlHost } from '../loopback-host.ts';
import type { Router } from '../router.ts';
import type { Served, ServeOptions } from '../serving.ts';
import type { Logger } from '../telemetry/index.ts';
import { batchCalls } from './batch-calls.ts';
import type { ServerContext } from './context.ts';
import { createApp, type PageParts } from './create-app.ts';
import { logStart } from './server-log.ts';

export type RunningServer = Pick<Served, 'url' | 'port' | 'close'>;

/** Starts to serve, and logs what it serves. @throws PlimsollError `io` if the port is not available. */
export async function startServer(
  parts: {
    readonly config: Config;
    readonly router: Router;
    readonly logger: Logger;
    /** Calls models; without it the server only decides. */
    readonly gateway?: Gateway;
    readonly review?: ServeOptions['review'] | undefined;
  } & Omit<PageParts, 'review'>,
): Promise<RunningServer> {
  const { config, router, logger, gateway, currentConfig = () => config, reloads, promotion, banner } = parts;
  const review = new ReviewHolder(parts.review, currentConfig);
  const lifecycle: Lifecycle = { draining: false };
  let batches: Batches | undefined;
  const app = withoutFloods(
    createApp(
      router,
      config,
      logger,
      lifecycle,
      gateway,
      { currentConfig, reloads, promotion, review, banner },
      (context) => {
        batches = gateway && batchesFor(context, gateway, logger);
        return batches;
      },
    ),
  );
  const server = createServer(serverOptions(config.server.requestTimeoutMs), app);
  server.on('clientError', respondToClientError);
  server.on('checkExpectation', app); // an unknown Expect header may be ignored (RFC 9110, section 10.1.1); node's 417 has no body
  const open = openConnections(server);
  disconnectStalledClients(server, open, config.server.clientStallMs);
  await listen(server, config.server).catch(async (error) => {
    await batches?.close(0);
    throw error;
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://${urlHost(config.server.host)}:${port}`;
  logStart(logger, router, config, url);
  let closed: Promise<boolean> | undefined;

  async function drain(): Promise<boolean> {
    lifecycle.draining = true;
    const [isComplete] = await Promise.all([
      closeWithin(server, open, config.server.drainTimeoutMs),
      batches?.close(config.server.drainTimeoutMs),
    ]);
    await review.close();
    await gateway?.close();
    await router.close();
    return isComplete;
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

/** Undefined if the configuration has none. */
function batchesFor(
  { router, config, budget }: ServerContext,
  gateway: Gateway,
  logger: Logger,
): Batches | undefined {
  const { batches: options } = config;
  const { state, access } = gateway;
  if (options === undefined || state === undefined) return undefined;
  return openBatches({
    options,
    state,
    callLine: batchCalls({ gateway, router, budget, profile: options.profile }),
    maxLineBytes: config.gateway.maxBodyBytes,
    json: { maxDepth: config.server.maxJsonDepth, maxValues: config.server.maxJsonValues },
    isValidKey: (keyId) => access === undefined || access.isValid(keyId),
    onTrouble: (batch, trouble) =>
      logger.error({ batch, ...trouble }, 'a batch is held up; it is tried again'),
  });
}

/** Waits for SIGTERM or SIGINT, then drains; a second signal ends the process at once. Resolves to the exit code. */
export function drainOnSignal(server: RunningServer, logger: Logger): Promise<number> {
  return new Promise((resolve, reject) => {
    let draining = false;
    const onSignal = (signal: NodeJS.Signals) => {
      if (draining) process.exit(1);
      draining = true;
      logger.info(`${signal}: finishing the requests at work; a second signal ends at once`);
      server.close().then((isComplete) => {
        if (!isComplete) logger.warn('drain_timeout_ms passed: requests at work were cut off');
        resolve(isComplete ? 0 : 1);
      }, reject);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

/** How long a connection without a request is kept. Node's default has changed between versions. */
const KEEP_ALIVE_MS = 5_000;

/** A request must have arrived within the time; the time for its work is limited elsewhere. */
function serverOptions(requestTimeoutMs: number) {
  return {
    requireHostHeader: false, // createApp responds to those without: node's 400 has no body
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: Math.min(1000, requestTimeoutMs),
  };
}

function listen(server: Server, { host, port }: Config['server']): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(cause, host, port)));
    server.listen(port, host, resolve);
  });
}

const SET_PORT = 'Set server.port in the configuration, PLIMSOLL_PORT, PORT or --port.';

function listenError(cause: NodeJS.ErrnoException, host: string, port: number): PlimsollError {
  const field = cause.code === 'EADDRINUSE' || cause.code === 'EACCES' ? 'server.port' : 'server.host';
  return new PlimsollError('io', listenMessage(cause.code, host, port), { place: { field }, cause });
}

function listenMessage(code: string | undefined, host: string, port: number): string {
  if (code === 'EADDRINUSE')
    return `Port ${port} is in use, by another program or by a Plimsoll that runs already. ${SET_PORT}`;
  if (code === 'EACCES') return `Port ${port} needs rights that this user does not have. ${SET_PORT}`;
  return `Cannot listen on ${host}, port ${port} (${code ?? 'unknown reason'}). Set server.host to an address of this machine.`;
}
