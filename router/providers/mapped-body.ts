import { ReplyError } from '../dialects/index.ts';
import { inOnePiece } from './answer-body.ts';
import { UpstreamBroken } from './broken.ts';
import type { ProviderLine } from './exchange-fetch.ts';
import type { AttemptOutcome, UpstreamCall, Usage } from './types.ts';

const encoder = new TextEncoder();

/** A plain answer, in one piece. */
export function plainOutcome(
  answer: object,
  usage: Usage | undefined,
): Extract<AttemptOutcome, { kind: 'answer' }> {
  return {
    kind: 'answer',
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: inOnePiece(encoder.encode(JSON.stringify(answer))),
    usage: () => usage,
  };
}

/**
 * Events as bytes. Whatever breaks them off reaches the reader as UpstreamBroken, or as the reason of the call's signal. A
 * reader that leaves, even before the first byte, ends the exchange with the provider.
 */
export function streamBody(
  events: AsyncIterable<string>,
  call: UpstreamCall,
  line: ProviderLine,
): AsyncIterable<Uint8Array> {
  const bytes = encoded(events, call, line);
  // Written out because a generator that was never begun would not be told that its reader has gone.
  const iterator: AsyncIterator<Uint8Array> = {
    next: () => bytes.next(),
    return: async () => {
      line.close();
      return bytes.return(undefined);
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

/**
 * What ended a mapped reply: the exchange's own error before the one that reading it gave. A reply with no form in the client's dialect
 * is the provider's failure.
 */
export function disconnectOf(line: ProviderLine, error: unknown): unknown {
  const broken = line.broken() ?? error;
  if (!(broken instanceof ReplyError)) return broken;
  return new UpstreamBroken(broken.reason === 'incomplete' ? 'reset' : 'unreadable', broken.message);
}

async function* encoded(
  events: AsyncIterable<string>,
  { signal }: UpstreamCall,
  line: ProviderLine,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const event of events) yield encoder.encode(event);
  } catch (error) {
    signal.throwIfAborted();
    const broken = disconnectOf(line, error);
    if (broken instanceof UpstreamBroken) throw broken;
    throw new UpstreamBroken('unreadable', 'The stream could not be read.');
  } finally {
    line.close();
  }
}
