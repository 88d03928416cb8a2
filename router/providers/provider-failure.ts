import { errorBody } from '../dialects/index.ts';
import type { PlimsollError } from '../errors.ts';
import { UpstreamBroken } from './broken.ts';
import { errorOutcome } from './error-in-answer.ts';
import type { Head } from './exchange.ts';
import { brokenEarly, failed } from './failure.ts';
import { isProvoked, refusalOf } from './refusal.ts';
import { retryAfterMs } from './retry-after.ts';
import type { FailedAttempt, Failure, UpstreamCall } from './types.ts';

/** What is read of the SDK's APICallError. Its url and the request's values are not: they may hold keys and prompts. */
export interface CallError extends Error {
  readonly statusCode?: number;
  readonly responseHeaders?: Readonly<Record<string, string>>;
  readonly responseBody?: string;
}

/** Google: "The input token count (…) exceeds the maximum number of tokens"; Bedrock: "Input is too long for requested model". */
const CONTEXT_WINDOW = /input token count .{0,200}exceeds|input is too long|too many input tokens/i;
/** Google answers 400 to a key that is wrong. */
const BAD_KEY = /"(?:reason":\s*"API_KEY_INVALID"|message":\s*"API key not valid)/; // not where it quotes the request
/** google.rpc.RetryInfo in the body of Google's 429. */
const RETRY_DELAY = /"retryDelay":\s*"(\d+(?:\.\d+)?)s"/;
/** Anthropic's clients take this code as a request to send the whole conversation each time, and go on. */
const NO_THREADS = 'thread_unsupported_request';
const SECOND_MS = 1000;
const encoder = new TextEncoder();

/** The error class is looked up by its public name: an import of the whole SDK would only serve `instanceof`. */
export function isCallError(error: unknown): error is CallError {
  return error instanceof Error && error.name === 'AI_APICallError';
}

/**
 * A field that has no place with this model: 400 in the client's dialect, with the field's path. The outcome has no status: no
 * provider was asked, and another one may carry it.
 */
export function unmappableFailure(
  { model, dialect }: UpstreamCall,
  { message: why, place }: PlimsollError,
): FailedAttempt {
  const message = `${model.name} cannot be asked this through its provider's API. ${why}`;
  const param = place.field === undefined ? {} : { param: place.field };
  const code = place.field === 'thread' ? NO_THREADS : 'unmappable_field';
  const error = { status: 400, message, code, ...param };
  return {
    ...badRequest(undefined, message),
    body: encoder.encode(JSON.stringify(errorBody(dialect, error))),
  };
}

/** What the provider's own error means; its message is passed on only where the request is at fault, without the key. */
export function refusedByProvider(
  call: UpstreamCall,
  error: CallError,
  key: string | undefined,
): FailedAttempt {
  const { statusCode: status, responseHeaders: headers = {}, responseBody = '' } = error;
  if (status === undefined || (status >= 200 && status < 300)) {
    return failed(call.model, 'bad-answer', status, 'gave an answer that could not be read');
  }
  const failure = failureOf(status, headers, responseBody);
  const wait = retryAfterMs(headers) ?? delayIn(responseBody);
  if (failure !== 'bad-request') {
    return {
      ...failed(call.model, failure, status, `answered ${status} (${failure})`),
      retryAfterMs: wait,
      ...(isProvoked(call, status, responseBody) && { provoked: true }),
    };
  }
  const said = key === undefined ? error.message : error.message.replaceAll(key, '[key]');
  const body = JSON.stringify(errorBody(call.dialect, { status, message: said }));
  return {
    ...badRequest(status, `${call.model.name}: ${said}`),
    retryAfterMs: wait,
    body: encoder.encode(body),
  };
}

/** What an error inside a 2xx means; in the client's form where the request is at fault. */
export function reportedInReply(
  call: UpstreamCall,
  text: string,
  head: Head,
  key: string | undefined,
): FailedAttempt {
  const { body, ...outcome } = errorOutcome(call, head, text, key);
  if (outcome.failure !== 'bad-request') return outcome;
  const { error } = JSON.parse(String(body)) as { readonly error: unknown };
  const said = typeof error === 'string' ? error : String((error as { message?: unknown }).message ?? '');
  const told = JSON.stringify(errorBody(call.dialect, { status: outcome.status ?? 400, message: said }));
  return { ...outcome, body: encoder.encode(told) };
}

/** An early end that is no answer of the provider's: a broken line, a deadline, or what the SDK could not read. */
export function endedEarly(
  { model }: UpstreamCall,
  error: unknown,
  status: number | undefined,
): FailedAttempt {
  if (error instanceof UpstreamBroken) return brokenEarly(model, error, status);
  return failed(model, 'bad-answer', status, 'gave an answer that could not be read');
}

/** By the type of an error event: Anthropic's, and Google's and OpenAI's where they send one. Of Amazon's the SDK keeps the message alone. */
export function failureOfEvent(error: unknown): Failure {
  const text = JSON.stringify(error) ?? '';
  if (/insufficient_quota|billing_error|credit balance is too low|specified API usage limits/i.test(text))
    return 'quota-exhausted';
  if (/overloaded|UNAVAILABLE|service unavailable/i.test(text)) return 'overloaded';
  return /rate_limit|RESOURCE_EXHAUSTED|throttl|too many (requests|tokens)/i.test(text)
    ? 'rate-limited'
    : 'server-error';
}

function failureOf(status: number, headers: Readonly<Record<string, string>>, body: string): Failure {
  if (headers['x-amzn-errortype']?.startsWith('ServiceQuotaExceeded')) return 'quota-exhausted';
  const failure = refusalOf(status, headers['content-type'], body);
  if (failure !== 'bad-request') return failure;
  if (CONTEXT_WINDOW.test(body)) return 'context-window';
  return BAD_KEY.test(body) ? 'auth' : failure;
}

function badRequest(status: number | undefined, message: string): FailedAttempt {
  return { kind: 'failure', failure: 'bad-request', status, retryAfterMs: undefined, message };
}

function delayIn(body: string): number | undefined {
  const seconds = RETRY_DELAY.exec(body)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * SECOND_MS;
}
