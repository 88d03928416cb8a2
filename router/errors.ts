/** Every error that Plimsoll raises on purpose carries one of these codes. The list is closed: a new failure gets a new code. */
export type ErrorCode =
  | 'invalid-input' // the caller's data are wrong: a flag, a row, a request body
  | 'invalid-config' // plimsoll.config.yaml is wrong
  | 'invalid-artifact' // an artifact is missing, changed or made by another version
  | 'ungated' // an artifact or a policy would serve without a valid PASS of the gate
  | 'weights-missing' // an encoder's weights are not on this machine, or are not the ones expected
  | 'insufficient-data' // the labels cannot support what was asked: too few, one class, no difference
  | 'refused-by-rule' // a rule of the configuration refuses the request
  | 'forbidden' // the API key lacks the role that this takes
  | 'conflict' // somebody else was first
  | 'too-late' // what the request is about is over
  | 'queue-full' // as much waits as the configuration allows
  | 'too-large' // a limit on size or length was passed
  | 'too-many-entries' // a list in a request is longer than its limit
  | 'not-found' // a named thing (policy, file, route) does not exist
  | 'model-not-found' // what a request's `model` names does not exist
  | 'previous-response-not-found' // the response that a request goes on from is not kept here
  | 'state-unavailable' // the database of the state cannot be reached
  | 'invalid-state' // the database is damaged, or its schema is newer or older than the code
  | 'closed' // a router was asked after it was closed
  | 'io' // the operating system refused: read-only folder, port in use
  | 'internal'; // a violated internal invariant

/** The one map from error codes to HTTP. */
const HTTP_STATUS: Readonly<Record<ErrorCode, 400 | 403 | 404 | 409 | 410 | 413 | 429 | 500 | 503>> = {
  'invalid-input': 400,
  'not-found': 404,
  'model-not-found': 404,
  'previous-response-not-found': 400,
  'state-unavailable': 503,
  'invalid-state': 500,
  closed: 503,
  'refused-by-rule': 403,
  forbidden: 403,
  conflict: 409,
  'too-late': 410,
  'queue-full': 429,
  'too-large': 413,
  'too-many-entries': 400,
  'invalid-config': 500,
  'invalid-artifact': 500,
  ungated: 500,
  'weights-missing': 500,
  'insufficient-data': 500,
  io: 500,
  internal: 500,
};

/** Where in a file the trouble is. Lines count from 1. */
export interface ErrorPlace {
  readonly file?: string;
  readonly line?: number;
  readonly field?: string;
  /** The rule of the configuration that speaks. */
  readonly rule?: string;
}

/**
 * The one error class of Plimsoll. `message` is a sentence for a person: what is wrong, where, and how to fix it.
 * It never holds prompt text or a secret.
 */
export class PlimsollError extends Error {
  readonly code: ErrorCode;
  readonly place: ErrorPlace;

  constructor(code: ErrorCode, message: string, options: { place?: ErrorPlace; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PlimsollError';
    this.code = code;
    this.place = options.place ?? {};
  }
}

/** The error for a field of a request. @param why a predicate without its full stop, such as `must be a list` */
export function invalidField(field: string, why: string): PlimsollError {
  return new PlimsollError('invalid-input', `${field} ${why}.`, { place: { field } });
}

/** The HTTP status of anything thrown. */
export function httpStatus(error: unknown): number {
  return error instanceof PlimsollError ? HTTP_STATUS[error.code] : 500;
}

/** Longest part of a name that a message repeats. */
const QUOTED_CHARACTERS = 100;
const UNPRINTABLE = /[^\p{L}\p{N}\p{P}\p{S} ]/gu;

/** A name from outside, for a message: its beginning, with U+FFFD for what does not print (line breaks, control and format characters). */
export function quoted(name: string): string {
  const text = name.slice(0, QUOTED_CHARACTERS).replace(UNPRINTABLE, '\uFFFD');
  return name.length > QUOTED_CHARACTERS ? `${text}…` : text;
}

/** What a router rejects with after `close`: a decision without its classifier would be an escalation that nobody asked for. */
export function closedError(): PlimsollError {
  return new PlimsollError(
    'closed',
    'The router is closed: it decides nothing any more. Create another one.',
  );
}

/** The operating system's code of an error, such as ENOENT; `unknown reason` for an error without one. */
export function systemErrorCode(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
}

/** What may be logged of an error: the message of our own; of others, whose messages may quote a prompt, name and place. */
export interface SafeError {
  readonly error: string;
  readonly code?: string;
  readonly message?: string;
  readonly where?: string;
}

export function safeError(error: unknown): SafeError {
  if (error instanceof PlimsollError) {
    return { error: error.name, code: error.code, message: error.message };
  }
  if (!(error instanceof Error)) return { error: typeof error };
  const where = firstFrame(error);
  return { error: error.name, ...(where !== undefined && { where }) };
}

/** `function (file:line:column)` of the first stack frame. The message before it may have many lines. */
function firstFrame({ stack = '', message }: Error): string | undefined {
  const frames = stack.slice(stack.indexOf(message) + message.length);
  return frames.match(/^ {4}at (.{1,300})$/m)?.[1];
}
