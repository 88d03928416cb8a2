import type { Dispatcher } from 'undici';
import { errorBody } from '../dialects/index.ts';
import { PlimsollError } from '../errors.ts';
import {
  type AttemptOutcome,
  classifyRefusal,
  connectionPools,
  createCredentials,
  ExchangeError,
  exchangeFailure,
  type FailedAttempt,
  type Failure,
  failedAttempt,
  type Head,
  isProvoked,
  mappedRefusal,
  missingKeyFailure,
  type Outbound,
  type PrepareAttempt,
  type ProviderCall,
  ReportedError,
  refusalSentence,
  reportedFailure,
  retryAfterMs,
} from '../exchange/index.ts';
import { withoutKey } from '../provider-key.ts';
import { MissingField, unmappable } from '../targets/index.ts';
import { prepareChat, prepareEmbeddings, replyError } from './call.ts';
import { isSdkRefusal } from './map-request.ts';
import { combinedTransport, type SdkTransport, sdkTransport } from './sdk-transport.ts';

export interface MappedAttemptOptions {
  /** Replaces the connection pools; with it, no request is sent a second time. */
  readonly dispatcher?: Dispatcher;
  /** How providers are reached. Default: directly, and trusting whom Node trusts. */
  readonly outbound?: Outbound | undefined;
  /** Holds the providers' keys. Default: the environment of the process. */
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Attempts on providers that do not speak the client's dialect, through the Vercel AI SDK's provider packages
 * (https://ai-sdk.dev/providers). A field that the provider has no place for and that may not be dropped is a failure `bad-request` that
 * names it, and nothing is sent. Connections, deadlines and limits are those of native attempts.
 * @returns see PrepareAttempt.
 */
export function createMappedAttempt(options: MappedAttemptOptions = {}): PrepareAttempt {
  const { dispatcher, outbound, env = process.env } = options;
  const pools = connectionPools(dispatcher, outbound);
  const credentialOf = createCredentials(env);
  return async (call) => {
    call.signal.throwIfAborted();
    const { key, missing } = await credentialOf(call.model.provider);
    if (missing !== undefined) return missingKeyFailure(call.model, missing);
    const prepare = call.operation === 'embeddings' ? prepareEmbeddings : prepareChat;
    try {
      const sendMapped = await prepare({ call, key, env });
      return {
        kind: 'ready',
        async send(timeouts) {
          call.signal.throwIfAborted();
          const transport = combinedTransport((limits) => sdkTransport(pools, call, limits), timeouts);
          try {
            return await sendMapped(transport);
          } catch (error) {
            transport.close();
            call.signal.throwIfAborted();
            return mappedFailure(call, transport, error, key);
          }
        },
      };
    } catch (error) {
      call.signal.throwIfAborted();
      return preparationFailure(call, error);
    }
  };
}

/** The SDK's errors for a key or a setting that is not in the environment. */
const MISSING_ACCESS = /^AI_Load(APIKey|Setting)Error$/;

/** Why a call could not be prepared: a field that the provider's API cannot carry, or no access to the provider. */
export function preparationFailure(call: ProviderCall, error: unknown): FailedAttempt {
  if (error instanceof PlimsollError) return unmappableFailure(call, error);
  if (error instanceof Error && MISSING_ACCESS.test(error.name)) {
    return failedAttempt(call.model, 'auth', undefined, 'was not called: its provider has no key here');
  }
  return unmappableFailure(call, unmappable([], 'cannot be put into the form of the provider'));
}

/**
 * What went wrong before the reply began: a failed exchange, the provider's refusal, a reply that the SDK could not read, or an error
 * event.
 * @param key removed from the provider's message
 */
export function mappedFailure(
  call: ProviderCall,
  transport: SdkTransport,
  error: unknown,
  key: string | undefined,
): AttemptOutcome {
  const status = transport.head()?.status;
  const ended = replyError(transport, error);
  if (ended instanceof ReportedError) return failureReportedInReply(call, ended.text, transport.head()!, key);
  if (ended instanceof ExchangeError) return endedEarly(call, ended, status);
  if (isCallError(error)) return refusedByProvider(call, error, key);
  // Once the provider has replied, it is the reply that is of a wrong form.
  if (status === undefined && isSdkRefusal(error))
    return unmappableFailure(call, unmappable(['messages'], error.message.replace(/\.$/, '')));
  if (error instanceof Error) return endedEarly(call, error, status);
  const failure = classifyEvent(error);
  return failedAttempt(call.model, failure, status, `answered with an error event (${failure})`);
}

/** What is read of the SDK's APICallError. Its url and the request's values are not: they may hold keys and prompts. */
interface CallError extends Error {
  readonly statusCode?: number;
  readonly responseHeaders?: Readonly<Record<string, string>>;
  readonly responseBody?: string;
}

/** Google: "The input token count (…) exceeds the maximum number of tokens"; Bedrock: "Input is too long for requested model". */
const CONTEXT_WINDOW = /input token count .{0,200}exceeds|input is too long|too many input tokens/i;
/** Google responds with 400 to a wrong key. */
const BAD_KEY = /"(?:reason":\s*"API_KEY_INVALID"|message":\s*"API key not valid)/; // not in a quotation of the request
/** google.rpc.RetryInfo in the body of Google's 429. */
const RETRY_DELAY = /"retryDelay":\s*"(\d+(?:\.\d+)?)s"/;
/** On this code Anthropic's clients send the whole conversation each time, and go on. */
const NO_THREADS = 'thread_unsupported_request';
const SECOND_MS = 1000;
const encoder = new TextEncoder();

/** The error class is looked up by its public name: an import of the whole SDK would only serve `instanceof`. */
export function isCallError(error: unknown): error is CallError {
  return error instanceof Error && error.name === 'AI_APICallError';
}

/** As OpenAI names it. */
const MISSING_FIELD = 'missing_required_parameter';

/**
 * A field that is missing, or that has no place with this model: 400 in the client's dialect, with the field's path. The outcome has no status: no
 * provider was asked, and another one may carry it.
 */
function unmappableFailure({ model, dialect }: ProviderCall, problem: PlimsollError): FailedAttempt {
  const { message: why, place } = problem;
  const isMissing = problem instanceof MissingField;
  const message = isMissing
    ? why
    : `This request cannot go to ${model.name}, which was chosen for it. ${why} Change or remove it, or name a model that takes it, as <provider>/<model>.`;
  const param = place.field === undefined ? {} : { param: place.field };
  const code = isMissing ? MISSING_FIELD : place.field === 'thread' ? NO_THREADS : 'unmappable_field';
  const error = { status: 400, message, code, ...param };
  return {
    ...badRequest(undefined, message),
    body: encoder.encode(JSON.stringify(errorBody(dialect, error))),
  };
}

/** What the provider's own error means. Its message is passed on only if the request is at fault, without the key. */
export function refusedByProvider(
  call: ProviderCall,
  error: CallError,
  key: string | undefined,
): FailedAttempt {
  const { statusCode: status, responseHeaders: headers = {}, responseBody = '' } = error;
  if (status === undefined || (status >= 200 && status < 300)) {
    return failedAttempt(call.model, 'bad-answer', status, 'gave an answer that could not be read');
  }
  const failure = classifyResponse(status, headers, responseBody);
  const wait = retryAfterMs(headers) ?? delayIn(responseBody);
  if (failure !== 'bad-request') {
    return {
      ...failedAttempt(call.model, failure, status, `answered ${status} (${failure})`),
      retryAfterMs: wait,
      ...(isProvoked(call, status, responseBody) && { provoked: true }),
    };
  }
  const sentence = error.message === '' ? refusalSentence(responseBody) : error.message;
  const message = withoutKey(sentence, key);
  return {
    ...badRequest(status, `${call.model.name}: ${message}`),
    retryAfterMs: wait,
    body: mappedRefusal(call, status, message),
  };
}

/** What an error inside a 2xx means; in the client's dialect if the request is at fault. */
function failureReportedInReply(
  call: ProviderCall,
  text: string,
  head: Head,
  key: string | undefined,
): FailedAttempt {
  const { body, ...outcome } = reportedFailure(call, head, text, key);
  if (outcome.failure !== 'bad-request') return outcome;
  return { ...outcome, body: mappedRefusal(call, outcome.status ?? 400, refusalSentence(String(body))) };
}

/** An early end that is no reply: a failed exchange, a deadline, or what the SDK could not read. */
function endedEarly({ model }: ProviderCall, error: unknown, status: number | undefined): FailedAttempt {
  if (error instanceof ExchangeError) return exchangeFailure(model, error, status);
  return failedAttempt(model, 'bad-answer', status, 'gave an answer that could not be read');
}

/** An event has no status; this one leaves the words to decide. */
const BAD_REQUEST = 400;

/** By the type of an error event: Anthropic's, and Google's and OpenAI's if they send one. The SDK keeps only the message of Amazon's. */
function classifyEvent(error: unknown): Failure {
  const text = JSON.stringify(error) ?? '';
  if (classifyRefusal(BAD_REQUEST, undefined, text) === 'quota-exhausted') return 'quota-exhausted';
  if (/overloaded|UNAVAILABLE|service unavailable/i.test(text)) return 'overloaded';
  return /rate_limit|RESOURCE_EXHAUSTED|throttl|too many (requests|tokens)/i.test(text)
    ? 'rate-limited'
    : 'server-error';
}

function classifyResponse(status: number, headers: Readonly<Record<string, string>>, body: string): Failure {
  if (headers['x-amzn-errortype']?.startsWith('ServiceQuotaExceeded')) return 'quota-exhausted';
  const failure = classifyRefusal(status, headers['content-type'], body);
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
