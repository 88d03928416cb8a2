import type { ReplyNotes } from '../dialects/index.ts';
import { isLarge, nextTurn } from '../turns.ts';
import { type ConnectionPools, openExchange } from './connections.ts';
import type { Exchange, Head, HttpRequest, OpenExchange } from './exchange.ts';
import { ExchangeError } from './exchange-error.ts';

import { repairedBody } from './reply-repair.ts';
import { ReportedError } from './reported-error.ts';
import { decodedBody, headFault } from './response.ts';
import type { AttemptTimeouts, ProviderCall } from './types.ts';

/** One call's way to its provider, for the SDK, and what came of it: the SDK wraps errors until they cannot be told apart. */
export interface SdkTransport {
  readonly fetch: typeof globalThis.fetch;
  /** Undefined until the provider has answered. */
  readonly head: () => Head | undefined;
  /** What ended the exchange early: UpstreamBroken, or the reason of the call's signal. */
  readonly broken: () => unknown;
  /** What the SDK has no place for; whole when the reply has ended. */
  readonly notes: () => ReplyNotes;
  /** No more is wanted: the connection of an answer that has not ended is destroyed. */
  readonly close: () => void;
}

/** A plain answer is held whole by the SDK; a longer one is refused. */
const MAX_PLAIN_BYTES = 32 * 1024 * 1024;
/** Of a streamed answer nothing is kept, but no stream is endless. */
const MAX_STREAM_BYTES = 256 * 1024 * 1024;
const KEY_HEADERS = ['authorization', 'x-api-key', 'x-goog-api-key'];
const NULL_BODY_STATUSES = new Set([204, 205, 304]);

/**
 * A `fetch` for one call, on the connections and with the deadlines of native attempts: no redirection is followed, no
 * compression asked for. A 2xx is repaired before the SDK reads it. A provider that needs no key is sent none, whatever the SDK finds in the environment.
 */
export function sdkTransport(
  pools: ConnectionPools,
  call: ProviderCall,
  timeouts: AttemptTimeouts,
): SdkTransport {
  let exchange: Exchange | undefined;
  let head: Head | undefined;
  let broken: unknown;
  const notes: ReplyNotes = {};
  const noted = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error) => {
      broken ??= error;
      throw error;
    });
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = requestOf(String(input), init, call);
    if (isLarge(request.body)) await nextTurn(); // the SDK has just written all of it
    const answer = await noted(openExchange(pools, request, call, timeouts));
    ({ exchange, head } = answer);
    const bytes = limited(
      decodedBody(answer.exchange, answer.head, call.stream ? timeouts.idleMs : undefined),
      call,
    );
    const body = head.status > 299 ? bytes : repairedBody(bytes, call, notes);
    return responseOf(answer, () => noted(body.next()).catch(endedByError), call);
  };
  return {
    fetch,
    head: () => head,
    broken: () => broken,
    notes: () => notes,
    close: () => exchange?.close(),
  };
}

/** An error that the provider reports in a stream is its end: a stream that throws would lose what the SDK has not read yet. */
function endedByError(error: unknown): IteratorReturnResult<undefined> {
  if (error instanceof ReportedError) return { done: true, value: undefined };
  throw error;
}

function requestOf(address: string, init: RequestInit | undefined, { model }: ProviderCall): HttpRequest {
  const { provider } = model;
  const url = new URL(address);
  const headers = Object.fromEntries(new Headers(init?.headers));
  if (provider.apiKeyEnv === undefined && provider.kind !== 'bedrock') {
    const own = new Set(Object.keys(provider.headers).map((name) => name.toLowerCase()));
    for (const name of KEY_HEADERS) if (!own.has(name)) delete headers[name];
  }
  return {
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: 'POST',
    headers: { ...headers, 'accept-encoding': 'identity' },
    body: String(init?.body ?? ''),
  };
}

function responseOf(
  { exchange, head }: OpenExchange,
  next: () => Promise<IteratorResult<Uint8Array>>,
  call: ProviderCall,
): Response {
  const { status } = head;
  const headers = new Headers(
    Object.entries(head.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)] as [string, string]],
    ),
  );
  if (NULL_BODY_STATUSES.has(status)) return new Response(null, { status, headers });
  refuseWrongType(head, exchange, call);
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const chunk = await next();
      if (chunk.done) controller.close();
      else controller.enqueue(chunk.value);
    },
    cancel: () => exchange.close(),
  });
  return new Response(body, { status, headers });
}

function refuseWrongType(head: Head, exchange: Exchange, { stream, model }: ProviderCall): void {
  if (head.status > 299) return;
  const binary = stream && model.provider.kind === 'bedrock';
  const wrong = binary ? wrongEvents(head) : headFault(head, stream);
  if (wrong === undefined) return;
  exchange.close();
  throw new ExchangeError('unreadable', `It ${wrong}.`);
}

/** Amazon streams in a binary form of its own. */
function wrongEvents({ headers }: Head): string | undefined {
  if (String(headers['content-type']).startsWith('application/vnd.amazon.eventstream')) return undefined;
  return "answered with something else than Amazon's stream of events";
}

/** A plain answer is counted, but not refused, for the SDK has no way to pass it on in pieces. */
async function* limited(
  bytes: AsyncIterable<Uint8Array>,
  { stream, memory }: ProviderCall,
): AsyncGenerator<Uint8Array> {
  const limit = stream ? MAX_STREAM_BYTES : MAX_PLAIN_BYTES;
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (!stream) memory?.count(chunk.length);
    if (size > limit) throw new ExchangeError('unreadable', `The answer is longer than ${limit} bytes.`);
    yield chunk;
  }
}

/**
 * One line for a call that takes several exchanges with its provider, after one another or at once: each of them is opened with
 * what is left of `totalMs`, and `head` and `broken` tell of the one that broke first, else of the latest.
 */
export function combinedTransport(
  open: (timeouts: AttemptTimeouts) => SdkTransport,
  timeouts: AttemptTimeouts,
): SdkTransport {
  const startedAt = performance.now();
  const lines: SdkTransport[] = [];
  const broken = () => lines.find((line) => line.broken() !== undefined);
  return {
    fetch: (input, init) => {
      const totalMs = Math.max(1, timeouts.totalMs - (performance.now() - startedAt));
      const line = open({ ...timeouts, totalMs });
      lines.push(line);
      return line.fetch(input, init);
    },
    head: () => (broken() ?? lines.at(-1))?.head(),
    broken: () => broken()?.broken(),
    notes: () => Object.assign({}, ...lines.map((line) => line.notes())),
    close: () => {
      for (const line of lines) line.close();
    },
  };
}
