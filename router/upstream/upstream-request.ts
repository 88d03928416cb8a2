import type { Provider } from '../catalog/types.ts';
import type { UpstreamCall } from './types.ts';
import { withFieldRenamed, withModel } from './with-model.ts';

/** What goes over the wire, in undici's words. */
export interface UpstreamRequest {
  readonly origin: string;
  readonly path: string;
  readonly method: 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The version of Anthropic's API that is asked for where the client names none. */
const ANTHROPIC_VERSION = '2023-06-01';

/** Of one connection, or of who is asked and who asks: never the client's to say. */
const NOT_THE_CLIENTS: ReadonlySet<string> = new Set([
  'authorization',
  'x-api-key',
  'host',
  'cookie',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'expect',
  'upgrade',
]);

/** What of a request is the same for all that a provider gets. */
interface Address {
  readonly origin: string;
  readonly pathname: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A provider is one object as long as its configuration stands. */
const ADDRESSES = new WeakMap<Provider, Address>();

/**
 * The request of a provider that speaks the client's dialect: the client's text with the provider's name of the model in it and
 * nothing else changed but OpenAI's old name of a limit (`outputLimit`), at the address of the configuration. Compression is asked not to be used: it would hold back events.
 */
export function upstreamRequest(call: UpstreamCall, key: string | undefined): UpstreamRequest {
  const { provider, id } = call.model;
  const { origin, pathname, headers } = addressOf(provider);
  return {
    origin,
    path: `${pathname}${route(call)}`,
    method: 'POST',
    headers: headersOf(call, headers, key),
    body: withModel(outputLimit(call, call.bodyText ?? JSON.stringify(call.body)), id),
  };
}

/**
 * OpenAI's newer models refuse `max_tokens`, its older ones take `max_completion_tokens` as well. A client cannot know which of them
 * `auto` will be, and many send the old name alone.
 */
function outputLimit({ model, dialect, body }: UpstreamCall, text: string): string {
  if (model.provider.kind !== 'openai' || dialect !== 'openai') return text;
  if (body['max_tokens'] == null || body['max_completion_tokens'] != null) return text;
  return withFieldRenamed(text, 'max_tokens', 'max_completion_tokens');
}

function addressOf(provider: Provider): Address {
  const known = ADDRESSES.get(provider);
  if (known !== undefined) return known;
  const { origin, pathname } = new URL(`${provider.baseUrl}/`); // which has no query: see catalog/address.ts
  const address = { origin, pathname: pathname.slice(0, -1), headers: lowerCase(provider.headers) };
  ADDRESSES.set(provider, address);
  return address;
}

/** The provider's key, from the environment. `missing` where the configuration names a variable that is not set. */
export function providerKey(
  { apiKeyEnv }: Provider,
  env: NodeJS.ProcessEnv,
): { readonly key: string | undefined; readonly missing: boolean } {
  if (apiKeyEnv === undefined) return { key: undefined, missing: false };
  // A key that was pasted into a file often ends in a line feed, which no header may hold.
  const key = env[apiKeyEnv]?.trim();
  return key === undefined || key === '' ? { key: undefined, missing: true } : { key, missing: false };
}

function route({ operation, dialect }: UpstreamCall): string {
  if (operation === 'embeddings') return '/embeddings';
  return dialect === 'openai' ? '/chat/completions' : '/messages';
}

/** Those of the client, over them the configuration's, over them ours; written into one object, since this runs for every request. */
function headersOf(
  { headers: clients, dialect, stream }: UpstreamCall,
  configured: Readonly<Record<string, string>>,
  key: string | undefined,
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name in clients) {
    const lower = name.toLowerCase();
    if (!NOT_THE_CLIENTS.has(lower)) headers[lower] = clients[name]!;
  }
  if (dialect === 'anthropic') headers['anthropic-version'] ??= ANTHROPIC_VERSION;
  Object.assign(headers, configured);
  headers['content-type'] = 'application/json';
  headers['accept'] = stream ? 'text/event-stream' : 'application/json';
  headers['accept-encoding'] = 'identity';
  if (key === undefined) return headers;
  if (dialect === 'anthropic') headers['x-api-key'] = key;
  else headers['authorization'] = `Bearer ${key}`;
  return headers;
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
