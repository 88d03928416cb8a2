import { isKnownEncoding } from '../content-encoding.ts';
import { decoded } from './decoded.ts';
import type { Exchange, Head } from './exchange.ts';

/** The body's bytes, not compressed. */
export function bodyOf(
  exchange: Exchange,
  head: Head,
  idleMs: number | undefined,
): AsyncGenerator<Uint8Array> {
  const encoding = encodingOf(head);
  const chunks = exchange.chunks(idleMs);
  return encoding === undefined ? chunks : decoded(chunks, encoding);
}

/** Undefined: not compressed. */
export function encodingOf({ headers }: Head): string | undefined {
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
export function wrongHead(head: Head, stream: boolean): string | undefined {
  const encoding = encodingOf(head);
  if (encoding !== undefined && !isKnownEncoding(encoding)) {
    return 'answered with a compression that is not known';
  }
  const type = String(head.headers['content-type'] ?? '');
  if ((stream ? EVENTS : JSON_TYPE).test(type)) return undefined;
  return `answered with content type ${NAMED.exec(type)?.[1]?.toLowerCase() ?? 'none'}, not ${stream ? 'a stream of events' : 'JSON'}`;
}
