import type { Dialect } from '../catalog/index.ts';
import { isObject, parseJson } from '../json/index.ts';
import type { Head } from './exchange.ts';
import { ExchangeError } from './exchange-error.ts';
import { classifyRefusal, failedAttempt, retryAfterMs } from './provider-error.ts';
import { nativeRefusal } from './refusal-body.ts';
import { clientHeaders } from './response.ts';
import type { AttemptOutcome, Failure, ProviderCall } from './types.ts';

const JSON_TYPE = 'application/json';
/** Names that mean what a status means: types of Anthropic's errors, OpenAI's code, and Google's statuses. */
const STATUS_BY_NAME: Readonly<Record<string, number>> = {
  overloaded_error: 529,
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
  UNAVAILABLE: 503,
  RESOURCE_EXHAUSTED: 429,
};

/** The provider reported an error inside a 2xx, before the reply or in the middle of it. */
export class ReportedError extends ExchangeError {
  /** JSON with the error in its field `error`; may repeat the key or the prompt. */
  readonly text: string;

  constructor(text: string) {
    super('reset', 'The provider ended the reply with an error.');
    this.text = text;
  }
}

/** Whether it reports an error: OpenAI's `{"error": …}`, or Anthropic's, which has a `type` too. */
export function hasError(json: unknown): boolean {
  const error = field(json, 'error');
  if (typeof error === 'string') return error !== '';
  return isObject(error) && Object.values(error).some((value) => value !== null);
}

/**
 * The error that a reply, or an event of one, reports although its status was 2xx: JSON with the error in its field `error`. It is at the
 * top, or in a choice, or only the choice's `finish_reason` says so, as OpenRouter and Mistral do. Undefined if there is none.
 */
export function reportedError(json: unknown): string | undefined {
  if (hasError(json) || field(json, 'type') === 'error') return JSON.stringify(json);
  const choices = field(json, 'choices');
  const choice = Array.isArray(choices) ? choices.find(hasFailed) : undefined;
  if (choice === undefined) return undefined;
  const error = hasError(choice) ? choice.error : { message: 'The provider could not finish this reply.' };
  return JSON.stringify({ error });
}

/** What a plain reply without an error still lacks; undefined if it has what the client's API promises. */
export function missingContent(reply: unknown, { dialect, operation }: ProviderCall): string | undefined {
  if (operation === 'embeddings') return undefined;
  if (dialect === 'openai' && !hasChoice(reply)) return 'answered without a choice';
  if (dialect === 'anthropic' && !Array.isArray(field(reply, 'content'))) return 'answered without content';
  return undefined;
}

function hasChoice(json: unknown): boolean {
  const choices = field(json, 'choices');
  return Array.isArray(choices) && choices.some(isObject);
}

/** Whether the official client of the dialect throws when it reads this event of a stream. */
export function isThrownByClient(event: string, json: unknown, dialect: Dialect): boolean {
  if (dialect === 'anthropic') return event === 'error';
  return hasError(json) || (event === 'error' && json === undefined);
}

/**
 * The failure that an error in a 2xx means: that of the 4xx or 5xx which it names; without one it is `server-error`, so that the next model is
 * called, unless its message says that another prompt or model would do.
 * @param text the error's JSON
 */
export function reportedFailure(
  call: ProviderCall,
  head: Head,
  text: string,
  key: string | undefined,
): Extract<AttemptOutcome, { kind: 'failure' }> {
  const { failure, status = head.status } = classifyReported(text);
  const body = Buffer.from(key === undefined ? text : text.replaceAll(key, '[key]'));
  return {
    ...failedAttempt(call.model, failure, status, `answered ${head.status} with an error (${failure})`),
    retryAfterMs: retryAfterMs(clientHeaders(head.headers, true, key)),
    ...(failure === 'bad-request' && { body: nativeRefusal(call, status, body) }),
  };
}

function classifyReported(text: string): { readonly failure: Failure; readonly status?: number } {
  const status = statusIn(text);
  if (status !== undefined) return { failure: classifyRefusal(status, JSON_TYPE, text), status };
  const failure = classifyRefusal(400, JSON_TYPE, text);
  return { failure: failure === 'bad-request' ? 'server-error' : failure };
}

/** OpenRouter, llama.cpp and vLLM write the status as a code; Google names it `status` or `code`; others write it as text. */
function statusIn(text: string): number | undefined {
  const json = parseJson(text);
  const error = field(json, 'error');
  const candidates = [
    field(error, 'code'),
    field(error, 'status'),
    field(error, 'type'),
    field(json, 'status'),
  ];
  return candidates.map(statusFrom).find((status) => status !== undefined);
}

function statusFrom(value: unknown): number | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  const text = String(value);
  if (/^[45]\d\d$/.test(text)) return Number(text);
  return Object.hasOwn(STATUS_BY_NAME, text) ? STATUS_BY_NAME[text] : undefined;
}

/** Whether a choice of a reply, or of a chunk, ended with an error. */
function hasFailed(choice: unknown): choice is { readonly error?: unknown } {
  return isObject(choice) && (hasError(choice) || choice['finish_reason'] === 'error');
}

function field(holder: unknown, name: string): unknown {
  return isObject(holder) ? holder[name] : undefined;
}
