import type { Agents } from './agents.ts';
import { Exchange, type Opened } from './exchange.ts';
import type { AttemptTimeouts, UpstreamCall } from './types.ts';
import type { UpstreamRequest } from './upstream-request.ts';

/**
 * Sends a request and waits for the head of its answer; once more, at once, on a new connection, where a kept one turned out to
 * be gone before anything was received. Throws UpstreamBroken, or the reason of the call's signal.
 */
export async function opened(
  agents: Agents,
  request: UpstreamRequest,
  { stream, signal }: UpstreamCall,
  timeouts: AttemptTimeouts,
): Promise<Opened> {
  const startedAt = performance.now();
  const exchange = new Exchange(timeouts, stream, signal);
  exchange.start(agents.kept, request);
  try {
    return { exchange, head: await exchange.head() };
  } catch (error) {
    const gone = exchange.brokenUnanswered();
    if (gone === undefined || !agents.brokeOneOpenedBefore(gone.error, gone.since)) throw error;
    signal.throwIfAborted();
  }
  const totalMs = timeouts.totalMs - (performance.now() - startedAt);
  const again = new Exchange({ ...timeouts, totalMs }, stream, signal);
  again.start(agents.fresh, request);
  return { exchange: again, head: await again.head() };
}
