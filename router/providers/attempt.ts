import type { Dispatcher } from 'undici';
import type { CatalogModel, ProviderKey } from '../catalog/index.ts';
import { isKnownEncoding } from '../content-encoding.ts';
import { PlimsollError } from '../errors.ts';
import {
  type AttemptOutcome,
  type AttemptTimeouts,
  askingForLogprobs,
  type ConnectionPools,
  classifyRefusal,
  clientHeaders,
  connectionPools,
  contentEncoding,
  createCredentials,
  decodedBody,
  ExchangeError,
  errorInsteadOfStream,
  exchangeFailure,
  type FailedAttempt,
  type Failure,
  failedAttempt,
  firstBytes,
  type Head,
  headFault,
  isAboutNamedFile,
  isProvoked,
  missingKeyFailure,
  nativeRefusal,
  type OpenExchange,
  type Outbound,
  openExchange,
  type PrepareAttempt,
  type ProviderCall,
  type ReadyAttempt,
  reportedFailure,
  retryAfterMs,
  type UnroutedCall,
} from '../exchange/index.ts';
import { parseJson } from '../json/index.ts';
import { loadMappedAttempt, sharedMapping } from '../mapped-calls/index.ts';
import { askingForStreamUsage, passedReply, plainReply, streamedReply } from '../native-replies/index.ts';
import { isSecret, withoutKey } from '../provider-key.ts';
import { isWithinLimits, withNamedEffort } from '../targets/index.ts';
import { refusesNamedEffort, withNamedEfforts } from './named-efforts.ts';
import { type NativeRequest, nativeRequest } from './native-request.ts';

/** Providers that speak the client's dialect get the bytes; the others go through the AI SDK, which is loaded with the first such request. */
export function prepareByDialect(outbound?: Outbound): PrepareAttempt {
  const native = askingForStreamUsage(createNativeAttempt({ outbound }));
  let mapped: Promise<PrepareAttempt> | undefined;
  return withNamedEfforts(
    askingForLogprobs((call) => {
      if (call.passed || speaks(call.model, call)) return native(call);
      mapped ??= loadMappedAttempt({ outbound });
      return mapped.then((prepare) => prepare(call));
    }),
  );
}

/**
 * Whether a model's API can carry a call. One that speaks the client's dialect carries everything within its limits; for others the call is
 * mapped here, and the attempt sends that mapping. An error other than a refusal is left to the attempt.
 */
export function canCarry(call: UnroutedCall, model: CatalogModel): boolean | Promise<boolean> {
  if (model.effort !== undefined && refusesNamedEffort({ ...call, model })) return false;
  return call.operation !== 'chat' || speaks(model, call) ? takesNative(call, model) : canMap(call, model);
}

/** Whether a call is within the known limits of a model's API, if the API gets it as it came; true if it is mapped. */
export function takesNative(call: UnroutedCall, model: CatalogModel): boolean {
  const { dialect, body } = call;
  return call.operation !== 'chat' || !speaks(model, call) || isWithinLimits({ model, dialect, body });
}

function speaks({ provider }: CatalogModel, { dialect }: Pick<UnroutedCall, 'dialect'>): boolean {
  return provider.dialects.includes(dialect);
}

function canMap(call: UnroutedCall, model: CatalogModel): Promise<boolean> {
  return sharedMapping(withNamedEffort({ ...call, model }), process.env).then(
    () => true,
    (error: unknown) => !(error instanceof PlimsollError),
  );
}

interface NativeAttemptOptions {
  /** Replaces the connection pools; with it, no request is sent a second time, and its own timeouts apply too. */
  readonly dispatcher?: Dispatcher;
  /** How providers are reached. Default: directly, and trusting whom Node trusts. */
  readonly outbound?: Outbound | undefined;
  /** Holds the providers' keys. Default: the environment of the process. */
  readonly env?: NodeJS.ProcessEnv;
  /** A plain reply up to this many bytes is held until its JSON is checked; a longer one passes unchecked. Default 32 MB. */
  readonly maxReplyBytes?: number;
}

const MAX_REPLY_BYTES = 32 * 1024 * 1024;

/**
 * Attempts on providers that speak the client's dialect: the body goes out with only `model` replaced, and the reply comes back byte for byte,
 * but for what `nativeRequest` and `plainReply` name.
 * Connections are kept open. No redirection is followed. A request is sent a second time only if a kept connection turned out to be gone
 * before anything was received: once, at once, on a new one, within the same time limits. `connectMs` counts up to 30 s.
 * @returns see PrepareAttempt. Throws PlimsollError `internal` for a provider that does not speak the dialect.
 */
export function createNativeAttempt(options: NativeAttemptOptions = {}): PrepareAttempt {
  const { dispatcher, outbound, env = process.env, maxReplyBytes = MAX_REPLY_BYTES } = options;
  const pools = connectionPools(dispatcher, outbound);
  const credentialOf = createCredentials(env);
  return (call) => {
    requireDialect(call);
    const credential = credentialOf(call.model.provider);
    return credential instanceof Promise
      ? credential.then((fetched) => nativeAttempt(call, fetched, { pools, maxReplyBytes }))
      : nativeAttempt(call, credential, { pools, maxReplyBytes });
  };
}

interface NativeParts {
  readonly pools: ConnectionPools;
  readonly maxReplyBytes: number;
}

function nativeAttempt(
  call: ProviderCall,
  { key, missing }: ProviderKey,
  { pools, maxReplyBytes }: NativeParts,
): ReadyAttempt | FailedAttempt {
  if (missing !== undefined) return missingKeyFailure(call.model, missing);
  let request: NativeRequest | undefined; // built when it is first sent: an open breaker may let nothing through
  return {
    kind: 'ready',
    async send(timeouts) {
      call.signal.throwIfAborted();
      request ??= nativeRequest(call, key);
      let head: Head | undefined;
      try {
        const opened = await openExchange(pools, request, call, timeouts);
        head = opened.head;
        const outcome = await readOutcome(call, opened, timeouts, key, maxReplyBytes);
        const { dropped } = request;
        return outcome.kind === 'reply' && dropped.length > 0 ? { ...outcome, dropped } : outcome;
      } catch (error) {
        if (call.signal.aborted || !(error instanceof ExchangeError)) throw error;
        return exchangeFailure(call.model, error, head?.status);
      }
    },
  };
}

function requireDialect({ model, dialect, passed }: ProviderCall): void {
  if (passed || speaks(model, { dialect })) return;
  throw new PlimsollError(
    'internal',
    `${model.name} does not speak the ${dialect} dialect; such a call goes through the mapped attempt.`,
  );
}

function readOutcome(
  call: ProviderCall,
  opened: OpenExchange,
  { idleMs }: AttemptTimeouts,
  key: string | undefined,
  maxReplyBytes: number,
): Promise<AttemptOutcome> | AttemptOutcome {
  const { exchange, head } = opened;
  if (head.status < 200 || head.status > 299) return errorOutcome(call, opened, idleMs, key);
  if (call.passed) return passedReply(call, opened, idleMs, key, maxReplyBytes);
  const fault = headFault(head, call.stream);
  if (fault !== undefined) return noReply(call, opened, fault, idleMs, key);
  return call.stream
    ? streamedReply(call, head, decodedBody(exchange, head, idleMs), key)
    : plainReply(call, opened, idleMs, key, maxReplyBytes);
}

/** The outcome of a 2xx that cannot be the reply, but may report an error. */
async function noReply(
  call: ProviderCall,
  opened: OpenExchange,
  fault: string,
  idleMs: number,
  key: string | undefined,
): Promise<AttemptOutcome> {
  const { exchange, head } = opened;
  const error = call.stream ? await errorInsteadOfStream(opened, idleMs) : undefined;
  exchange.close();
  return error === undefined
    ? failedAttempt(call.model, 'bad-answer', head.status, fault)
    : reportedFailure(call, head, error, key);
}

/** The outcome of a response that is no 2xx. Its silences may last `idleMs`; what came until then counts. */
async function errorOutcome(
  call: ProviderCall,
  opened: OpenExchange,
  idleMs: number,
  key: string | undefined,
): Promise<AttemptOutcome> {
  const { status, headers: incoming } = opened.head;
  const body = await errorBody(opened, idleMs, key);
  const headers = clientHeaders(incoming, true, key);
  const text = body.toString('utf8');
  const classified = classifyRefusal(status, headers['content-type'], text);
  const failure = isClientsToKnow(call, status, classified, text) ? 'bad-request' : classified;
  return {
    ...failedAttempt(call.model, failure, status, `answered ${status} (${failure})`),
    retryAfterMs: retryAfterMs(headers),
    ...(isProvoked(call, status, text) && { provoked: true }),
    ...(failure === 'bad-request' && { body: nativeRefusal(call, status, body) }),
  };
}

/** What a passed-through route does not find, a file or the route itself, and one thing that the provider does not let the key read. */
function isClientsToKnow(call: ProviderCall, status: number, failure: Failure, text: string): boolean {
  const { passed } = call;
  if (passed === undefined) return false;
  if (failure === 'model-missing') return true;
  return status === 403 && failure === 'auth' && (passed.byId === true || isAboutNamedFile(call, text));
}

/** Without the key: some providers repeat what they refuse. */
async function errorBody(
  { exchange, head }: OpenExchange,
  idleMs: number,
  key: string | undefined,
): Promise<Buffer> {
  const encoding = contentEncoding(head);
  if (encoding !== undefined && !isKnownEncoding(encoding)) {
    exchange.close();
    return Buffer.alloc(0);
  }
  const body = await firstBytes(decodedBody(exchange, head, idleMs));
  return isSecret(key) ? bodyWithoutKey(body, key) : body;
}

/** JSON may have characters of the key as escapes: some servers write `+` and `/` so. */
function bodyWithoutKey(body: Buffer, key: string): Buffer {
  const text = body.toString('utf8');
  const plain = text.includes('\\') ? (JSON.stringify(parseJson(text)) ?? text) : text;
  if (plain.includes(key)) return Buffer.from(withoutKey(plain, key));
  return text.includes(key) ? Buffer.from(withoutKey(text, key)) : body;
}
