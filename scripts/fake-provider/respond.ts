import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { anthropicEvents, anthropicResponse, countResponse, parseAnthropicRequest } from './anthropic.ts';
import {
  type Api,
  damagedResponse,
  errorInSuccess,
  errorResponse,
  eventStream,
  type Fault,
  halfSent,
  invalidRequestResponse,
  jsonResponse,
  notFoundResponse,
  threadNotFoundResponse,
  type WireResponse,
} from './faults.ts';
import {
  type GoogleCall,
  googleCount,
  googleEvents,
  googleMethod,
  googleResponse,
  parseGoogleRequest,
} from './google.ts';
import type { Json } from './json.ts';
import { openaiEmbeddings, openaiEvents, openaiResponse, parseOpenaiRequest } from './openai.ts';
import { type PlatformRequest, platformRequest, type SeenRequest } from './platforms.ts';
import type { PromptCache } from './prompt-cache.ts';
import { type ChatRequest, generateReply, type Reply, type ReplyOptions } from './reply.ts';
import { parseResponsesRequest, responsesEvents, responsesResponse } from './responses.ts';
import { anthropicCountRefusal, anthropicRefusal } from './strict/anthropic.ts';
import { googleRefusal } from './strict/google.ts';
import { openaiRefusal } from './strict/openai.ts';
import { responsesRefusal } from './strict/responses.ts';
import { isThreaded, storeThread, type Threads, unthreadedBody } from './threads.ts';

export interface Pace {
  /** Before the head. */
  readonly delayMs: number;
  /** Between two chunks of a stream. */
  readonly chunkMs: number;
  /** Before the head, for the fault slow-first-byte. */
  readonly slowMs: number;
}

export interface ResponseOptions extends ReplyOptions, Pace {
  readonly apiKey: string | undefined;
  readonly models: readonly string[];
  /** Refuse requests that the providers refuse. */
  readonly strict: boolean;
  readonly threads: Threads;
  /** Prompt cache of Anthropic's API; undefined: nothing is cached. */
  readonly promptCache?: PromptCache | undefined;
}

/** 20 MB in words of a kilobyte: as a stream, twenty thousand events. */
const HUGE_WORDS: readonly string[] = Array.from({ length: 20 * 1024 }, () => ` ${'x'.repeat(1023)}`);
/** Time for the written bytes to leave before the connection is reset. */
const FLUSH_MS = 20;

/** Sends the response to a request, or what a fault leaves of it. Ends when all is sent or the client has left. */
export async function respond(
  response: ServerResponse,
  request: SeenRequest,
  options: ResponseOptions,
): Promise<void> {
  const left = new AbortController();
  response.once('close', () => left.abort());
  try {
    await send(response, responseTo(request, options), request.fault, options, left.signal);
  } catch (error) {
    if (!left.signal.aborted) throw error;
  }
}

/** The response before faults of bytes and time. */
function responseTo(came: SeenRequest, options: ResponseOptions): WireResponse {
  const onPlatform = platformRequest(came);
  const { request, key, refusal: platformRefusal } = onPlatform ?? onOwnApi(came);
  const { headers } = request;
  const api = apiOf(request);
  const fault = options.apiKey !== undefined && key !== options.apiKey ? '401' : request.fault;
  const error = fault && errorResponse(fault, api);
  if (error) return error;
  const body = unthreadedBody(options.threads, request.body, headers);
  if (body === undefined) return threadNotFoundResponse();
  const whole = { ...request, body };
  const refusal = platformRefusal ?? (options.strict ? refusalOf(whole) : undefined);
  if (refusal !== undefined) return invalidRequestResponse(refusal, api);
  const threads = isThreaded(request.body, headers) ? options.threads : undefined;
  const success = successResponse(whole, options, threads) ?? notFoundResponse(api);
  return errorInSuccess(success, fault, api) ?? success;
}

function onOwnApi(request: SeenRequest): PlatformRequest {
  const { headers } = request;
  const key =
    headers['x-goog-api-key'] ?? headers['x-api-key'] ?? headers.authorization?.replace(/^Bearer /, '');
  return { request, key: key === undefined ? undefined : String(key), refusal: undefined };
}

function apiOf({ path, headers }: SeenRequest): Api {
  if (googleMethod(path) !== undefined) return 'google';
  const isAnthropic = path.startsWith('/v1/messages') || headers['anthropic-version'] !== undefined;
  if (isAnthropic) return 'anthropic';
  return path.startsWith('/v1/responses') ? 'responses' : 'openai';
}

/** Why the provider would refuse the request; undefined if it would not, or if it is no chat request. */
function refusalOf({ path, body, headers }: SeenRequest): string | undefined {
  const google = googleMethod(path);
  if (google !== undefined) return googleRefusal(google.model, googleBody(google, body));
  const [route] = path.split('?');
  if (route === '/v1/messages/count_tokens') return anthropicCountRefusal(body, headers);
  if (route === '/v1/messages') return anthropicRefusal(body, headers);
  if (route === '/v1/responses') return responsesRefusal(body);
  return route === '/v1/chat/completions' ? openaiRefusal(body) : undefined;
}

/** The request itself, or the one that Google's counter counts, which names its model again. */
function googleBody({ method, model }: GoogleCall, body: Json): Json {
  const counted = body['generateContentRequest'];
  if (method !== 'countTokens' || counted === undefined) return body;
  const { model: named, ...request } = counted as Json;
  return named === `models/${model}` ? request : (counted as Json);
}

/** Undefined if the path is not served. @param threads where the reply's thread is kept, if it has one */
function successResponse(
  { path, body, fault }: SeenRequest,
  options: ResponseOptions,
  threads: Threads | undefined,
): WireResponse | undefined {
  const replyTo = (request: ChatRequest): Reply => {
    const reply = generateReply(request, options);
    return fault === 'huge' ? { ...reply, words: HUGE_WORDS } : reply;
  };
  const google = googleMethod(path);
  if (google !== undefined) {
    const request = parseGoogleRequest(google.model, googleBody(google, body));
    if (google.method === 'countTokens') return jsonResponse(googleCount(request));
    const reply = replyTo(request);
    return google.method === 'streamGenerateContent'
      ? eventStream(googleEvents(reply))
      : jsonResponse(googleResponse(reply));
  }
  switch (path.split('?')[0]) {
    case '/v1/models':
      return jsonResponse({ object: 'list', data: options.models.map(modelEntry) });
    case '/v1/embeddings':
      return jsonResponse(openaiEmbeddings(body));
    case '/v1/chat/completions': {
      const withUsage = (body['stream_options'] as { include_usage?: boolean } | undefined)?.include_usage;
      const reply = replyTo(parseOpenaiRequest(body));
      return body['stream'] === true
        ? eventStream(openaiEvents(reply, withUsage === true))
        : jsonResponse(openaiResponse(reply));
    }
    case '/v1/responses': {
      const reply = replyTo(parseResponsesRequest(body));
      return body['stream'] === true
        ? eventStream(responsesEvents(reply, body))
        : jsonResponse(responsesResponse(reply, body));
    }
    case '/v1/messages/count_tokens':
      return jsonResponse(countResponse(parseAnthropicRequest(body)));
    case '/v1/messages': {
      const made = replyTo(parseAnthropicRequest(body));
      const reply = options.promptCache ? { ...made, cached: options.promptCache.use(body) } : made;
      if (threads !== undefined) storeThread(threads, body, anthropicResponse(reply));
      return body['stream'] === true
        ? eventStream(anthropicEvents(reply))
        : jsonResponse(anthropicResponse(reply));
    }
    default:
      return undefined;
  }
}

function modelEntry(id: string) {
  return { id, object: 'model', created: 0, owned_by: 'nobody' };
}

async function send(
  response: ServerResponse,
  intact: WireResponse,
  fault: Fault | undefined,
  { delayMs, chunkMs, slowMs }: Pace,
  signal: AbortSignal,
): Promise<void> {
  const wait = fault === 'slow-first-byte' ? slowMs : delayMs;
  if (wait > 0) await sleep(wait, undefined, { signal });
  if (fault === 'reset-first') return resetConnection(response);
  const { status, headers, chunks } = damagedResponse(intact, fault);
  response.writeHead(status, { ...headers, ...contentLength(chunks) });
  const interrupted = fault === 'stall' || fault === 'reset' || fault === 'half-event';
  for (const [i, chunk] of (interrupted ? halfSent(chunks, fault) : chunks).entries()) {
    if (i > 0 && chunkMs > 0) await sleep(chunkMs, undefined, { signal });
    if (!response.write(chunk)) await once(response, 'drain', { signal });
  }
  if (!interrupted) return void response.end();
  await sleep(FLUSH_MS, undefined, { signal });
  if (fault === 'stall') await once(response, 'close');
  else resetConnection(response);
}

/** One chunk has a length; a stream is sent in chunked encoding. */
function contentLength([first, ...more]: readonly Buffer[]): Record<string, string> {
  return first && more.length === 0 ? { 'content-length': String(first.length) } : {};
}

function resetConnection({ socket }: ServerResponse): void {
  socket?.resetAndDestroy();
}
