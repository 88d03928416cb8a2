import { PlimsollError } from '../errors.ts';
import { isObject, type JsonObject, objectsIn } from '../json/index.ts';
import { nearestName } from '../nearest-name.ts';
import type { ResponseCacheOptions } from './response-cache.ts';

/** Why a request is neither answered from the cache nor kept in it. */
export const BYPASS_REASONS = [
  'no-store', // the client asks for that
  'temperature', // the next reply would be another one
  'tools', // the reply may call one
  'provider-state', // the reply depends on what the provider keeps
  'kept', // the reply is stored here, under an id of its own
] as const;
export type BypassReason = (typeof BYPASS_REASONS)[number];

/** What the headers of a request say. */
export interface CacheDirectives {
  readonly noStore: boolean;
  /** An older reply is not wanted; 0: none. */
  readonly maxAgeMs: number;
  /** Any temperature will do, for this request. */
  readonly anyTemperature: boolean;
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** The request header that asks for replies of any temperature, and its one value. */
const HEADER = 'x-plimsoll-cache';
const ANY_TEMPERATURE = 'any-temperature';

const ANY_AGE = Number.POSITIVE_INFINITY;
const NO_DIRECTIVES: CacheDirectives = { noStore: false, maxAgeMs: ANY_AGE, anyTemperature: false };

/**
 * `cache-control` with `no-store`, `no-cache` and `max-age` (RFC 9111, section 5.2.1), and `x-plimsoll-cache: any-temperature`.
 * @throws PlimsollError `invalid-input` if the latter says something else
 */
export function cacheDirectives(headers: Headers): CacheDirectives {
  const { 'cache-control': control, [HEADER]: own } = headers;
  if (control === undefined && own === undefined) return NO_DIRECTIVES;
  const directives = String(control ?? '')
    .toLowerCase()
    .split(',')
    .map((one) => one.trim());
  const age = directives.map((one) => /^max-age="?(\d+)"?$/.exec(one)?.[1]).find((one) => one !== undefined);
  return {
    noStore: directives.includes('no-store'),
    maxAgeMs: directives.includes('no-cache') ? 0 : age === undefined ? ANY_AGE : Number(age) * 1_000,
    anyTemperature: own !== undefined && readOwn(String(own)),
  };
}

function readOwn(value: string): true {
  if (value.trim().toLowerCase() === ANY_TEMPERATURE) return true;
  const nearest = nearestName(value, [ANY_TEMPERATURE]);
  throw new PlimsollError(
    'invalid-input',
    `${HEADER} may say "${ANY_TEMPERATURE}" and nothing else.${nearest === undefined ? '' : ` Did you mean that?`} To pass the cache by, send cache-control: no-store.`,
    { place: { field: HEADER } },
  );
}

/** Fields by which the reply depends on what the provider keeps, and which may change there. */
const PROVIDER_STATE = [
  'previous_response_id',
  'conversation',
  'prompt',
  'container',
  'mcp_servers',
  'thread',
];

/**
 * Why a request is not for the cache; undefined if it is. Two requests alike get the same reply only at temperature 0, and left out it is 1.
 * Calls of tools do something: a call that is given out a second time has the id of the first, by which programs tell whether they have made
 * it already. Tools that the provider runs itself read what has changed since.
 */
export function bypassReason(
  body: JsonObject,
  { noStore, anyTemperature }: CacheDirectives,
  options: Pick<ResponseCacheOptions, 'anyTemperature' | 'tools'>,
): BypassReason | undefined {
  if (noStore) return 'no-store';
  if (PROVIDER_STATE.some((name) => body[name] != null)) return 'provider-state';
  const tools = [...objectsIn(body, 'tools'), ...objectsIn(body, 'functions')];
  if (tools.some(isRunByProvider) || body['web_search_options'] != null) return 'tools';
  if (!options.tools && (tools.length > 0 || hasCalls(body))) return 'tools';
  const isFixed = body['temperature'] === 0 || anyTemperature || options.anyTemperature;
  return isFixed ? undefined : 'temperature';
}

/** A function in OpenAI's two forms, or a client's tool in Anthropic's, which has no type or `custom`. */
function isRunByProvider({ type, input_schema: schema, parameters, function: nested }: JsonObject): boolean {
  if (isObject(nested) || isObject(schema) || isObject(parameters)) return false;
  return type !== undefined && type !== 'function' && type !== 'custom';
}

/** Messages or items that are results of tools. */
function hasCalls(body: JsonObject): boolean {
  const isResult = ({ role, type }: JsonObject) =>
    role === 'tool' || role === 'function' || (typeof type === 'string' && /_(output|result)$/.test(type));
  return (
    objectsIn(body, 'messages').some((one) => isResult(one) || objectsIn(one, 'content').some(isResult)) ||
    objectsIn(body, 'input').some(isResult)
  );
}
