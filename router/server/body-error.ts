import { type JsonErrorPlace, jsonErrorPlace } from '../json/index.ts';
import { type ErrorAnswer, errorAnswer } from './error-answer.ts';
import { type BodyFault, type BodyLimits, MAX_COMPRESSION_RATIO } from './read-body.ts';

/**
 * What went wrong while the body was read, as a response.
 * @param field the setting that limits the size
 */
export function bodyFaultAnswer(fault: BodyFault, limits: BodyLimits, field: string): ErrorAnswer {
  return FAULTS[fault](limits, field);
}

const FAULTS: Readonly<Record<BodyFault, (limits: BodyLimits, field: string) => ErrorAnswer>> = {
  'too-large': ({ maxBytes }, field) =>
    errorAnswer({
      status: 413,
      code: 'body_too_large',
      message: `The body is larger than ${maxBytes} bytes (${field}). Send less text, or fewer and smaller pictures.`,
    }),
  'over-budget': () =>
    errorAnswer({
      status: 413,
      code: 'body_too_large',
      message:
        'The body needs more memory than one request may hold (server.max_bytes_at_work). Send less text, or fewer and smaller pictures.',
    }),
  'no-memory': () =>
    errorAnswer({
      status: 503,
      code: 'overloaded',
      message: 'Other requests hold as many bytes as server.max_bytes_at_work allows. Try again in a moment.',
      headers: { 'retry-after': '1' },
    }),
  'too-compressed': () =>
    errorAnswer({
      status: 413,
      code: 'body_too_compressed',
      message: `The body is more than ${MAX_COMPRESSION_RATIO} times as large as its compressed form. Send it without content-encoding.`,
    }),
  'too-deep': ({ maxDepth }) =>
    errorAnswer({
      status: 400,
      code: 'json_too_deep',
      message: `The body nests objects and lists deeper than ${maxDepth} levels (server.max_json_depth). Send flatter JSON.`,
    }),
  'too-many-values': ({ maxValues }) =>
    errorAnswer({
      status: 413,
      code: 'too_many_values',
      message: `The body has more than ${maxValues} JSON values; an object or list counts eight more, a field name four more (server.max_json_values). Send fewer entries.`,
    }),
  'unsupported-encoding': () =>
    errorAnswer({
      status: 415,
      code: 'unsupported_encoding',
      message: 'The body must be UTF-8 JSON, plain or with content-encoding gzip, deflate or br.',
    }),
  'broken-encoding': () =>
    errorAnswer({
      status: 400,
      code: 'invalid_body',
      message: 'The body is not what its content-encoding says.',
    }),
  incomplete: () => errorAnswer({ status: 400, code: 'incomplete_body', message: 'The body ended early.' }),
};

export function invalidJson(body: string): ErrorAnswer {
  return errorAnswer({
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

export const NOT_JSON = errorAnswer({
  status: 415,
  code: 'unsupported_media_type',
  message: 'Send JSON, with the header content-type: application/json.',
});

export const NO_BODY = errorAnswer({
  status: 400,
  code: 'empty_body',
  message: 'The body is empty. Send a JSON object with a prompt or messages.',
});
