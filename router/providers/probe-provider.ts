import { request } from 'undici';
import { type Provider, providerKey } from '../catalog/index.ts';
import {
  classifyRefusal,
  connectionPools,
  type ExchangeFailure,
  exchangeErrorFrom,
  type Failure,
  keyHeader,
  type Outbound,
} from '../exchange/index.ts';
import { isObject, parseJson } from '../json/index.ts';

/** The outcome of asking a provider for its list of models. `unknown`: it has none that is free, or its key is missing. */
export type Probe =
  /** `date`: of its clock, ISO 8601, if it said. `models`: their ids at the provider, in its order; empty if it lists none. */
  | { readonly kind: 'answered'; readonly date?: string; readonly models: readonly string[] }
  | { readonly kind: 'failed'; readonly failure: Failure | ExchangeFailure; readonly code?: string }
  | { readonly kind: 'unknown' };

const PROBE_WITHIN_MS = 10_000;
const ANTHROPIC_VERSION = '2023-06-01';
/** Bytes read of the list, or of an error's body. */
const MOST_READ = 4 * 1024 * 1024;

/**
 * Asks for the list of models, which is free of charge and needs the same address, certificate, proxy and key as a call. Never rejects.
 * @param env holds the key
 */
export async function probeProvider(
  provider: Provider,
  outbound: Outbound,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Probe> {
  const { kind, platform, baseUrl } = provider;
  if (kind === 'bedrock' || platform === 'vertex') return { kind: 'unknown' };
  const { key, missing } = providerKey(provider, env);
  if (missing !== undefined) return { kind: 'unknown' };
  try {
    const { statusCode, headers, body } = await request(`${baseUrl}/models`, {
      dispatcher: connectionPools(undefined, outbound).fresh,
      headers: key === undefined ? {} : headersFor(provider, key),
      signal: AbortSignal.timeout(PROBE_WITHIN_MS),
    });
    const text = (await body.text()).slice(0, MOST_READ);
    if (statusCode >= 200 && statusCode < 300)
      return { kind: 'answered', ...dateIn(headers['date']), models: modelsIn(text) };
    const type = headers['content-type'];
    return {
      kind: 'failed',
      failure: classifyRefusal(statusCode, Array.isArray(type) ? type[0] : type, text),
    };
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError')
      return { kind: 'failed', failure: 'timeout' };
    const { reason, code } = exchangeErrorFrom(error as Error, 'connecting');
    return { kind: 'failed', failure: reason, ...(code !== undefined && { code }) };
  }
}

function headersFor(provider: Provider, key: string): Record<string, string> {
  if (provider.kind === 'google') return { 'x-goog-api-key': key };
  const dialect = provider.kind === 'anthropic' ? 'anthropic' : 'openai';
  const [name, value] = keyHeader(provider, dialect, key);
  return { [name]: value, ...(dialect === 'anthropic' && { 'anthropic-version': ANTHROPIC_VERSION }) };
}

/** OpenAI's, Anthropic's and Mistral's lists are `data` with ids; Google's is `models` with names below `models/`. */
function modelsIn(text: string): string[] {
  const body = parseJson(text);
  if (!isObject(body)) return [];
  const entries = [body['data'], body['models']].find(Array.isArray) ?? [];
  return entries.flatMap((entry: unknown) => {
    const { id, name } = isObject(entry) ? entry : {};
    const found = id ?? name;
    return typeof found === 'string' && MODEL_ID.test(found) ? [found.replace(/^models\//, '')] : [];
  });
}

/** What can be an id: it is shown on terminals and written into files. */
const MODEL_ID = /^[\w./:@+-]{1,200}$/;

function dateIn(header: string | string[] | undefined): { readonly date?: string } {
  const time = Date.parse(String(header));
  return Number.isNaN(time) ? {} : { date: new Date(time).toISOString() };
}
