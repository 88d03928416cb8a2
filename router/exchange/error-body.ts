import type { Dialect } from '../catalog/index.ts';
import { errorBody, saysSomething } from '../dialects/index.ts';
import { fieldIn, isObject, parseJson } from '../json/index.ts';
import { withoutKey } from '../provider-key.ts';
import { isFailure } from '../sdk-terms/index.ts';
import type { Head, OpenExchange } from './exchange.ts';
import { classifyRefusal, ExchangeError, failedAttempt, retryAfterMs } from './provider-error.ts';
import { clientHeaders, decodedBody, firstBytes, headFault } from './response.ts';
import type { AttemptOutcome, Failure, ProviderCall } from './types.ts';

const JSON_TYPE = 'application/json';
/** Names that mean what a status means: types of Anthropic's errors, OpenAI's code, and Google's statuses. */
const STATUS_BY_NAME: Readonly<Record<string, number>> = {
  authentication_error: 401,
  invalid_api_key: 401,
  UNAUTHENTICATED: 401,
  permission_error: 403,
  PERMISSION_DENIED: 403,
  not_found_error: 404,
  NOT_FOUND: 404,
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
function hasError(json: unknown): boolean {
  const error = fieldIn(json, 'error');
  if (typeof error === 'string') return error !== '';
  return isObject(error) && Object.values(error).some((value) => value !== null);
}

/**
 * The error that a reply, or an event of one, reports although its status was 2xx: JSON with the error in its field `error`. It is at the
 * top, in a message, in a choice or its message or delta, or only a reason to finish says so; Google's may be in a list. Undefined if there is
 * none.
 */
export function reportedError(json: unknown): string | undefined {
  return errorIn(Array.isArray(json) ? json.find(isObject) : json);
}

/** Statuses of a failed response. */
const FAILED_STATUSES: ReadonlySet<unknown> = new Set(['failed', 'cancelled']);

function errorIn(json: unknown): string | undefined {
  if (hasError(json)) return JSON.stringify(json);
  // An event of the Responses API is the error itself, and so is what servers with the form of vLLM's errors write.
  if (fieldIn(json, 'type') === 'error' || fieldIn(json, 'object') === 'error')
    return JSON.stringify({ error: json });
  if (isBareError(json)) return JSON.stringify({ error: json });
  const message = fieldIn(json, 'message');
  const response = fieldIn(json, 'response');
  const choices = fieldIn(json, 'choices');
  const listed: readonly unknown[] = Array.isArray(choices) ? choices : [];
  const holder = [message, response].find(hasError) ?? errorHolderIn(listed);
  if (holder !== undefined) return JSON.stringify({ error: fieldIn(holder, 'error') });
  const hasFailed =
    FAILED_STATUSES.has(fieldIn(json, 'status')) ||
    FAILED_STATUSES.has(fieldIn(response, 'status')) ||
    isFailure(fieldIn(json, 'stop_reason')) ||
    isFailure(fieldIn(message, 'stop_reason')) ||
    isFailure(fieldIn(fieldIn(json, 'delta'), 'stop_reason')) ||
    listed.some((choice) => isFailure(fieldIn(choice, 'finish_reason')));
  return hasFailed
    ? JSON.stringify({ error: { message: 'The provider could not finish this reply.' } })
    : undefined;
}

/** Fields of replies and their events. */
const REPLY_FIELDS = ['choices', 'content', 'output', 'delta', 'type'];

/** An error without a field of that name: `{"errors": […]}`, FastAPI's `{"detail": …}`, `{"code": 500, "message": …}`. */
function isBareError(json: unknown): boolean {
  if (!isObject(json) || REPLY_FIELDS.some((name) => name in json)) return false;
  const { errors, detail, code, status, status_code: statusCode, message } = json;
  if (Array.isArray(errors) && errors.length > 0) return true;
  const isRefused = [code, status, statusCode].some((value) => statusFrom(value) !== undefined);
  if (isRefused) return typeof message === 'string' || detail !== undefined;
  return detail !== undefined && detail !== null && Object.keys(json).length === 1;
}

/** The first of the choices, and of their messages and deltas, that has an error. */
function errorHolderIn(choices: readonly unknown[]): unknown {
  for (const choice of choices) {
    const holder = [choice, fieldIn(choice, 'message'), fieldIn(choice, 'delta')].find(hasError);
    if (holder !== undefined) return holder;
  }
  return undefined;
}

/** The error that plain JSON reports where a stream was asked for; undefined if it is not one. The body is read. */
export async function errorInsteadOfStream(
  { exchange, head }: OpenExchange,
  idleMs: number,
): Promise<string | undefined> {
  if (headFault(head, false) !== undefined) return undefined;
  const body = await firstBytes(decodedBody(exchange, head, idleMs));
  return reportedError(parseJson(body.toString('utf8')));
}

/** What a reply is in which the model says nothing, and gives no reason. */
export const EMPTY_REPLY = 'answered with neither content nor a reason to stop';

/** What a plain reply without an error still lacks; undefined if it has what the client's API promises. */
export function missingContent(reply: unknown, { dialect, operation }: ProviderCall): string | undefined {
  if (operation === 'embeddings') return undefined;
  if (dialect === 'openai' && !hasChoice(reply)) return 'answered without a choice';
  if (dialect === 'anthropic' && !Array.isArray(fieldIn(reply, 'content'))) return 'answered without content';
  if (dialect === 'responses' && !Array.isArray(fieldIn(reply, 'output'))) return 'answered without output';
  return saysSomething(reply, dialect) ? undefined : EMPTY_REPLY;
}

function hasChoice(json: unknown): boolean {
  const choices = fieldIn(json, 'choices');
  return Array.isArray(choices) && choices.some(isObject);
}

/** Whether the official client of the dialect throws when it reads this event of a stream, or takes it for the end of a response that failed. */
export function isSeenByClient(event: string, json: unknown, dialect: Dialect): boolean {
  if (dialect === 'responses' && fieldIn(json, 'type') === 'response.failed') return true;
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
  const body = Buffer.from(withoutKey(text, key));
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
  const error = fieldIn(json, 'error');
  const candidates = [
    fieldIn(error, 'code'),
    fieldIn(error, 'status'),
    fieldIn(error, 'type'),
    fieldIn(json, 'status'),
  ];
  return candidates.map(statusFrom).find((status) => status !== undefined);
}

function statusFrom(value: unknown): number | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  const text = String(value);
  if (/^[45]\d\d$/.test(text)) return Number(text);
  return Object.hasOwn(STATUS_BY_NAME, text) ? STATUS_BY_NAME[text] : undefined;
}

/** The body of a refusal that goes to the client, in UTF-8. */
export function mappedRefusal({ dialect, model }: ProviderCall, status: number, sentence: string): Buffer {
  const message =
    sentence === '' ? `${model.name} refused this request with the status ${status}.` : sentence;
  return Buffer.from(JSON.stringify(errorBody(dialect, { status, message })));
}

/**
 * A refusal of a provider that speaks the client's dialect: byte for byte if it is in the dialect's form. Many servers that copy an API
 * answer with forms of their own, which the official clients cannot read: those are mapped.
 */
export function nativeRefusal(call: ProviderCall, status: number, body: Buffer): Buffer {
  const text = body.toString('utf8');
  return isInForm(parseJson(text), call.dialect) ? body : mappedRefusal(call, status, refusalSentence(text));
}

function isInForm(json: unknown, dialect: Dialect): boolean {
  if (!isObject(json) || !isObject(json['error']) || typeof json['error']['message'] !== 'string')
    return false;
  return dialect !== 'anthropic' || json['type'] === 'error';
}

const LONGEST_SENTENCE = 2_000;
/** In this order. FastAPI has `detail` and `msg`, Amazon `message`, RFC 9457 `detail` and `title`. */
const SENTENCE_FIELDS = ['error', 'message', 'detail', 'msg', 'errors', 'title'];
/** FastAPI's list in Mistral's `message`: three objects and two lists. */
const DEEPEST_SENTENCE = 6;

/**
 * What a refusal says to people, in whatever form: the usual fields of JSON, or plain text. Other fields are not read, since FastAPI
 * repeats the request in them. Empty if it says nothing.
 */
export function refusalSentence(text: string): string {
  const json = parseJson(text);
  const sentence = json === undefined ? plainText(text) : sentenceIn(json, DEEPEST_SENTENCE);
  return sentence.length <= LONGEST_SENTENCE ? sentence : `${sentence.slice(0, LONGEST_SENTENCE)} …`;
}

/** Empty for HTML, and for JSON that was cut off. */
function plainText(text: string): string {
  const trimmed = text.trim();
  return /^[<{["]/.test(trimmed) ? '' : trimmed;
}

function sentenceIn(json: unknown, depth: number): string {
  if (typeof json === 'string') return json.trim();
  if (depth === 0) return '';
  if (Array.isArray(json)) {
    const all = json.map((item) => sentenceIn(item, depth - 1)).filter((sentence) => sentence !== '');
    return all.join('; ');
  }
  if (!isObject(json)) return '';
  for (const name of SENTENCE_FIELDS) {
    const sentence = sentenceIn(json[name], depth - 1);
    if (sentence !== '') return `${placeIn(json)}${sentence}`;
  }
  return '';
}

/** FastAPI names the field at fault: `"loc": ["body", "messages", 0, "content"]`. */
function placeIn({ loc }: Readonly<Record<string, unknown>>): string {
  if (!Array.isArray(loc)) return '';
  const path = loc.filter((step) => typeof step === 'string' || typeof step === 'number').join('.');
  return path === '' ? '' : `${path}: `;
}
