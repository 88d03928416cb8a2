import type { Dispatcher } from 'undici';
import { PlimsollError } from '../errors.ts';
import { agentsOf } from './agents.ts';
import { plainAnswer, streamedAnswer } from './answer.ts';
import { bodyOf, wrongHead } from './answer-head.ts';
import { UpstreamBroken } from './broken.ts';
import type { Head, Opened } from './exchange.ts';
import { brokenEarly, failed } from './failure.ts';
import { opened } from './opened-exchange.ts';
import { providerKey, withoutKey } from './provider-key.ts';
import { refusedAnswer } from './refused-answer.ts';
import type { AttemptOutcome, AttemptTimeouts, PrepareAttempt, UpstreamCall } from './types.ts';
import { type UpstreamRequest, upstreamRequest } from './upstream-request.ts';

export interface NativeAttemptOptions {
  /** In place of the pool of connections that is made here; with it, no request is sent a second time, and its own timeouts hold too. */
  readonly dispatcher?: Dispatcher;
  /** Where the providers' keys are. Default: the environment of the process. */
  readonly env?: NodeJS.ProcessEnv;
  /** A plain answer up to this many bytes is held until its JSON is checked; a longer one passes unchecked. Default 32 MB. */
  readonly maxAnswerBytes?: number;
}

const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/**
 * Attempts on providers that speak the client's dialect: the body goes out with only `model` replaced, the answer comes back
 * byte for byte. Connections are kept open. No redirection is followed. A request is sent a second time only where a kept
 * connection turned out to be gone before anything was received: once, at once, on a new one, within the same time limits.
 * `connectMs` counts up to 30 s.
 * @returns see PrepareAttempt. Throws PlimsollError `internal` for a provider that does not speak the dialect.
 */
export function createNativeAttempt(options: NativeAttemptOptions = {}): PrepareAttempt {
  const { dispatcher, env = process.env, maxAnswerBytes = MAX_ANSWER_BYTES } = options;
  const agents = agentsOf(dispatcher);
  return (call) => {
    requireDialect(call);
    const { key, missing } = providerKey(call.model.provider, env);
    if (missing !== undefined) return withoutKey(call.model, missing);
    let request: UpstreamRequest | undefined; // built when it is first sent: an open breaker may let nothing through
    return {
      kind: 'ready',
      async send(timeouts) {
        call.signal.throwIfAborted();
        request ??= upstreamRequest(call, key);
        let head: Head | undefined;
        try {
          const exchanged = await opened(agents, request, call, timeouts);
          head = exchanged.head;
          return await outcomeOf(exchanged, call, timeouts, key, maxAnswerBytes);
        } catch (error) {
          if (call.signal.aborted || !(error instanceof UpstreamBroken)) throw error;
          return brokenEarly(call.model, error, head?.status);
        }
      },
    };
  };
}

function outcomeOf(
  { exchange, head }: Opened,
  call: UpstreamCall,
  { idleMs }: AttemptTimeouts,
  key: string | undefined,
  maxAnswerBytes: number,
): Promise<AttemptOutcome> | AttemptOutcome {
  if (head.status < 200 || head.status > 299) return refusedAnswer({ exchange, head }, call, idleMs, key);
  const wrong = wrongHead(head, call.stream);
  if (wrong !== undefined) {
    exchange.close();
    return failed(call.model, 'bad-answer', head.status, wrong);
  }
  return call.stream
    ? streamedAnswer(call, head, bodyOf(exchange, head, idleMs), key)
    : plainAnswer(call, { exchange, head }, idleMs, key, maxAnswerBytes);
}

function requireDialect({ model, dialect }: UpstreamCall): void {
  if (model.provider.dialect === dialect) return;
  throw new PlimsollError(
    'internal',
    `${model.name} does not speak the ${dialect} dialect; such a call goes through the mapped attempt.`,
  );
}
