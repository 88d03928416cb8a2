import type { CatalogModel } from '../catalog/index.ts';
import { fieldIn, isObject, objectsIn, parseJson } from '../json/index.ts';
import type { FailedAttempt, Failure, ProviderCall } from './types.ts';

/** Why no connection was made. */
type ConnectFailure =
  | 'connect'
  | 'connect-refused'
  | 'connect-timeout'
  | 'dns'
  | 'tls-untrusted'
  | 'tls-host-name'
  | 'tls-expired'
  | 'tls';

/** How an exchange with a provider fails. A body that is being read throws the last five only. */
export type ExchangeFailure =
  | ConnectFailure
  | 'first-byte' // sent, and nothing came in time
  | 'stall' // silence between two chunks
  | 'too-long' // the whole took longer than an attempt may
  | 'reset' // the connection broke, or ended before the answer did
  | 'no-memory' // nowhere to hold the answer: our own lack, not the model's
  | 'unreadable'; // not HTTP, or a compression that cannot be undone

/**
 * An exchange failed. If a reply's body throws it, what came before has been passed on as it came, half an event included, so no other
 * reply may follow. `message` holds no byte of the reply and no key.
 */
export class ExchangeError extends Error {
  readonly reason: ExchangeFailure;
  /** The bytes that were passed on hold the provider's own error, which the client's library throws: nothing need be added. */
  readonly reportedToClient: boolean;
  /** The system's error code, such as `ECONNREFUSED`. */
  readonly code: string | undefined;

  constructor(reason: ExchangeFailure, message: string, reportedToClient = false, code?: string) {
    super(message);
    this.code = code;
    this.name = 'ExchangeError';
    this.reason = reason;
    this.reportedToClient = reportedToClient;
  }
}

/** undici's errors for a response that is not HTTP, if no head has come. After the head they mean that the end is missing. */
const NO_HTTP = /^(HPE_|HTTPParserError|UND_ERR_HEADERS_OVERFLOW)/;
/** OpenSSL's verification errors as node names them (https://nodejs.org/api/tls.html#x509-certificate-error-codes), without those below. */
const UNTRUSTED =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_(UNTRUSTED|REJECTED|REVOKED|SIGNATURE_FAILURE|CHAIN_TOO_LONG)|INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED|CRL_)/;
const CONNECT_FAILURES: readonly (readonly [RegExp, ConnectFailure])[] = [
  [/^ECONNREFUSED$/, 'connect-refused'],
  [/^(ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$/, 'connect-timeout'],
  [/^(ENOTFOUND|EAI_)/, 'dns'],
  [UNTRUSTED, 'tls-untrusted'],
  [/^(ERR_TLS_CERT_ALTNAME_|HOSTNAME_MISMATCH$)/, 'tls-host-name'],
  [/^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/, 'tls-expired'],
  [/^(EPROTO$|ERR_SSL_|ERR_TLS_|ERROR_IN_CERT_|CERT_)/, 'tls'],
];

/** What an error of undici's means in each phase of the exchange. Only its code is kept: messages may hold addresses or what was sent. */
export function exchangeErrorFrom(error: Error, phase: 'connecting' | 'sent' | 'answered'): ExchangeError {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  if (phase === 'connecting') {
    return new ExchangeError(connectFailure(code), `No connection (${code}).`, false, code);
  }
  // A server that wants a certificate of ours says so after the handshake.
  if (phase === 'sent' && code.startsWith('ERR_SSL_')) {
    return new ExchangeError('tls', `The connection broke (${code}).`, false, code);
  }
  return phase === 'sent' && NO_HTTP.test(code)
    ? new ExchangeError('unreadable', `The answer is not HTTP (${code}).`, false, code)
    : new ExchangeError('reset', `The connection broke (${code}).`, false, code);
}

function connectFailure(code: string): ConnectFailure | 'reset' {
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'reset';
  return CONNECT_FAILURES.find(([pattern]) => pattern.test(code))?.[1] ?? 'connect';
}

const FAILURE_BY_STATUS: Readonly<Record<number, Failure>> = {
  401: 'auth',
  402: 'quota-exhausted',
  403: 'auth',
  404: 'model-missing',
  408: 'request-timeout',
  429: 'rate-limited',
  503: 'overloaded',
  529: 'overloaded',
};

/**
 * OpenAI: context_length_exceeded, and "Request too large for" with 429 if one request is above the limit of a minute; Anthropic: "prompt
 * is too long", "exceed context limit", and with 429 that long contexts cost extra; vLLM, Mistral: "maximum context length"; llama.cpp:
 * "context size".
 */
const CONTEXT_WINDOW =
  /context_length_exceeded|exceed_context_size|prompt is too long|exceeds? (the )?(available |maximum )?context|maximum context length|^Request too large for|required for long context requests/i;
/** OpenAI: content_filter, content_policy_violation, invalid_prompt; Azure: ResponsibleAIPolicyViolation; Anthropic: "content filtering policy"; OpenRouter: "input was flagged". */
const CONTENT_FILTER =
  /content_filter|content_policy_violation|invalid_prompt|ResponsibleAIPolicyViolation|content (filtering|management) policy|(input|prompt|request) was flagged/i;
/** OpenAI's code, which other addresses send with 400, and Groq's. */
const MODEL_MISSING_CODES: ReadonlySet<string> = new Set(['model_not_found', 'model_decommissioned']);
/** Amazon's 400 for a model id that does not exist, or that is only called by the id of an inference profile. */
const MODEL_MISSING_MESSAGE =
  /^(?:The provided model identifier is invalid|Invocation of model ID .{0,200}on-demand throughput)/;
/** Codes for an account that may not use the model, or any: Groq. */
const ACCOUNT_CODES: ReadonlySet<string> = new Set(['organization_restricted', 'model_terms_required']);
/** How messages about it begin. In this order: Groq, OpenAI, Google, Amazon (three times). */
const ACCOUNT_MESSAGES = new RegExp(
  `^(?:${[
    'Organization has been restricted',
    'Your organization must be verified',
    'User location is not supported',
    'Operation not allowed\\.?$',
    'Your account is not authorized to invoke this API operation',
    'Access to Bedrock models is not allowed for this account',
  ].join('|')})`,
  'i',
);
/** Statuses whose bodies are read. A 5xx means the same whatever its body says. */
const STATUSES_WITH_REASON = new Set([400, 401, 402, 403, 404, 409, 412, 413, 422, 429]);
/**
 * Codes and types of errors for an exhausted budget: OpenAI and many that copy it, OpenAI's hard limit and inactive accounts,
 * Anthropic, Moonshot, New API, Groq's spend limit, Google, Azure, Alibaba, Volcengine, Vercel's AI Gateway, Amazon.
 */
const QUOTA_CODES: ReadonlySet<string> = new Set([
  'insufficient_quota',
  'billing_hard_limit_reached',
  'billing_not_active',
  'billing_error',
  'exceeded_current_quota_error',
  'insufficient_balance',
  'insufficient_credits',
  'insufficient_user_quota',
  'pre_consume_token_quota_failed',
  'blocked_api_access',
  'BILLING_DISABLED',
  'ReadOnlyDisabledSubscription',
  'Arrearage',
  'AllocationQuota.FreeTierOnly',
  'AccountOverdueError',
  'customer_verification_required',
  'ServiceQuotaExceededException',
]);
/**
 * How messages about it begin. Only the beginning counts: elsewhere a message may quote what the client wrote. In this order: Anthropic
 * (four times), OpenAI (twice), DeepSeek and OpenRouter, OpenRouter's limit of a key, Alibaba, xAI, Amazon (twice), Azure, Hugging Face,
 * Fireworks, Moonshot, Mistral, Google (three times).
 */
const QUOTA_MESSAGES = new RegExp(
  `^(?:${[
    'You have reached your specified (?:[a-z]+ )?(?:API )?usage limits',
    'This organization has been disabled',
    'Your credit balance is too low',
    "There's an issue with your billing",
    'Your account is not active, please check your billing',
    'Billing hard limit',
    'Insufficient (?:account )?(?:balance|credits?|funds)',
    'Key limit exceeded',
    'Access denied, please make sure your account is in good standing',
    "Your (?:newly created )?team .{0,200}(?:used all available credits|spending limit|doesn't have any credits)",
    'Too many tokens per day',
    'Model access is denied due to INVALID_PAYMENT_INSTRUMENT',
    'Out of call volume quota',
    'You have exceeded your monthly included credits',
    'Account (?:.{0,200} )?is suspended',
    'Your account (?:.{0,200} )?is suspended',
    'Inactive subscription or usage limit reached',
    'This API method requires billing to be enabled',
    'Your prepayment credits are depleted',
    '(?:User location / )?Gemini API free tier is not available in your country',
  ].join('|')})`,
  'i',
);
/** What a 403 about money speaks of, in whatever words; one about a key, a region or a permission does not. */
const MONEY =
  /\b(?:billing|payments?|unpaid|invoices?|credits?|balance|spend(?:ing)? (?:limit|cap)|overdue|past due|arrears|top[ -]?up|recharge)\b|余额|欠费|额度/i;
/** A longer message may quote what the client wrote. */
const MONEY_WITHIN_CHARACTERS = 300;
/** Google's limits of a day; those of a minute are rate limits (google.rpc.QuotaFailure). */
const GOOGLE_DAILY = /"quotaId":\s*"[^"]*PerDay/;
/** A 404 about something that the request itself names, and that is no model. Codes count too: previous_response_not_found. */
const NAMED_RESOURCE =
  /(?:^|[^a-z])(?:file|container|thread|response|conversation|assistant|vector[ _]store|skill|batch|message|session|document|image|audio|item|cached ?content|prompt)s?(?:[^a-z]|$)/i;
const MODEL_RESOURCE = /(?:^|[^a-z])(?:model|deployment|endpoint|engine|inference profile)s?(?:[^a-z]|$)/i;

/**
 * What a response that is no 2xx means. Only the fields that hold the reason are read, so that a prompt that is quoted elsewhere in the body
 * decides nothing. HTML with a 4xx of no other meaning comes from something between us and the provider: a bad answer, and not the client's
 * fault. So does a redirection.
 * @param text the body, or the beginning of it
 */
export function classifyRefusal(status: number, contentType: string | undefined, text: string): Failure {
  const reason = STATUSES_WITH_REASON.has(status) ? reasonIn(text) : undefined;
  if (reason !== undefined) {
    const { codes, message } = reason;
    if (isQuota(reason, status, text)) return 'quota-exhausted';
    if (codes.some((code) => MODEL_MISSING_CODES.has(code)) || MODEL_MISSING_MESSAGE.test(message))
      return 'model-missing';
    if (codes.some((code) => ACCOUNT_CODES.has(code)) || ACCOUNT_MESSAGES.test(message)) return 'auth';
    const all = [message, ...codes].join(' ');
    if (status === 404) return namesOtherResource(all) ? 'bad-request' : 'model-missing';
    if (status !== 401 && CONTEXT_WINDOW.test(all)) return 'context-window';
    if (status !== 401 && status !== 429 && CONTENT_FILTER.test(all)) return 'content-filter';
    if (status === 403 && MONEY.test(all.slice(0, MONEY_WITHIN_CHARACTERS))) return 'quota-exhausted';
  }
  const known = FAILURE_BY_STATUS[status];
  if (known !== undefined) return known;
  if (status >= 500) return 'server-error';
  return status < 400 || contentType?.startsWith('text/html') ? 'bad-answer' : 'bad-request';
}

/** The provider's codes, and its sentence. */
interface Reason {
  readonly codes: readonly string[];
  readonly message: string;
}

function isQuota({ codes, message }: Reason, status: number, text: string): boolean {
  if (codes.some((code) => QUOTA_CODES.has(code)) || QUOTA_MESSAGES.test(message)) return true;
  return status === 429 && codes.includes('RESOURCE_EXHAUSTED') && GOOGLE_DAILY.test(text);
}

function namesOtherResource(message: string): boolean {
  return NAMED_RESOURCE.test(message) && !MODEL_RESOURCE.test(message);
}

/** Tiers of service that every account has. */
const USUAL_TIERS: readonly unknown[] = [undefined, null, 'auto', 'default', 'standard', 'standard_only'];
/** Anthropic's betas with rate limits and permissions of their own. */
const OWN_LIMITS = /context-1m|fast-mode/;

/**
 * Whether an extra that the client asked for may have caused the refusal, and not the model or the operator's account as others use it: a
 * tier or speed of service with its own limits, or more output tokens than the account can pay for at the moment.
 */
export function isProvoked({ body, headers }: ProviderCall, status: number, text: string): boolean {
  if (status === 402) return /can only afford/.test(text);
  if (status !== 403 && status !== 429) return false;
  if (!USUAL_TIERS.includes(body['service_tier']) || (body['speed'] ?? 'standard') !== 'standard')
    return true;
  return OWN_LIMITS.test(String(headers['anthropic-beta'] ?? ''));
}

/** Code, type and message of the error object of OpenAI, Azure, Anthropic, Google and those that copy them. */
function reasonIn(text: string): Reason {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { codes: [], message: '' };
  }
  const error = fieldIn(json, 'error') ?? json;
  if (typeof error === 'string') return { codes: [], message: error };
  const inner = fieldIn(error, 'innererror');
  const codes = [
    fieldIn(error, 'code'),
    fieldIn(error, 'type'),
    fieldIn(error, 'status'),
    fieldIn(inner, 'code'),
    ...objectsIn(error, 'details').map((detail) => detail['reason']), // google.rpc.ErrorInfo
  ];
  const message = fieldIn(error, 'message') ?? fieldIn(error, 'detail');
  return { codes: codes.filter(isString), message: isString(message) ? message : '' };
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

/** Google's fields with the address of a file, in either spelling. */
const FILE_ADDRESS = /^file_?uri$/i;
/**
 * What a 403 about them says: "You do not have permission to access the File abc or it may not exist.", "CachedContent not found (or
 * permission denied)", "does not have storage.objects.get access".
 */
const ABOUT_FILE = /\bfile(?:s|Uri|_uri|Data)?\b|\bstorage\.objects\b/i;
const ABOUT_CACHE = /\bcached ?contents?\b/i;

/**
 * Whether a refusal of Google's is about a file or a cached prompt that the client's request names, and not about the operator's key: it is of
 * another account, or has expired.
 */
export function isAboutNamedFile({ passed }: Pick<ProviderCall, 'passed'>, text: string): boolean {
  const { message } = reasonIn(text);
  const isAboutCache = ABOUT_CACHE.test(message);
  if (typeof passed?.body !== 'string' || !(isAboutCache || ABOUT_FILE.test(message))) return false;
  const sent = parseJson(passed.body);
  if (isAboutCache) return isString(fieldIn(sent, 'cachedContent') ?? fieldIn(sent, 'cached_content'));
  return namesFile(fieldIn(sent, 'contents'));
}

function namesFile(contents: unknown): boolean {
  const parts = [contents].flat().flatMap((content) => [fieldIn(content, 'parts')].flat());
  return parts.some((part) => {
    const file = fieldIn(part, 'fileData') ?? fieldIn(part, 'file_data');
    return isObject(file) && Object.keys(file).some((name) => FILE_ADDRESS.test(name));
  });
}

type Headers = Readonly<Record<string, string>>;

const SECOND_MS = 1000;
/** Larger numbers of x-ratelimit-reset are a time and not a wait: seconds since 1970, or milliseconds. */
const EPOCH_SECONDS = 1e9;
const EPOCH_MS = 1e12;

/**
 * How long a provider asks to wait, in ms, 0 or more; undefined if it does not say, or not in a known form.
 * `retry-after-ms`, else `Retry-After` in seconds or as an HTTP date (RFC 9110, section 10.2.3), else `x-ratelimit-reset` as a
 * wait in seconds, a wait with units (`1m30s`), or a time in seconds or milliseconds since 1970.
 */
export function retryAfterMs(headers: Headers, now: number = Date.now()): number | undefined {
  const wait =
    plainNumber(headers['retry-after-ms']) ??
    secondsOrDate(headers['retry-after'], now) ??
    resetWait(headers['x-ratelimit-reset'], now);
  return wait === undefined ? undefined : Math.max(0, Math.round(wait));
}

function secondsOrDate(value: string | undefined, now: number): number | undefined {
  const seconds = plainNumber(value);
  if (seconds !== undefined) return seconds * SECOND_MS;
  const date = value === undefined || !/^[A-Z][a-z]{2}/.test(value) ? Number.NaN : Date.parse(value);
  return Number.isNaN(date) ? undefined : date - now;
}

function resetWait(value: string | undefined, now: number): number | undefined {
  const number = plainNumber(value);
  if (number === undefined) return withUnits(value);
  if (number >= EPOCH_MS) return number - now;
  return number >= EPOCH_SECONDS ? number * SECOND_MS - now : number * SECOND_MS;
}

/** `6m0s`, `1.5s`, `20ms`: how OpenAI writes it. */
function withUnits(value = ''): number | undefined {
  const parts = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?$/.exec(value);
  if (value === '' || parts === null) return undefined;
  const [hours = 0, minutes = 0, seconds = 0, ms = 0] = parts
    .slice(1)
    .map((part) => (part === undefined ? 0 : Number(part)));
  return ((hours * 60 + minutes) * 60 + seconds) * SECOND_MS + ms;
}

function plainNumber(value: string | undefined): number | undefined {
  return value !== undefined && /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : undefined;
}

/** What an exchange that failed before the reply's first byte is called. */
const FAILURE_BY_REASON: Readonly<Record<Exclude<ExchangeFailure, ConnectFailure>, Failure>> = {
  'first-byte': 'timeout',
  stall: 'timeout',
  'too-long': 'timeout',
  reset: 'reset',
  'no-memory': 'overloaded',
  unreadable: 'bad-answer',
};

/** @param what completes the sentence that begins with the model's name: our words, never the provider's, which may quote prompt or key */
export function failedAttempt(
  model: CatalogModel,
  failure: Failure,
  status: number | undefined,
  what: string,
): FailedAttempt {
  return {
    kind: 'failure',
    failure,
    status,
    retryAfterMs: undefined,
    message: `${model.name} ${what}.`,
  };
}

/** Nothing was sent. The variable's name is no secret, and whoever set the server up needs it. @param missing a clause: see ProviderKey */
export function missingKeyFailure(model: CatalogModel, missing: string): FailedAttempt {
  return {
    ...failedAttempt(model, 'auth', undefined, `was not called, because ${missing}`),
    unset: missing,
  };
}

/** The exchange failed before the reply's first byte. */
export function exchangeFailure(
  model: CatalogModel,
  error: ExchangeError,
  status: number | undefined,
): FailedAttempt {
  const what = `gave no answer: ${error.message.replace(/\.$/, '')}`;
  const { reason, code } = error;
  const failure = Object.hasOwn(FAILURE_BY_REASON, reason)
    ? FAILURE_BY_REASON[reason as keyof typeof FAILURE_BY_REASON]
    : (reason as ConnectFailure);
  return {
    ...failedAttempt(model, failure, status, what),
    ...(code !== undefined && { code }),
    ...(reason === 'no-memory' && { provoked: true }),
  };
}
