import { isKnownEncoding } from '../content-encoding.ts';
import { bodyOf, encodingOf } from './answer-head.ts';
import { answerHeaders } from './answer-headers.ts';
import { UpstreamBroken } from './broken.ts';
import type { Opened } from './exchange.ts';
import { failed } from './failure.ts';
import { isProvoked, refusalOf } from './refusal.ts';
import { retryAfterMs } from './retry-after.ts';
import type { AttemptOutcome, UpstreamCall } from './types.ts';

/** Of a provider's error; what is longer is cut. */
const MAX_ERROR_BYTES = 64 * 1024;

/** The outcome of an answer that is no 2xx. Its silences may last `idleMs`; what it said until then is what counts. */
export async function refusedAnswer(
  { exchange, head }: Opened,
  call: UpstreamCall,
  idleMs: number,
  key: string | undefined,
): Promise<AttemptOutcome> {
  const body = await errorBody({ exchange, head }, idleMs, key);
  const headers = answerHeaders(head.headers, true, key);
  const text = body.toString('utf8');
  const failure = refusalOf(head.status, headers['content-type'], text);
  return {
    ...failed(call.model, failure, head.status, `answered ${head.status} (${failure})`),
    retryAfterMs: retryAfterMs(headers),
    ...(isProvoked(call, head.status, text) && { provoked: true }),
    ...(failure === 'bad-request' && body.length > 0 && { body }),
  };
}

/** With nothing of the key in it: some providers repeat what they do not like. */
async function errorBody(
  { exchange, head }: Opened,
  idleMs: number,
  key: string | undefined,
): Promise<Buffer> {
  const encoding = encodingOf(head);
  if (encoding !== undefined && !isKnownEncoding(encoding)) {
    exchange.close();
    return Buffer.alloc(0);
  }
  const body = await beginningOf(bodyOf(exchange, head, idleMs), MAX_ERROR_BYTES);
  if (key === undefined || !body.includes(key)) return body;
  return Buffer.from(body.toString('utf8').replaceAll(key, '[key]'));
}

/** What was read of a body until `maxBytes`, its end, or its breaking off. */
async function beginningOf(bytes: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of bytes) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= maxBytes) break;
    }
  } catch (error) {
    if (!(error instanceof UpstreamBroken)) throw error;
  }
  return Buffer.concat(chunks).subarray(0, maxBytes);
}
