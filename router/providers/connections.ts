import type { Socket } from 'node:net';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { Exchange, type HttpRequest, type OpenExchange } from './exchange.ts';
import type { AttemptTimeouts, ProviderCall } from './types.ts';

export interface ConnectionPools {
  /** Keeps connections open between requests. */
  readonly kept: Dispatcher;
  /** A new connection for each request. */
  readonly fresh: Dispatcher;
  /** Whether `error` ended a connection that was open before `time` (performance.now, ms): one that the server may have left long ago. */
  readonly endedOlderConnection: (error: unknown, time: number) => boolean;
}

/** New pools, unless a dispatcher is given: with it, no request is sent a second time. */
export function connectionPools(dispatcher?: Dispatcher): ConnectionPools {
  return dispatcher === undefined
    ? createPools()
    : { kept: dispatcher, fresh: dispatcher, endedOlderConnection: () => false };
}

/**
 * Sends a request and waits for the head of its response; once more, at once, on a new connection, if a kept one turned out to be gone
 * before anything was received. Throws ExchangeError, or the reason of the call's signal.
 */
export async function openExchange(
  pools: ConnectionPools,
  request: HttpRequest,
  { stream, signal }: ProviderCall,
  timeouts: AttemptTimeouts,
): Promise<OpenExchange> {
  const startedAt = performance.now();
  const exchange = new Exchange(timeouts, stream, signal);
  exchange.start(pools.kept, request);
  try {
    return { exchange, head: await exchange.head() };
  } catch (error) {
    const unanswered = exchange.unansweredError();
    if (unanswered === undefined || !pools.endedOlderConnection(unanswered.error, unanswered.since))
      throw error;
    signal.throwIfAborted();
  }
  const totalMs = timeouts.totalMs - (performance.now() - startedAt);
  const again = new Exchange({ ...timeouts, totalMs }, stream, signal);
  again.start(pools.fresh, request);
  return { exchange: again, head: await again.head() };
}

/** An attempt's own limit on connecting is shorter; this one ends what no attempt waits for any more. */
const CONNECT_MS = 30_000;
/** Without a hint of the server's. Shorter than servers keep theirs, 60 s and more, so that it is we who close. */
const IDLE_MS = 15_000;
const MAX_HEADER_BYTES = 64 * 1024;

/**
 * undici's agents. They follow no redirection, and their own timeouts are off: those of undici count in whole seconds, and the
 * attempt has its own. Idle connections do not keep the process alive, so there is nothing to close.
 */
function createPools(): ConnectionPools {
  const openedAt = new WeakMap<object, number>();
  const limits = { headersTimeout: 0, bodyTimeout: 0, maxHeaderSize: MAX_HEADER_BYTES };
  return {
    kept: new Agent({
      ...limits,
      keepAliveTimeout: IDLE_MS,
      connect: watchedConnector((error, time) => openedAt.set(error, time)),
    }),
    fresh: new Agent({ ...limits, pipelining: 0, connect: { timeout: CONNECT_MS } }),
    endedOlderConnection: (error, time) => {
      const opened = typeof error === 'object' && error !== null ? openedAt.get(error) : undefined;
      return opened !== undefined && opened < time;
    },
  };
}

/** A request cannot ask undici for its socket; but the error that ends a socket is the one that its request gets. */
function watchedConnector(onError: (error: Error, openedAt: number) => void): buildConnector.connector {
  const connect = buildConnector({ timeout: CONNECT_MS });
  return (options, callback) => {
    const watch = (socket: Socket) => {
      const openedAt = performance.now();
      socket.once('error', (error) => onError(error, openedAt));
    };
    connect(options, (...result) => {
      // With an error there is no second argument, whatever the types say.
      if (result[1]) watch(result[1]);
      callback(...result);
    });
  };
}
