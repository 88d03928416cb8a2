import { type ErrorAnswer, errorAnswer } from './error-answer.ts';
import { jsonErrorPlace } from './json-error-place.ts';
import type { BodyFault } from './read-body.ts';

/** Of the routes that only decide. */
const TOO_LARGE = "(server.max_body_bytes). Send less text: only the person's own words are scored.";

/** What went wrong while the body was read -> the answer. */
export function bodyFaultAnswer(fault: BodyFault, maxBytes: number, tooLarge = TOO_LARGE): ErrorAnswer {
  if (fault !== 'too-large') return FAULTS[fault];
  const message = `The body is larger than ${maxBytes} bytes ${tooLarge}`;
  return errorAnswer({ status: 413, code: 'body_too_large', message });
}

const FAULTS: Readonly<Record<Exclude<BodyFault, 'too-large'>, ErrorAnswer>> = {
  'unsupported-encoding': errorAnswer({
    status: 415,
    code: 'unsupported_encoding',
    message: 'The body must be UTF-8 JSON, plain or with content-encoding gzip, deflate or br.',
  }),
  'broken-encoding': errorAnswer({
    status: 400,
    code: 'invalid_body',
    message: 'The body is not what its content-encoding says.',
  }),
  incomplete: errorAnswer({ status: 400, code: 'incomplete_body', message: 'The body ended early.' }),
};

export function invalidJson(body: string): ErrorAnswer {
  const { line, column, ended } = jsonErrorPlace(body);
  const what = ended ? 'it ends too early, at' : 'the first error is at';
  return errorAnswer({
    status: 400,
    code: 'invalid_json',
    message: `The body is not valid JSON: ${what} line ${line}, column ${column}.`,
  });
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
