import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Config } from '../config/index.ts';
import { type JsonErrorPlace, jsonErrorPlace } from '../json/index.ts';
import type { MemoryBudget, MemoryShare } from '../memory-budget.ts';
import { isLarge, takeTurn } from '../turns.ts';
import { type BodyFault, type BodyLimits, MAX_COMPRESSION_RATIO, PLAIN_JSON, readBody } from './read-body.ts';
import { type ErrorResponse, errorResponse, type Sender } from './responses.ts';

/** A request whose body has been read. */
export interface WithBody {
  /** Any JSON value. */
  body?: unknown;
  /** The JSON text that `body` was read from. */
  bodyText?: string;
  /** How many names of fields are in `bodyText`, each as often as it is there. */
  bodyNames?: number;
  /** What the request holds in memory until its response has ended. */
  memory?: MemoryShare;
}

const JSON_TYPE = /^application\/(?:json|[\w.-]+\+json)\s*(?:;|$)/i;

/** The limits of a route's bodies. */
export function bodyLimits(
  { config, budget }: { readonly config: Pick<Config, 'server'>; readonly budget: MemoryBudget },
  maxBytes: number,
): BodyLimits {
  const { maxJsonDepth: maxDepth, maxJsonValues: maxValues } = config.server;
  return { maxBytes, maxDepth, maxValues, budget };
}

/**
 * Reads a JSON body of any kind of value into `request.body`, its text into `request.bodyText`, and their number of names; refuses other content types, empty
 * bodies, and those that break a limit. For Express and for node's own server.
 * @param field the name of the setting that limits `maxBytes`
 */
export function jsonBody(limits: BodyLimits, send: Sender, field: string) {
  return (request: IncomingMessage & WithBody, response: ServerResponse, next: () => void) => {
    const type = request.headers['content-type'] ?? '';
    if (type !== PLAIN_JSON && !JSON_TYPE.test(type)) {
      request.resume(); // lets the client finish sending and read the response
      return send.error(request, response, NOT_JSON);
    }
    const share = limits.budget.share();
    response.on('close', () => share.release());
    request.memory = share;
    return readBody(request, limits, share, (fault, text, names) => {
      if (fault) {
        share.release();
        return send.error(request, response, FAULT_RESPONSES[fault](limits, field));
      }
      if (text === '') return send.error(request, response, NO_BODY);
      request.bodyNames = names;
      if (isLarge(text)) return parseInTurns(request, response, text, send, next);
      if (parseBody(request, text)) next();
      else send.error(request, response, invalidJson(text));
    });
  };
}

/** @returns false if it is not JSON. The parser's own error is of no use: it quotes the body. */
function parseBody(request: WithBody, text: string): boolean {
  try {
    request.body = JSON.parse(text);
    request.bodyText = text;
    return true;
  } catch {
    return false;
  }
}

/** Does nothing more if the client disconnects. */
function parseInTurns(
  request: IncomingMessage & WithBody,
  response: ServerResponse,
  text: string,
  send: Sender,
  next: () => void,
): void {
  takeTurn(() => {
    if (response.destroyed) return;
    const isJson = parseBody(request, text);
    takeTurn(() => {
      if (response.destroyed) return;
      if (isJson) next();
      else send.error(request, response, invalidJson(text));
    });
  });
}

/** By what went wrong while the body was read. `field` is the setting that limits the size. */
export const FAULT_RESPONSES: Readonly<
  Record<BodyFault, (limits: BodyLimits, field: string) => ErrorResponse>
> = {
  'too-large': ({ maxBytes }, field) =>
    errorResponse({
      status: 413,
      code: 'body_too_large',
      message: `The body is larger than ${maxBytes} bytes (${field}). Send less text, or fewer and smaller pictures.`,
    }),
  'over-budget': () =>
    errorResponse({
      status: 413,
      code: 'body_too_large',
      message:
        'The body needs more memory than one request may hold (server.max_bytes_at_work). Send less text, or fewer and smaller pictures.',
    }),
  'no-memory': () =>
    errorResponse({
      status: 503,
      code: 'overloaded',
      message: 'Other requests hold as many bytes as server.max_bytes_at_work allows. Try again in a moment.',
      headers: { 'retry-after': '1' },
    }),
  'too-compressed': () =>
    errorResponse({
      status: 413,
      code: 'body_too_compressed',
      message: `The body is more than ${MAX_COMPRESSION_RATIO} times as large as its compressed form. Send it without content-encoding.`,
    }),
  'too-deep': ({ maxDepth }) =>
    errorResponse({
      status: 400,
      code: 'json_too_deep',
      message: `The body nests objects and lists deeper than ${maxDepth} levels (server.max_json_depth). Send flatter JSON.`,
    }),
  'too-many-values': ({ maxValues }) =>
    errorResponse({
      status: 413,
      code: 'too_many_values',
      message: `The body has more than ${maxValues} JSON values; an object or list counts eight more, a field name four more (server.max_json_values). Send fewer entries.`,
    }),
  'unsupported-encoding': () =>
    errorResponse({
      status: 415,
      code: 'unsupported_encoding',
      message: 'The body must be UTF-8 JSON, plain or with content-encoding gzip, deflate or br.',
    }),
  'broken-encoding': () =>
    errorResponse({
      status: 400,
      code: 'invalid_body',
      message: 'The body is not what its content-encoding says.',
    }),
  incomplete: () => errorResponse({ status: 400, code: 'incomplete_body', message: 'The body ended early.' }),
};

function invalidJson(body: string): ErrorResponse {
  return errorResponse({
    status: 400,
    code: 'invalid_json',
    message: `The body is not valid JSON: ${errorPlaceText(jsonErrorPlace(body))}.`,
  });
}

function errorPlaceText(place: JsonErrorPlace | undefined): string {
  if (place === undefined) return 'the first error comes after more than four million characters';
  const { line, column, ended } = place;
  return `${ended ? 'it ends too early, at' : 'the first error is at'} line ${line}, column ${column}`;
}

const NOT_JSON = errorResponse({
  status: 415,
  code: 'unsupported_media_type',
  message: 'Send JSON, with the header content-type: application/json.',
});

const NO_BODY = errorResponse({
  status: 400,
  code: 'empty_body',
  message: 'The body is empty. Send a JSON object with a prompt or messages.',
});
