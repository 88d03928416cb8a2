import type { Dialect, Provider } from '../catalog/index.ts';
import { withFieldRenamed, withModel } from '../json/index.ts';
import type { ProviderCall } from './types.ts';

/** What goes over the wire, in undici's words. */
export interface HttpRequest {
  readonly origin: string;
  readonly path: string;
  readonly method: 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The version of Anthropic's API that is asked for where the client names none. */
const ANTHROPIC_VERSION = '2023-06-01';

/**
 * The client's headers that every provider of a dialect gets. None of them says whose account it is: an organization or a project that does
 * not belong to the operator's key is answered with 401, as if the key were wrong.
 */
const PASSED_ON: Readonly<Record<Dialect, readonly string[]>> = {
  openai: ['openai-beta', 'idempotency-key'],
  anthropic: ['anthropic-version', 'anthropic-beta', 'idempotency-key'],
};

/** What of a request is the same for all that a provider gets. */
interface Address {
  readonly origin: string;
  readonly pathname: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Names of the client's headers that are passed on. */
  readonly passed: Readonly<Record<Dialect, readonly string[]>>;
}

/** A provider is one object as long as its configuration stands. */
const ADDRESSES = new WeakMap<Provider, Address>();

/**
 * The request of a provider that speaks the client's dialect: the client's text with the provider's name of the model in it and
 * nothing else changed but OpenAI's old name of a limit (`outputLimit`), at the address of the configuration. Compression is asked not to be used: it would hold back events.
 */
export function nativeRequest(call: ProviderCall, key: string | undefined): HttpRequest {
  const { provider, id } = call.model;
  const { origin, pathname, headers, passed } = addressOf(provider);
  return {
    origin,
    path: `${pathname}${route(call)}`,
    method: 'POST',
    headers: headersOf(call, { headers, passed }, key),
    body: withModel(outputLimit(call, call.bodyText ?? JSON.stringify(call.body)), id),
  };
}

/**
 * OpenAI's newer models refuse `max_tokens`, its older ones take `max_completion_tokens` as well. A client cannot know which of them
 * `auto` will be, and many send the old name alone.
 */
function outputLimit({ model, dialect, body }: ProviderCall, text: string): string {
  if (model.provider.kind !== 'openai' || dialect !== 'openai') return text;
  if (body['max_tokens'] == null || body['max_completion_tokens'] != null) return text;
  return withFieldRenamed(text, 'max_tokens', 'max_completion_tokens');
}

function addressOf(provider: Provider): Address {
  const known = ADDRESSES.get(provider);
  if (known !== undefined) return known;
  const { origin, pathname } = new URL(`${provider.baseUrl}/`); // which has no query: see catalog/address.ts
  const passed = {
    openai: [...PASSED_ON.openai, ...provider.passHeaders],
    anthropic: [...PASSED_ON.anthropic, ...provider.passHeaders],
  };
  const address = { origin, pathname: pathname.slice(0, -1), headers: lowerCase(provider.headers), passed };
  ADDRESSES.set(provider, address);
  return address;
}

function route({ operation, dialect }: ProviderCall): string {
  if (operation === 'embeddings') return '/embeddings';
  return dialect === 'openai' ? '/chat/completions' : '/messages';
}

/** The client's that are passed on, then the configuration's, then ours; written into one object, since this runs for every request. */
function headersOf(
  { headers: clients, dialect, stream }: ProviderCall,
  { headers: configured, passed }: Pick<Address, 'headers' | 'passed'>,
  key: string | undefined,
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of passed[dialect]) {
    const value = clients[name];
    if (typeof value === 'string') headers[name] = value;
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
