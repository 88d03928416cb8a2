import type { Dialect, Provider } from '../catalog/index.ts';
import {
  claudeBody,
  claudePath,
  type HttpRequest,
  isClaudeOnVertex,
  keyHeader,
  type ProviderCall,
  withLogprobs,
} from '../exchange/index.ts';
import { editFields } from '../json/index.ts';
import { passedHeaders, withStreamUsage } from '../native-replies/index.ts';
import { nativeBody, type PassedRequest } from '../passthrough/index.ts';

export interface NativeRequest extends HttpRequest {
  /** Paths of the client's fields that it leaves out although they said something. */
  readonly dropped: readonly string[];
}

/**
 * The request to a provider that speaks the client's dialect: the client's text with the provider's name of the model in it, and nothing
 * else changed but OpenAI's old name of a limit (`limitRename`), what the provider would refuse in replies that are sent back
 * (`nativeBody`), if the reply will be judged, `logprobs`, and of a stream that would not say its tokens `stream_options`. Compression is declined: it would hold back events.
 */
export function nativeRequest(call: ProviderCall, key: string | undefined): NativeRequest {
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
