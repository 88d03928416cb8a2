import { answerHeaders } from './answer-headers.ts';
import type { Head } from './exchange.ts';
import { failed } from './failure.ts';
import { refusalOf } from './refusal.ts';
import { retryAfterMs } from './retry-after.ts';
import type { AttemptOutcome, Failure, UpstreamCall } from './types.ts';

type Json = Readonly<Record<string, unknown>>;

/** Where an answer is: chat completions, messages, embeddings. */
const ANSWER_FIELDS = ['choices', 'content', 'data'] as const;
const JSON_TYPE = 'application/json';
/** Names that mean what a status means: types of Anthropic's errors, and OpenAI's code. */
const STATUS_OF: Readonly<Record<string, number>> = {
  overloaded_error: 529,
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
};

/** Whether it says that something went wrong: OpenAI's `{"error": …}`, and Anthropic's, which has a `type` beside it. */
export function hasError(json: unknown): boolean {
  const error = field(json, 'error');
  return typeof error === 'string' ? error !== '' : typeof error === 'object' && error !== null;
}

/** Whether it is an error and nothing else, though it came with a 2xx. */
export function isOnlyError(json: unknown): boolean {
  return hasError(json) && ANSWER_FIELDS.every((name) => !Array.isArray(field(json, name)));
}

/**
 * The failure that an error in a 2xx is: that of the 4xx or 5xx which it names; without one it is `server-error`, so that the next
 * model is asked, unless its words say that another prompt or model would do. `text` is its JSON.
 */
export function errorOutcome(
  { model }: UpstreamCall,
  head: Head,
  text: string,
  key: string | undefined,
): AttemptOutcome {
  const { failure, status = head.status } = meaningOf(text);
  const body = Buffer.from(key === undefined ? text : text.replaceAll(key, '[key]'));
  return {
    ...failed(model, failure, status, `answered ${head.status} with an error (${failure})`),
    retryAfterMs: retryAfterMs(answerHeaders(head.headers, true, key)),
    ...(failure === 'bad-request' && { body }),
  };
}

function meaningOf(text: string): { readonly failure: Failure; readonly status?: number } {
  const status = statusIn(text);
  if (status !== undefined) return { failure: refusalOf(status, JSON_TYPE, text), status };
  const failure = refusalOf(400, JSON_TYPE, text);
  return { failure: failure === 'bad-request' ? 'server-error' : failure };
}

/** OpenRouter, llama.cpp and vLLM write the status as a code; Google's names it `status` or `code`; others write it as text. */
function statusIn(text: string): number | undefined {
  const answer = parsed(text);
  const error = field(answer, 'error');
  const said = [field(error, 'code'), field(error, 'status'), field(error, 'type'), field(answer, 'status')];
  return said.map(statusOf).find((status) => status !== undefined);
}

function statusOf(said: unknown): number | undefined {
  if (typeof said !== 'number' && typeof said !== 'string') return undefined;
  return /^[45]\d\d$/.test(String(said)) ? Number(said) : STATUS_OF[said];
}

/** Undefined where it is not JSON: what a provider streams is passed on, right or wrong. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function field(holder: unknown, name: string): unknown {
  return typeof holder === 'object' && holder !== null ? (holder as Json)[name] : undefined;
}
