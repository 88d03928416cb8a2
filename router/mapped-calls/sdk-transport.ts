import {
  type AttemptTimeouts,
  type ConnectionPools,
  decodedBody,
  type Exchange,
  ExchangeError,
  errorInsteadOfStream,
  type Head,
  type HttpRequest,
  headFault,
  type OpenExchange,
  onPlatform,
  openExchange,
  type ProviderCall,
  ReportedError,
} from '../exchange/index.ts';
import { isObject, type JsonObject, objectsIn, parseJson } from '../json/index.ts';
import type { ReplyNotes } from '../sdk-terms/index.ts';
import { isLarge, nextTurn } from '../turns.ts';
import { repairedBody } from './reply-repair.ts';

/** One call's connection to its provider, for the SDK, and how it ended: the SDK wraps errors until they are indistinguishable. */
export interface SdkTransport {
  readonly fetch: typeof globalThis.fetch;
  /** Undefined until the provider has responded. */
  readonly head: () => Head | undefined;
  /** What ended the exchange early: ExchangeError, or the reason of the call's signal. */
  readonly error: () => unknown;
  /** What the SDK has no place for; complete once the reply has ended. */
  readonly notes: () => ReplyNotes;
  /** No more is wanted: the connection of a response that has not ended is destroyed. */
  readonly close: () => void;
}

/** The SDK holds a plain reply as a whole; a longer one is refused. */
const MAX_PLAIN_BYTES = 32 * 1024 * 1024;
/** The SDK keeps the text of a stream until its end. 128,000 tokens with an event each are some 30 MB. */
const MAX_STREAM_BYTES = 64 * 1024 * 1024;
const KEY_HEADERS = ['authorization', 'x-api-key', 'x-goog-api-key'];
const NULL_BODY_STATUSES = new Set([204, 205, 304]);

/**
 * A `fetch` for one call, on the connections and with the deadlines of native attempts: no redirection is followed, no compression asked
 * for. A 2xx is repaired before the SDK reads it. A provider that needs no key is sent none, whatever the SDK finds in the environment.
 */
export function sdkTransport(
  pools: ConnectionPools,
  call: ProviderCall,
  timeouts: AttemptTimeouts,
): SdkTransport {
  let exchange: Exchange | undefined;
  let head: Head | undefined;
  let firstError: unknown;
  const notes: ReplyNotes = {};
  const watch = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error) => {
      firstError ??= error;
      throw error;
    });
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const sent = String(init?.body ?? '');
    const request = httpRequest(String(input), { ...init, body: sent }, call);
    if (isLarge(sent)) await nextTurn(); // the SDK has just written all of it
    const opened = await watch(openExchange(pools, request, call, timeouts));
    ({ exchange, head } = opened);
    await watch(requireContentType(opened, call, timeouts));
    const bytes = limited(
      decodedBody(opened.exchange, opened.head, call.stream ? timeouts.idleMs : undefined),
      call,
    );
    const body = head.status > 299 ? bytes : repairedBody(bytes, call, notes);
    return fetchResponse(opened, () => watch(body.next()).catch(endAtReportedError));
  };
  return {
    fetch,
    head: () => head,
    error: () => firstError,
    notes: () => notes,
    close: () => exchange?.close(),
  };
}

/** An error that the provider reports in a stream is its end: a stream that throws would lose what the SDK has not read yet. */
function endAtReportedError(error: unknown): IteratorReturnResult<undefined> {
  if (error instanceof ReportedError) return { done: true, value: undefined };
  throw error;
}

function httpRequest(
  address: string,
  init: Pick<RequestInit, 'headers'> & Pick<HttpRequest, 'body'>,
  { model, stream }: ProviderCall,
): HttpRequest {
  const { provider } = model;
  const url = new URL(address);
  const headers = Object.fromEntries(new Headers(init.headers));
  if (provider.apiKeyEnv === undefined && provider.platform === undefined && provider.kind !== 'bedrock') {
    const own = new Set(Object.keys(provider.headers).map((name) => name.toLowerCase()));
    for (const name of KEY_HEADERS) if (!own.has(name)) delete headers[name];
  }
  const sdk = { path: url.pathname, query: url.search, headers, body: String(init.body) };
  const sent = onPlatform(sdk, { model, stream });
  return {
    origin: url.origin,
    path: `${sent.path}${sent.query}`,
    method: 'POST',
    headers: { ...sent.headers, 'accept-encoding': 'identity' },
    body: sent.body,
  };
}

function fetchResponse(
  { exchange, head }: OpenExchange,
  next: () => Promise<IteratorResult<Uint8Array>>,
): Response {
  const { status } = head;
  const headers = new Headers(
    Object.entries(head.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)] as [string, string]],
    ),
  );
  if (NULL_BODY_STATUSES.has(status)) return new Response(null, { status, headers });
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

/** @throws ReportedError for an error in a 2xx where a stream was asked for; ExchangeError `unreadable` for another type of content */
async function requireContentType(
  opened: OpenExchange,
  { stream, model }: ProviderCall,
  { idleMs }: AttemptTimeouts,
): Promise<void> {
  const { exchange, head } = opened;
  if (head.status > 299 || NULL_BODY_STATUSES.has(head.status)) return;
  const binary = stream && model.provider.kind === 'bedrock';
  const fault = binary ? eventStreamFault(head) : headFault(head, stream);
  if (fault === undefined) return;
  const error = stream ? await errorInsteadOfStream(opened, idleMs) : undefined;
  exchange.close();
  throw error === undefined ? new ExchangeError('unreadable', `It ${fault}.`) : new ReportedError(error);
}

/** Amazon streams in a binary form of its own. */
function eventStreamFault({ headers }: Head): string | undefined {
  if (String(headers['content-type']).startsWith('application/vnd.amazon.eventstream')) return undefined;
  return "answered with something else than Amazon's stream of events";
}

/** The SDK keeps only the text of a stream; most of its bytes are the events around the text. */
const HELD_OF_STREAM = 1 / 8;

/**
 * What the SDK holds is counted in the memory of all requests. If there is no room, the attempt fails: it cannot pass a reply on in pieces.
 * A plain reply stays counted until the request ends.
 */
async function* limited(
  bytes: AsyncIterable<Uint8Array>,
  { stream, memory }: ProviderCall,
): AsyncGenerator<Uint8Array> {
  const limit = stream ? MAX_STREAM_BYTES : MAX_PLAIN_BYTES;
  let size = 0;
  let counted = 0;
  let isWhole = false;
  try {
    for await (const chunk of bytes) {
      size += chunk.length;
      const more = stream ? chunk.length * HELD_OF_STREAM : chunk.length;
      if (memory?.add(more) === false) throw noMemory();
      counted += more;
      if (size > limit) throw new ExchangeError('unreadable', `The answer is longer than ${limit} bytes.`);
      yield chunk;
    }
    isWhole = true;
  } finally {
    if (stream || !isWhole) memory?.giveBack(counted);
  }
}

function noMemory(): ExchangeError {
  return new ExchangeError(
    'no-memory',
    'There is no memory for it at the moment; server.max_bytes_at_work says how much there is.',
  );
}

/**
 * One transport for a call that takes several exchanges with its provider, after one another or at once: each of them has what is left of
 * `totalMs`, and `head` and `error` are those of the first that failed, else of the latest.
 */
export function combinedTransport(
  open: (timeouts: AttemptTimeouts) => SdkTransport,
  timeouts: AttemptTimeouts,
): SdkTransport {
  const startedAt = performance.now();
  const transports: SdkTransport[] = [];
  const failed = () => transports.find((transport) => transport.error() !== undefined);
  return {
    fetch: (input, init) => {
      const totalMs = Math.max(1, timeouts.totalMs - (performance.now() - startedAt));
      const transport = open({ ...timeouts, totalMs });
      transports.push(transport);
      return transport.fetch(input, init);
    },
    head: () => (failed() ?? transports.at(-1))?.head(),
    error: () => failed()?.error(),
    notes: () => Object.assign({}, ...transports.map((transport) => transport.notes())),
    close: () => {
      for (const transport of transports) transport.close();
    },
  };
}

type Fetch = typeof globalThis.fetch;

/**
 * One request to Google whose response holds several candidates, as one `fetch` for each of them: the SDK reads only the first candidate of
 * a response. The first `fetch` sends the request, and each gets the response with its own candidate alone.
 * @param fetch its responses are repaired: a stream's chunks are whole events
 */
export function fetchPerReply(fetch: Fetch, replies: number): Fetch[] {
  if (replies === 1) return [fetch];
  let sent: Promise<Response> | undefined;
  let taken = 0;
  return Array.from(
    { length: replies },
    (_, index): Fetch =>
      async (input, init) => {
        sent ??= fetch(input, init);
        const response = await sent;
        taken++;
        // A copy that nobody reads would be kept as a whole: so the last one is no copy.
        const own = taken === replies ? response : response.clone();
        return own.ok && own.body ? new Response(own.body.pipeThrough(candidateOnly(index)), own) : own;
      },
  );
}

const DATA = 'data: ';

/** Leaves one candidate in the JSON of a response, or in each event of a stream. */
function candidateOnly(index: number): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    transform(chunk, controller) {
      const lines = Buffer.from(chunk).toString('utf8').split('\n');
      const own = lines.map((line) =>
        line.startsWith(DATA)
          ? `${DATA}${eventWithOne(line.slice(DATA.length), index)}`
          : plainWithOne(line, index),
      );
      controller.enqueue(Buffer.from(own.join('\n')));
    },
  });
}

/** An event may have nothing of this candidate. */
function eventWithOne(json: string, index: number): string {
  const reply = parseJson(json);
  return isObject(reply) ? JSON.stringify(withOne(reply, index)) : json;
}

function plainWithOne(json: string, index: number): string {
  const reply = parseJson(json);
  if (!isObject(reply)) return json;
  const own = withOne(reply, index);
  if (objectsIn(own, 'candidates').length > 0) return JSON.stringify(own);
  throw new ExchangeError('unreadable', 'It gave fewer replies than it was asked for.');
}

function withOne(reply: JsonObject, index: number): JsonObject {
  if (reply['candidates'] === undefined) return reply;
  return { ...reply, candidates: objectsIn(reply, 'candidates').filter((one) => one['index'] === index) };
}
