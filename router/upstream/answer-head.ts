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
  const encoding = String(headers['content-encoding'] ?? 'identity').toLowerCase();
  return encoding === 'identity' ? undefined : encoding;
}

/** Why a 2xx is no answer to this call before a byte of its body is seen: undefined if it may be one. */
export function wrongHead(head: Head, stream: boolean): string | undefined {
  const encoding = encodingOf(head);
  if (encoding !== undefined && !isKnownEncoding(encoding)) {
    return 'answered with a compression that is not known';
  }
  const type = String(head.headers['content-type'] ?? '')
    .split(';')[0]
    .trim()
    .toLowerCase();
  const right = stream ? type === 'text/event-stream' : /^application\/(.+\+)?json$/.test(type);
  if (right) return undefined;
  return `answered with content type ${/^[\w.+/-]{1,60}$/.test(type) ? type : 'none'}, not ${stream ? 'a stream of events' : 'JSON'}`;
}
