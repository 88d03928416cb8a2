import type { Dialect } from '../catalog/index.ts';

/** An error before it has the form of a dialect. */
interface DialectError {
  /** HTTP, 400 to 599; determines the error's type. */
  readonly status: number;
  /** A sentence for people, without keys or another client's text. */
  readonly message: string;
  /** For programs, such as `unmappable_field`. In Anthropic's form it is `details.error_code`. */
  readonly code?: string;
  /** The field of the request that is at fault, such as `messages.0.content`. In Anthropic's form it is `details.param`. */
  readonly param?: string;
  /** Only in Anthropic's form; OpenAI's clients read it from a header. */
  readonly requestId?: string;
}

/** OpenAI's error body: https://platform.openai.com/docs/guides/error-codes. */
interface OpenAIErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}

/** Anthropic's error body: https://docs.anthropic.com/en/api/errors, section "Error shapes". */
interface AnthropicErrorBody {
  readonly type: 'error';
  readonly error: {
    readonly type: string;
    readonly message: string;
    readonly details?: { readonly error_code?: string; readonly param?: string };
  };
  readonly request_id?: string;
}

const OPENAI_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  429: 'rate_limit_error',
};

const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/** The body of an error response, as the dialect's official client reads it. */
export function errorBody(dialect: 'openai', error: DialectError): OpenAIErrorBody;
export function errorBody(dialect: 'anthropic', error: DialectError): AnthropicErrorBody;
export function errorBody(dialect: Dialect, error: DialectError): OpenAIErrorBody | AnthropicErrorBody;
export function errorBody(dialect: Dialect, error: DialectError): OpenAIErrorBody | AnthropicErrorBody {
  return dialect === 'anthropic' ? anthropicBody(error) : openaiBody(error);
}

/**
 * The same as the last event of a stream that has begun: neither `[DONE]` nor `message_stop` follows. Both official clients throw it to
 * the reader of the stream.
 */
export function errorEvent(dialect: Dialect, error: DialectError): string {
  const data = `data: ${JSON.stringify(errorBody(dialect, error))}\n\n`;
  return dialect === 'anthropic' ? `event: error\n${data}` : data;
}

function openaiBody({ status, message, code, param }: DialectError): OpenAIErrorBody {
  const type = OPENAI_TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'server_error');
  return { error: { message, type, param: param ?? null, code: code ?? null } };
}

function anthropicBody({ status, message, code, param, requestId }: DialectError): AnthropicErrorBody {
  const type = ANTHROPIC_TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
  const details = { ...(code !== undefined && { error_code: code }), ...(param !== undefined && { param }) };
  const error = { type, message, ...(Object.keys(details).length > 0 && { details }) };
  return { type: 'error', error, ...(requestId !== undefined && { request_id: requestId }) };
}
