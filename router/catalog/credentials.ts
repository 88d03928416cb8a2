import { readFileSync, statSync } from 'node:fs';
import { PlimsollError } from '../errors.ts';
import type { Provider, ProviderOptions } from './types.ts';

/**
 * A provider's key from the environment or its token, or what is missing, as a clause: `OPENAI_API_KEY is not set`. Neither if the provider needs
 * no key.
 */
export type ProviderKey =
  | { readonly key: string | undefined; readonly missing?: undefined }
  | { readonly key?: undefined; readonly missing: string };

const AWS_VARIABLES = 'AWS_BEARER_TOKEN_BEDROCK (or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)';

/**
 * Bedrock also accepts AWS's own variables; its key is then undefined, because its requests are signed. Of several keys it is the first that is
 * set. The tokens of Google's cloud that are in no file are not known here.
 */
export function providerKey(provider: Provider, env: NodeJS.ProcessEnv): ProviderKey {
  const { kind, apiKeyEnv, keys, tokenFile } = provider;
  if (tokenFile !== undefined) return tokenIn(tokenFile);
  if (keys !== undefined) {
    const found = keys.map((one) => providerKey(one, env));
    const missing = `${keys.map((one) => one.apiKeyEnv).join(' or ')} is not set`;
    return found.find((one) => one.missing === undefined) ?? { missing };
  }
  if (apiKeyEnv !== undefined) {
    // A key that was pasted into a file often ends in a line feed, which no header may hold.
    const key = setting(env, apiKeyEnv);
    return key ? { key } : { missing: `${apiKeyEnv} is not set` };
  }
  if (kind !== 'bedrock') return { key: undefined };
  return hasBedrockAccess(env) ? { key: bedrockToken(env) } : { missing: `${AWS_VARIABLES} is not set` };
}

/**
 * Variables of a provider that hold the same key as one before them: it is one key, and turning to it again would gain nothing.
 * @returns by variable, the first one that holds its key
 */
export function repeatedKeys(
  { apiKeyEnvs = [] }: Pick<ProviderOptions, 'apiKeyEnvs'>,
  env: NodeJS.ProcessEnv,
): ReadonlyMap<string, string> {
  const first = new Map<string, string>();
  const repeated = new Map<string, string>();
  for (const variable of apiKeyEnvs) {
    const key = setting(env, variable);
    const before = key === undefined ? undefined : first.get(key);
    if (before !== undefined) repeated.set(variable, before);
    else if (key !== undefined) first.set(key, variable);
  }
  return repeated;
}

/** A token is short; what is longer is some other file. */
const MAX_TOKEN_BYTES = 64 * 1024;
/** By path: what was read, and of which state of the file. */
const TOKENS = new Map<string, { readonly read: ProviderKey; readonly state: string }>();

/** Whoever renews the token writes the file anew, so each call looks whether it has changed. */
function tokenIn(file: string): ProviderKey {
  try {
    const { mtimeMs, size, ino } = statSync(file);
    const state = `${mtimeMs} ${size} ${ino}`;
    const known = TOKENS.get(file);
    if (known?.state === state) return known.read;
    const read =
      size > MAX_TOKEN_BYTES ? notToken(file) : checkedToken(file, readFileSync(file, 'utf8').trim());
    TOKENS.set(file, { read, state });
    return read;
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    return { missing: `the token file ${file} cannot be read (${code})` };
  }
}

function checkedToken(file: string, text: string): ProviderKey {
  return KEY.test(text) ? { key: text } : notToken(file);
}

function notToken(file: string): ProviderKey {
  return { missing: `the file ${file} holds no token, which is one word without spaces` };
}

/** What a header may hold, and every provider's keys do. */
const KEY = /^[\x21-\x7e]+$/;
const AWS_NAMES = [
  'AWS_BEARER_TOKEN_BEDROCK',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
];

/**
 * Finds keys that were damaged on their way into the environment, by a line break in the middle or a character that a page or an editor
 * added: no request could be sent with them, and the error would not say why.
 * @throws PlimsollError `invalid-config` that names the variable and never quotes it
 */
export function checkProviderKey({ name, kind, apiKeyEnv, keys }: Provider, env: NodeJS.ProcessEnv): void {
  for (const one of keys ?? []) checkProviderKey(one, env);
  const variables = apiKeyEnv !== undefined ? [apiKeyEnv] : kind === 'bedrock' ? AWS_NAMES : [];
  for (const variable of variables) {
    const key = setting(env, variable);
    if (key === undefined || KEY.test(key)) continue;
    const what = /[^\S ]|\p{Cc}/u.test(key)
      ? 'a line break or another control character'
      : 'a space or a character that is not ASCII';
    throw new PlimsollError(
      'invalid-config',
      `${variable}, the key of the provider ${name}, has ${what} inside. No key has one: set it again, in one piece.`,
      { place: { field: `providers.${name}.api_key_env` } },
    );
  }
}

/**
 * As `providerKey`, but a key that was found is not read again for the same provider: reading the environment is a call to the system. A
 * changed configuration brings new providers.
 */
export function createKeyReader(env: NodeJS.ProcessEnv): (provider: Provider) => ProviderKey {
  const found = new WeakMap<Provider, ProviderKey>();
  return (provider) => {
    if (provider.tokenFile !== undefined) return providerKey(provider, env);
    const known = found.get(provider);
    if (known !== undefined) return known;
    const read = providerKey(provider, env);
    if (read.missing === undefined) found.set(provider, read);
    return read;
  };
}

/** How requests to Amazon Bedrock are authenticated: a bearer token, or AWS's own signature. In the SDK's terms. */
interface BedrockAccess {
  readonly region: string;
  readonly apiKey: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
}

const REGION = /\.([a-z0-9-]+)\.amazonaws\.com/;
/** The SDK reads from the environment what is undefined; an empty text keeps it from that. */
const NONE = '';

/** @param apiKey - of the variable that the configuration names; undefined: AWS's own variables count, in AWS's order */
export function bedrockAccess(
  baseUrl: string,
  apiKey: string | undefined,
  env: NodeJS.ProcessEnv,
): BedrockAccess {
  const region = REGION.exec(baseUrl)?.[1] ?? env['AWS_REGION'] ?? 'us-east-1';
  const token = apiKey ?? bedrockToken(env);
  if (token !== undefined) return { region, apiKey: token };
  return {
    region,
    apiKey: NONE,
    accessKeyId: setting(env, 'AWS_ACCESS_KEY_ID') ?? NONE,
    secretAccessKey: setting(env, 'AWS_SECRET_ACCESS_KEY') ?? NONE,
    sessionToken: setting(env, 'AWS_SESSION_TOKEN') ?? NONE,
  };
}

/** Whether the environment has credentials for Bedrock. Nothing else is looked at: neither files nor AWS's metadata service. */
function hasBedrockAccess(env: NodeJS.ProcessEnv): boolean {
  const signs = setting(env, 'AWS_ACCESS_KEY_ID') && setting(env, 'AWS_SECRET_ACCESS_KEY');
  return bedrockToken(env) !== undefined || signs !== undefined;
}

/** AWS's own variable for a Bedrock API key. */
function bedrockToken(env: NodeJS.ProcessEnv): string | undefined {
  return setting(env, 'AWS_BEARER_TOKEN_BEDROCK');
}

function setting(env: NodeJS.ProcessEnv, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}
