import { pipeline, Readable } from 'node:stream';
import { decoderOf, isKnownEncoding } from '../content-encoding.ts';
import type { Exchange, Head } from './exchange.ts';
import { ExchangeError } from './exchange-error.ts';
import type { ReplyBody } from './types.ts';

/** The body's bytes, not compressed. */
export function decodedBody(
  exchange: Exchange,
  head: Head,
  idleMs: number | undefined,
): AsyncGenerator<Uint8Array> {
  const encoding = contentEncoding(head);
  const chunks = exchange.chunks(idleMs);
  return encoding === undefined ? chunks : decompressed(chunks, encoding);
}

/** Undefined: not compressed. */
export function contentEncoding({ headers }: Head): string | undefined {
  const named = headers['content-encoding'];
  if (named === undefined) return undefined;
  const encoding = String(named).toLowerCase();
  return encoding === 'identity' ? undefined : encoding;
}

const EVENTS = /^\s*text\/event-stream\s*(?:;|$)/i;
const JSON_TYPE = /^\s*application\/(?:[^;]+\+)?json\s*(?:;|$)/i;
/** A media type that may be repeated in an error. */
const NAMED = /^\s*([\w.+/-]{1,60})\s*(?:;|$)/;

/** Why a 2xx is no answer to this call before a byte of its body is seen: undefined if it may be one. */
export function headFault(head: Head, stream: boolean): string | undefined {
  const encoding = contentEncoding(head);
  if (encoding !== undefined && !isKnownEncoding(encoding)) {
    return 'answered with a compression that is not known';
  }
  const type = String(head.headers['content-type'] ?? '');
  if ((stream ? EVENTS : JSON_TYPE).test(type)) return undefined;
  return `answered with content type ${NAMED.exec(type)?.[1]?.toLowerCase() ?? 'none'}, not ${stream ? 'a stream of events' : 'JSON'}`;
}

type Incoming = Readonly<Record<string, string | string[] | undefined>>;

/** RFC 9110, section 7.6.1: of one connection, and not of the answer. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];
/** Meant for us and not for our client: cookies, policies and software of the provider's site, and whose account it is. */
const OURS = [
  'set-cookie',
  'set-cookie2',
  'clear-site-data',
  'alt-svc',
  'strict-transport-security',
  'public-key-pins',
  'expect-ct',
  'content-location',
  'location',
  'refresh',
  'link',
  'sourcemap',
  'service-worker-allowed',
  'origin-agent-cluster',
  'timing-allow-origin',
  'permissions-policy',
  'feature-policy',
  'document-policy',
  'referrer-policy',
  'x-frame-options',
  'x-xss-protection',
  'x-permitted-cross-domain-policies',
  'www-authenticate',
  'nel',
  'report-to',
  'reporting-endpoints',
  'server',
  'server-timing',
  'via',
  'x-powered-by',
  'openai-organization',
  'openai-project',
  'anthropic-organization-id',
];
const WITHHELD: ReadonlySet<string> = new Set([...HOP_BY_HOP, ...OURS]);
/** What a browser may do is for this server to say (CORS, and what belongs to it). */
const WITHHELD_FAMILIES = /^(?:access-control-|cross-origin-|content-security-policy|sec-)/;

/**
 * The headers of a provider's answer that a client may see, lower case, several of a name joined by a comma. `decoded`: the
 * compression was undone here, so its name and length no longer hold. A header that repeats the key is left out.
 */
export function clientHeaders(
  incoming: Incoming,
  decoded: boolean,
  key: string | undefined,
): Record<string, string> {
  const named = namesIn(incoming['connection']);
  const kept: Record<string, string> = {};
  for (const name in incoming) {
    if (WITHHELD.has(name) || WITHHELD_FAMILIES.test(name) || named.includes(name)) continue;
    if (decoded && (name === 'content-encoding' || name === 'content-length')) continue;
    const text = one(incoming[name]);
    if (text !== undefined && (key === undefined || !text.includes(key))) kept[name] = text;
  }
  return kept;
}

/** The headers that belong to the connection because it says so. */
function namesIn(connection: string | string[] | undefined): readonly string[] {
  const text = one(connection) ?? 'keep-alive';
  return text === 'keep-alive'
    ? []
    : text
        .toLowerCase()
        .split(',')
        .map((name) => name.trim());
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}

/**
 * The bytes before compression, as soon as they can be told. For providers that compress although they were asked not to.
 * Throws what `chunks` throws; UpstreamBroken `unreadable` where the bytes are not of this encoding, or end too early.
 * @param encoding a known one
 */
async function* decompressed(
  chunks: AsyncIterable<Uint8Array>,
  encoding: string,
): AsyncGenerator<Uint8Array> {
  const decoder = decoderOf(encoding)!;
  // The callback is needed and has nothing to do: whatever goes wrong reaches the loop below through the decoder.
  pipeline(Readable.from(chunks, { objectMode: false }), decoder, () => {});
  try {
    for await (const chunk of decoder) yield chunk;
  } catch (error) {
    // Errors of zlib have a number; those of the connection have none.
    if (error instanceof Error && 'errno' in error) {
      throw new ExchangeError('unreadable', `The answer is not ${encoding}, or ends too early.`);
    }
    throw error;
  }
}

/** A body that is here as a whole. */
export function wholeBody(whole: Uint8Array): ReplyBody {
  return {
    whole,
    async *[Symbol.asyncIterator]() {
      yield whole;
    },
  };
}
