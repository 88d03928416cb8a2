import type { Dispatcher } from 'undici';
import type { CatalogModel, Dialect, Provider, ProviderKey } from '../catalog/index.ts';
import { isKnownEncoding } from '../content-encoding.ts';
import { PlimsollError } from '../errors.ts';
import { editFields, parseJson } from '../json/index.ts';
import { nativeBody, type PassedRequest } from '../passthrough/index.ts';
import { isWithinLimits, withNamedEffort } from '../targets/index.ts';
import { type ConnectionPools, connectionPools, type Outbound } from './connection-pools.ts';
import { createCredentials } from './credentials.ts';
import { errorInsteadOfStream, nativeRefusal, reportedFailure } from './error-body.ts';
import { type Head, type HttpRequest, type OpenExchange, openExchange } from './exchange.ts';
import { askingForLogprobs, withLogprobs } from './logprobs.ts';
import { refusesNamedEffort, withNamedEfforts } from './named-efforts.ts';
import { plainReply, streamedReply } from './native-reply.ts';
import { passedHeaders, passedReply } from './passed-reply.ts';
import { claudeBody, claudePath, isClaudeOnVertex, keyHeader } from './platform-request.ts';
import {
  classifyRefusal,
  ExchangeError,
  exchangeFailure,
  failedAttempt,
  isAboutNamedFile,
  isProvoked,
  missingKeyFailure,
  retryAfterMs,
} from './provider-error.ts';
import { clientHeaders, contentEncoding, decodedBody, firstBytes, headFault } from './response.ts';
import { askingForStreamUsage, withStreamUsage } from './stream-usage.ts';
import type {
  AttemptOutcome,
  AttemptTimeouts,
  FailedAttempt,
  Failure,
  PrepareAttempt,
  ProviderCall,
  ReadyAttempt,
  UnroutedCall,
} from './types.ts';

/** Providers that speak the client's dialect get the bytes; the others go through the AI SDK, which is loaded with the first such request. */
export function prepareByDialect(outbound?: Outbound): PrepareAttempt {
  const native = askingForStreamUsage(createNativeAttempt({ outbound }));
  let mapped: Promise<PrepareAttempt> | undefined;
  return withNamedEfforts(
    askingForLogprobs((call) => {
      if (call.passed || speaks(call.model, call)) return native(call);
      mapped ??= import('./mapped/attempt.ts').then((loaded) => loaded.createMappedAttempt({ outbound }));
      return mapped.then((prepare) => prepare(call));
    }),
  );
}

/**
 * Whether a model's API can carry a call. One that speaks the client's dialect carries everything within its limits; for others the call is
 * mapped here, and the attempt sends that mapping. An error other than a refusal is left to the attempt.
 */
export function canCarry(call: UnroutedCall, model: CatalogModel): boolean | Promise<boolean> {
  if (model.effort !== undefined && refusesNamedEffort({ ...call, model })) return false;
  return call.operation !== 'chat' || speaks(model, call) ? takesNative(call, model) : canMap(call, model);
}

/** Whether a call is within the known limits of a model's API, if the API gets it as it came; true if it is mapped. */
export function takesNative(call: UnroutedCall, model: CatalogModel): boolean {
  const { dialect, body } = call;
  return call.operation !== 'chat' || !speaks(model, call) || isWithinLimits({ model, dialect, body });
}

function speaks({ provider }: CatalogModel, { dialect }: Pick<UnroutedCall, 'dialect'>): boolean {
  return provider.dialects.includes(dialect);
}

async function canMap(call: UnroutedCall, model: CatalogModel): Promise<boolean> {
  const { sharedMapping } = await import('./mapped/map-request.ts');
  return sharedMapping(withNamedEffort({ ...call, model }), process.env).then(
    () => true,
    (error: unknown) => !(error instanceof PlimsollError),
  );
}

interface NativeAttemptOptions {
  /** Replaces the connection pools; with it, no request is sent a second time, and its own timeouts apply too. */
  readonly dispatcher?: Dispatcher;
  /** How providers are reached. Default: directly, and trusting whom Node trusts. */
  readonly outbound?: Outbound | undefined;
  /** Holds the providers' keys. Default: the environment of the process. */
  readonly env?: NodeJS.ProcessEnv;
  /** A plain reply up to this many bytes is held until its JSON is checked; a longer one passes unchecked. Default 32 MB. */
  readonly maxReplyBytes?: number;
}

const MAX_REPLY_BYTES = 32 * 1024 * 1024;

/**
 * Attempts on providers that speak the client's dialect: the body goes out with only `model` replaced, and the reply comes back byte for byte,
 * but for what `nativeRequest` and `plainReply` name.
 * Connections are kept open. No redirection is followed. A request is sent a second time only if a kept connection turned out to be gone
 * before anything was received: once, at once, on a new one, within the same time limits. `connectMs` counts up to 30 s.
 * @returns see PrepareAttempt. Throws PlimsollError `internal` for a provider that does not speak the dialect.
 */
export function createNativeAttempt(options: NativeAttemptOptions = {}): PrepareAttempt {
  const { dispatcher, outbound, env = process.env, maxReplyBytes = MAX_REPLY_BYTES } = options;
  const pools = connectionPools(dispatcher, outbound);
  const credentialOf = createCredentials(env);
  return (call) => {
    requireDialect(call);
    const credential = credentialOf(call.model.provider);
    return credential instanceof Promise
      ? credential.then((fetched) => nativeAttempt(call, fetched, { pools, maxReplyBytes }))
      : nativeAttempt(call, credential, { pools, maxReplyBytes });
  };
}

interface NativeParts {
  readonly pools: ConnectionPools;
  readonly maxReplyBytes: number;
}

function nativeAttempt(
  call: ProviderCall,
  { key, missing }: ProviderKey,
  { pools, maxReplyBytes }: NativeParts,
): ReadyAttempt | FailedAttempt {
  if (missing !== undefined) return missingKeyFailure(call.model, missing);
  let request: NativeRequest | undefined; // built when it is first sent: an open breaker may let nothing through
  return {
    kind: 'ready',
    async send(timeouts) {
      call.signal.throwIfAborted();
      request ??= nativeRequest(call, key);
      let head: Head | undefined;
      try {
        const opened = await openExchange(pools, request, call, timeouts);
        head = opened.head;
        const outcome = await readOutcome(call, opened, timeouts, key, maxReplyBytes);
        const { dropped } = request;
        return outcome.kind === 'reply' && dropped.length > 0 ? { ...outcome, dropped } : outcome;
      } catch (error) {
        if (call.signal.aborted || !(error instanceof ExchangeError)) throw error;
        return exchangeFailure(call.model, error, head?.status);
      }
    },
  };
}

function requireDialect({ model, dialect, passed }: ProviderCall): void {
  if (passed || speaks(model, { dialect })) return;
  throw new PlimsollError(
    'internal',
    `${model.name} does not speak the ${dialect} dialect; such a call goes through the mapped attempt.`,
  );
}

function readOutcome(
  call: ProviderCall,
  opened: OpenExchange,
  { idleMs }: AttemptTimeouts,
  key: string | undefined,
  maxReplyBytes: number,
): Promise<AttemptOutcome> | AttemptOutcome {
  const { exchange, head } = opened;
  if (head.status < 200 || head.status > 299) return errorOutcome(call, opened, idleMs, key);
  if (call.passed) return passedReply(call, opened, idleMs, key, maxReplyBytes);
  const fault = headFault(head, call.stream);
  if (fault !== undefined) return noReply(call, opened, fault, idleMs, key);
  return call.stream
    ? streamedReply(call, head, decodedBody(exchange, head, idleMs), key)
    : plainReply(call, opened, idleMs, key, maxReplyBytes);
}

/** The outcome of a 2xx that cannot be the reply, but may report an error. */
async function noReply(
  call: ProviderCall,
  opened: OpenExchange,
  fault: string,
  idleMs: number,
  key: string | undefined,
): Promise<AttemptOutcome> {
  const { exchange, head } = opened;
  const error = call.stream ? await errorInsteadOfStream(opened, idleMs) : undefined;
  exchange.close();
  return error === undefined
    ? failedAttempt(call.model, 'bad-answer', head.status, fault)
    : reportedFailure(call, head, error, key);
}

/** The outcome of a response that is no 2xx. Its silences may last `idleMs`; what came until then counts. */
async function errorOutcome(
  call: ProviderCall,
  opened: OpenExchange,
  idleMs: number,
  key: string | undefined,
): Promise<AttemptOutcome> {
  const { status, headers: incoming } = opened.head;
  const body = await errorBody(opened, idleMs, key);
  const headers = clientHeaders(incoming, true, key);
  const text = body.toString('utf8');
  const classified = classifyRefusal(status, headers['content-type'], text);
  const failure = isClientsToKnow(call, status, classified, text) ? 'bad-request' : classified;
  return {
    ...failedAttempt(call.model, failure, status, `answered ${status} (${failure})`),
    retryAfterMs: retryAfterMs(headers),
    ...(isProvoked(call, status, text) && { provoked: true }),
    ...(failure === 'bad-request' && { body: nativeRefusal(call, status, body) }),
  };
}

/** What a passed-through route does not find, a file or the route itself, and one thing that the provider does not let the key read. */
function isClientsToKnow(call: ProviderCall, status: number, failure: Failure, text: string): boolean {
  const { passed } = call;
  if (passed === undefined) return false;
  if (failure === 'model-missing') return true;
  return status === 403 && failure === 'auth' && (passed.byId === true || isAboutNamedFile(call, text));
}

/** Without the key: some providers repeat what they refuse. */
async function errorBody(
  { exchange, head }: OpenExchange,
  idleMs: number,
  key: string | undefined,
): Promise<Buffer> {
  const encoding = contentEncoding(head);
  if (encoding !== undefined && !isKnownEncoding(encoding)) {
    exchange.close();
    return Buffer.alloc(0);
  }
  const body = await firstBytes(decodedBody(exchange, head, idleMs));
  return key === undefined ? body : withoutKey(body, key);
}

/** JSON may have characters of the key as escapes: some servers write `+` and `/` so. */
function withoutKey(body: Buffer, key: string): Buffer {
  const text = body.toString('utf8');
  const plain = text.includes('\\') ? (JSON.stringify(parseJson(text)) ?? text) : text;
  if (plain.includes(key)) return Buffer.from(plain.replaceAll(key, '[key]'));
  return text.includes(key) ? Buffer.from(text.replaceAll(key, '[key]')) : body;
}

interface NativeRequest extends HttpRequest {
  /** Paths of the client's fields that it leaves out although they said something. */
  readonly dropped: readonly string[];
}

/**
 * The request to a provider that speaks the client's dialect: the client's text with the provider's name of the model in it, and nothing
 * else changed but OpenAI's old name of a limit (`limitRename`), what the provider would refuse in replies that are sent back
 * (`nativeBody`), if the reply will be judged, `logprobs`, and of a stream that would not say its tokens `stream_options`. Compression is declined: it would hold back events.
 */
function nativeRequest(call: ProviderCall, key: string | undefined): NativeRequest {
  const { model, body, bodyText = JSON.stringify(body), operation, unmappable = 'drop-hints' } = call;
  if (call.passed) return passedOn(call, call.passed, key);
  const endpoint = endpointOf(model.provider, call.dialect);
  const { text, dropped } =
    operation === 'chat' ? nativeBody(call, bodyText, unmappable) : { text: bodyText, dropped: [] };
  const isOnVertex = isClaudeOnVertex(model.provider);
  const usualPath = operation === 'embeddings' ? endpoint.embeddingsPath : endpoint.chatPath;
  const named = () => editFields(text, body, { set: ['model', model.id], rename: limitRename(call) });
  // Written out: undici reads some twenty fields of it, which takes several times as long from an object that was made by spreading.
  return {
    origin: endpoint.origin,
    path: isOnVertex ? endpoint.base + claudePath(call) : usualPath,
    method: 'POST',
    headers: headersFor(call, endpoint, key),
    body: isOnVertex ? claudeBody(text) : withStreamUsage(withLogprobs(named(), call), call),
    dropped,
  };
}

/** A request to one of the provider's own routes, which need not be of the client's dialect. */
function passedOn(
  { model: { provider }, headers: client }: ProviderCall,
  passed: PassedRequest,
  key: string | undefined,
): NativeRequest {
  const dialect = provider.kind === 'anthropic' ? 'anthropic' : 'openai';
  const endpoint = endpointOf(provider, dialect);
  const own = headers(endpoint, { client, dialect, stream: false, key });
  return {
    origin: endpoint.origin,
    path: endpoint.base + passed.path,
    method: passed.method,
    headers: passedHeaders(own, passed, provider),
    body: passed.body,
    dropped: passed.dropped ?? [],
  };
}

/**
 * OpenAI's newer models refuse `max_tokens`, its older ones take `max_completion_tokens` as well. A client cannot know which of them
 * `auto` will be, and many send the old name alone.
 */
function limitRename({ model, dialect, body }: ProviderCall): readonly [string, string] | undefined {
  if (model.provider.kind !== 'openai' || dialect !== 'openai') return undefined;
  if (body['max_tokens'] == null || body['max_completion_tokens'] != null) return undefined;
  return ['max_tokens', 'max_completion_tokens'];
}

/** The version of Anthropic's API that is asked for if the client names none. */
const ANTHROPIC_VERSION = '2023-06-01';

/**
 * The client's headers that every provider of a dialect gets. None of them names an account: an organization or a project that does not
 * belong to the operator's key is answered with 401, as if the key were wrong.
 */
const FORWARDED_HEADERS: Readonly<Record<Dialect, readonly string[]>> = {
  openai: ['openai-beta', 'idempotency-key'],
  anthropic: ['anthropic-version', 'anthropic-beta', 'idempotency-key'],
  responses: ['openai-beta', 'idempotency-key'],
};

/** Names of the client's headers that may change what a provider replies. */
export function meaningfulHeaders({ passHeaders }: Provider, dialect: Dialect): readonly string[] {
  return [...FORWARDED_HEADERS[dialect].filter((name) => name !== 'idempotency-key'), ...passHeaders];
}

const CHAT_PATHS: Readonly<Record<Dialect, string>> = {
  openai: '/chat/completions',
  anthropic: '/messages',
  responses: '/responses',
};

type Headers = Readonly<Record<string, string>>;

/** What all requests to a provider have in common. */
interface Endpoint {
  readonly provider: Provider;
  readonly origin: string;
  /** The path of the provider's address. */
  readonly base: string;
  readonly chatPath: string;
  readonly embeddingsPath: string;
  /** From the configuration; names in lower case. */
  readonly headers: Headers;
  /** Names of the client's headers that are forwarded. */
  readonly forwarded: readonly string[];
  /** For clients that send none of the forwarded headers, as most do. */
  usual?: { readonly key: string | undefined; readonly plain: Headers; readonly stream: Headers };
}

/** A provider is one object until the configuration changes. */
const ENDPOINTS: Readonly<Record<Dialect, WeakMap<Provider, Endpoint>>> = {
  openai: new WeakMap(),
  anthropic: new WeakMap(),
  responses: new WeakMap(),
};

function endpointOf(provider: Provider, dialect: Dialect): Endpoint {
  const known = ENDPOINTS[dialect].get(provider);
  if (known !== undefined) return known;
  const { origin, pathname } = new URL(`${provider.baseUrl}/`); // which has no query: see catalog/address.ts
  const base = pathname.slice(0, -1);
  const endpoint = {
    provider,
    origin,
    base,
    chatPath: `${base}${CHAT_PATHS[dialect]}`,
    embeddingsPath: `${base}/embeddings`,
    headers: lowerCase(provider.headers),
    forwarded: [...FORWARDED_HEADERS[dialect], ...provider.passHeaders],
  };
  ENDPOINTS[dialect].set(provider, endpoint);
  return endpoint;
}

function headersFor(call: ProviderCall, endpoint: Endpoint, key: string | undefined): Headers {
  const { headers: client, dialect, stream } = call;
  for (const name of endpoint.forwarded) {
    if (typeof client[name] === 'string') return headers(endpoint, { client, dialect, stream, key });
  }
  if (endpoint.usual === undefined || endpoint.usual.key !== key) {
    const none = { client: {}, dialect, key };
    endpoint.usual = {
      key,
      plain: headers(endpoint, { ...none, stream: false }),
      stream: headers(endpoint, { ...none, stream: true }),
    };
  }
  return stream ? endpoint.usual.stream : endpoint.usual.plain;
}

interface HeaderParts extends Pick<ProviderCall, 'dialect' | 'stream'> {
  readonly client: ProviderCall['headers'];
  readonly key: string | undefined;
}

/** The client's that are forwarded, then the configuration's, then ours: later ones win. */
function headers(endpoint: Endpoint, { client, dialect, stream, key }: HeaderParts): Headers {
  const all: Record<string, string> = {};
  for (const name of endpoint.forwarded) {
    const value = client[name];
    if (typeof value === 'string') all[name] = value;
  }
  if (dialect === 'anthropic') all['anthropic-version'] ??= ANTHROPIC_VERSION;
  Object.assign(all, endpoint.headers);
  all['content-type'] = 'application/json';
  all['accept'] = stream ? 'text/event-stream' : 'application/json';
  all['accept-encoding'] = 'identity';
  if (isClaudeOnVertex(endpoint.provider)) delete all['anthropic-version']; // in the body
  if (key === undefined) return all;
  const [name, value] = keyHeader(endpoint.provider, dialect, key);
  all[name] = value;
  return all;
}

function lowerCase(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
