import type { IncomingMessage } from 'node:http';

/** Bytes: longer than most forms of these pages. */
const LONGEST_FORM = 16_384;

/** The fields of a form; undefined if it is longer than any page sends. */
export async function readForm(
  request: IncomingMessage,
  longest = LONGEST_FORM,
): Promise<URLSearchParams | undefined> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  // Not destroyed: what is left is read and dropped, and the browser gets its response.
  for await (const piece of request.iterator({ destroyOnReturn: false })) {
    length += piece.length;
    if (length > longest) return undefined;
    pieces.push(piece);
  }
  return new URLSearchParams(Buffer.concat(pieces).toString('utf8'));
}

/** The value of a cookie, if the browser sent it. */
export function cookieIn({ headers }: IncomingMessage, name: string): string | undefined {
  for (const pair of headers.cookie?.split(';') ?? []) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}
