import type { Cancellation } from '../cancellation.ts';
import type { Dialect } from '../catalog/index.ts';
import type { MemoryShare } from '../memory-budget.ts';
import type { RequestFacts } from '../records/index.ts';

/** What a client asked of the gateway, read but not judged. */
export interface GatewayRequest {
  readonly dialect: Dialect;
  readonly operation: 'chat' | 'embeddings';
  /** The body as it came; fields that we do not know stay in it. */
  readonly body: Readonly<Record<string, unknown>>;
  /** The JSON text that `body` was read from. */
  readonly bodyText: string;
  /** Names in lower case; only those that a provider may see are passed on. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** What the request holds in memory. */
  readonly memory: MemoryShare;
  /** Aborted when the client leaves. */
  readonly signal: Cancellation;
  /** Who asked, where keys are used. */
  readonly keyId: string | undefined;
  readonly startedMs: number;
  /** The HTTP status that the client gets for what `answer` throws. */
  readonly statusOf: (error: unknown) => number;
}

/** What goes back. `body` is the dialect's JSON or SSE stream. */
export interface GatewayAnswer {
  readonly status: number;
  /** Made for this answer: who sends it adds its own. */
  readonly headers: Record<string, string>;
  readonly body: AsyncIterable<Uint8Array> | Uint8Array;
  readonly streamed: boolean;
  /** What follows the last byte of a stream; known when that has come. */
  readonly trailers?: () => Readonly<Record<string, string>>;
  /** Told once when the last byte is sent, or it broke off: closes the books of the request. */
  readonly finished: (how: RequestFacts['ended']) => void;
}
