import { type CatalogModel, costUsd, type Dialect, type TokenCounts } from '../catalog/index.ts';
import { errorBody, errorEvent } from '../dialects/index.ts';
import { ExchangeError, type Usage } from '../exchange/index.ts';
import { attemptsMade, type FallbackResult } from '../fallback/index.ts';
import { baselineCostUsd, type CheckFacts, type RequestFacts, totalCostUsd } from '../records/index.ts';
import type { FoundReply } from '../response-cache/index.ts';
import type { ReplyRecorder } from './reply-cache.ts';
import { COST_TRAILERS, type Costs, costHeaders, replyHeaders } from './reply-headers.ts';
import type { GatewayRequest } from './request.ts';
import { abandonedReplies, type Recording, type RequestStages, recordOnce } from './request-record.ts';
import { ResponseEnd } from './response-end.ts';
import type { Selection } from './selection.ts';
import { estimatedUsage } from './spent-replies.ts';

/** What goes back to the client. */
export interface GatewayReply {
  readonly status: number;
  /** Made for this reply: the sender may add its own. */
  readonly headers: Record<string, string>;
  /** The dialect's JSON or SSE stream. */
  readonly body: AsyncIterable<Uint8Array> | Uint8Array;
  /** Only of a stream. */
  readonly stream: StreamEnd | undefined;
  /** To be called when the last byte is sent, or the reply broke off: records the request, once. */
  readonly finished: (ended: RequestFacts['ended']) => void;
  /** What it has cost so far; of a stream, known when its body has ended. Left out if no model can have been called. */
  readonly spent?: () => ReplySpending | 'nothing-sent';
}

/** The calls that a request has to pay for. */
export interface ReplySpending {
  /** The model that replied, else the one that was selected. */
  readonly model: string;
  readonly calls: readonly { readonly model: CatalogModel; readonly usage: TokenCounts }[];
}

/** What follows the last event of a stream. */
export interface StreamEnd {
  /** Value of the header `trailer`. */
  readonly trailerNames: string;
  /** Known when the stream has ended. */
  trailers(): Readonly<Record<string, string>>;
  /** The event that ends a stream that broke off; undefined if the provider has sent its own. */
  errorEvent(error: unknown, requestId: string): string | undefined;
}

/** A request whose plan was executed. */
export interface ExecutedRequest extends RequestStages {
  readonly selection: Selection;
  readonly id: string;
  /** By `selectionHeaders`. */
  readonly headers: Record<string, string>;
  readonly calledMs: number;
  readonly result: FallbackResult;
  readonly check: CheckFacts | undefined;
  readonly firstByteMs: number;
}

type Replied = Extract<FallbackResult, { kind: 'reply' }>;
type Failed = Extract<FallbackResult, { kind: 'failure' }>;

export function replyTo(executed: ExecutedRequest, recording: Recording): GatewayReply {
  const { result, request } = executed;
  if (result.kind === 'failure') return failureReply(executed, result, recording);
  return isStream(request, result)
    ? streamReply(executed, result, recording)
    : plainReply(executed, result, recording);
}

/** What a passed-through route sends is known by its type. */
function isStream({ passed, body }: GatewayRequest, { outcome }: Replied): boolean {
  if (passed === undefined) return body['stream'] === true;
  return outcome.headers['content-type']?.startsWith('text/event-stream') === true;
}

export function failureReply(
  executed: ExecutedRequest,
  { failure, retryAfterMs }: Failed,
  recording: Recording,
): GatewayReply {
  const { status, reason, message, body, needsOperator } = failure;
  const error = { status, message, code: reason.replaceAll('-', '_') };
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (needsOperator) headers['x-should-retry'] = 'false'; // the official SDKs retry a 503 otherwise
  if (retryAfterMs !== undefined) headers['retry-after'] = String(Math.ceil(retryAfterMs / 1000));
  return {
    status,
    headers: headersOf(executed, headers),
    body: body ?? Buffer.from(JSON.stringify(errorBody(executed.request.dialect, error))),
    stream: undefined,
    finished: recordOnce(executed, recording, status),
    spent: () => spentOn(executed),
  };
}

/** The head of a reply that is held as a whole has its cost; one that was too long to hold has not. */
function plainReply(
  executed: ExecutedRequest,
  { model, outcome }: Replied,
  recording: Recording,
): GatewayReply {
  const { status, headers, body } = outcome;
  const { drawn } = executed;
  const usage = body.whole && outcome.usage();
  if (body.whole !== undefined) {
    drawn?.hold(body.whole);
    recorderOf(executed)?.hold(body.whole);
  }
  return {
    status,
    headers: headersOf(executed, headers, model, usage),
    body: body.whole ?? watched(executed, body),
    stream: undefined,
    finished: recordOnce(executed, recording, status, outcome.usage),
    spent: () => spentOn(executed, { model, outcome }),
  };
}

const STREAM_HEADERS = { 'cache-control': 'no-store', 'x-accel-buffering': 'no' };

function streamReply(
  executed: ExecutedRequest,
  { model, outcome }: Replied,
  recording: Recording,
): GatewayReply {
  const { status } = outcome;
  const { dialect } = executed.request;
  // Heartbeats and an error event may come in between: the provider's length would then be wrong.
  const { 'content-length': _, ...headers } = outcome.headers;
  const own = { ...headers, ...STREAM_HEADERS };
  const end = dialect === 'responses' ? new ResponseEnd() : undefined;
  const passed = watched(executed, outcome.body);
  return {
    status,
    headers: headersOf(executed, own, model),
    body: end === undefined ? passed : end.watch(passed),
    stream: {
      trailerNames: COST_TRAILERS,
      trailers: () => costHeaders({}, costsOf(executed, model, outcome.usage())),
      errorEvent: (error, requestId) => streamErrorEvent(dialect, error, requestId, end),
    },
    finished: recordOnce(executed, recording, status, outcome.usage),
    spent: () => spentOn(executed, { model, outcome }),
  };
}

/** The same bytes, held on their way by whoever keeps the reply. */
function watched(executed: ExecutedRequest, body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const drawn = executed.drawn?.watch(body) ?? body;
  return recorderOf(executed)?.watch(drawn) ?? drawn;
}

function recorderOf({ cache }: RequestStages): ReplyRecorder | undefined {
  return cache?.outcome === 'miss' ? cache.recorder : undefined;
}

/** What a stream is held for. */
export type HeldFor = 'a check' | 'a person';

const HELD: Readonly<Record<HeldFor, Buffer>> = {
  'a check': Buffer.from(': the answer is being checked\n\n'),
  'a person': Buffer.from(': waiting for a person\n\n'),
};
const LATE_NAMES = [
  'x-plimsoll-selected',
  'x-plimsoll-reason',
  'x-plimsoll-session',
  'x-plimsoll-served',
  'x-plimsoll-deployment',
  'x-plimsoll-attempts',
  'x-plimsoll-check-ms',
  'x-plimsoll-check-cost-usd',
];

/** No model replied after the head of a stream had been sent. */
class LateFailure extends Error {
  readonly failure: Failed['failure'];

  constructor(failure: Failed['failure']) {
    super(failure.message);
    this.name = 'LateFailure';
    this.failure = failure;
  }
}

/**
 * A stream that begins before it is known who replies: a comment, so that the client and every proxy between see that the connection is
 * alive, then the reply. What the head would have had follows in the trailers.
 */
export function earlyReply(
  stages: RequestStages & Pick<ExecutedRequest, 'id' | 'request'>,
  headers: Record<string, string>,
  executing: Promise<ExecutedRequest>,
  recording: Recording,
  heldFor: HeldFor,
): GatewayReply {
  const { dialect } = stages.request;
  const end = dialect === 'responses' ? new ResponseEnd() : undefined;
  let executed: ExecutedRequest | undefined;
  let record: GatewayReply['finished'] | undefined;
  async function* body(): AsyncGenerator<Uint8Array> {
    yield HELD[heldFor];
    executed = await executing;
    if (executed.result.kind === 'failure') throw new LateFailure(executed.result.failure);
    const { body } = executed.result.outcome;
    const passed = watched(executed, body);
    yield* end === undefined ? passed : end.watch(passed);
  }
  const usage = () => (executed?.result.kind === 'reply' ? executed.result.outcome.usage() : undefined);
  return {
    status: 200,
    headers: { ...headers, ...STREAM_HEADERS, 'content-type': 'text/event-stream; charset=utf-8' },
    body: body(),
    stream: {
      trailerNames: [...LATE_NAMES, COST_TRAILERS].join(', '),
      trailers: () => (executed === undefined ? {} : lateHeaders(executed)),
      errorEvent: (error, requestId) =>
        error instanceof LateFailure
          ? failureEvent(dialect, error.failure, requestId, end)
          : streamErrorEvent(dialect, error, requestId, end),
    },
    finished: (ended) => {
      record ??= recordOnce(executed ?? stages, recording, 200, usage);
      record(ended);
    },
    spent() {
      if (executed === undefined) return { model: '', calls: [] };
      const { result } = executed;
      return spentOn(executed, result.kind === 'reply' ? result : undefined);
    },
  };
}

/** A reply that was kept from an earlier request. It costs nothing, and no provider is called. */
export function cachedReply(
  stages: RequestStages & Pick<ExecutedRequest, 'id' | 'request' | 'selection'>,
  found: FoundReply,
  headers: Record<string, string>,
  recording: Recording,
): GatewayReply {
  const { request, drawn } = stages;
  const { body, ageMs, dropped = NOTHING_DROPPED } = found;
  const stream = request.body['stream'] === true;
  const costs = { costUsd: 0, baselineCostUsd: undefined };
  const own = {
    age: String(Math.floor(ageMs / 1_000)),
    'content-type': stream ? 'text/event-stream; charset=utf-8' : 'application/json',
    ...(stream && STREAM_HEADERS),
  };
  const overheadMs = performance.now() - request.startedMs;
  const facts = { served: found.model, attempts: 0, overheadMs, dropped, ...costs };
  drawn?.hold(body);
  return {
    status: 200,
    headers: replyHeaders(headers, own, facts),
    body: stream ? inOneChunk(body) : body,
    stream: stream
      ? { trailerNames: COST_TRAILERS, trailers: () => costHeaders({}, costs), errorEvent: () => undefined }
      : undefined,
    finished: recordOnce(stages, recording, 200),
  };
}

async function* inOneChunk(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}

function lateHeaders(executed: ExecutedRequest): Record<string, string> {
  const { result } = executed;
  const served = result.kind === 'reply' ? result.model : undefined;
  const usage = result.kind === 'reply' ? result.outcome.usage() : undefined;
  const all = headersOf(executed, {}, served, usage);
  return Object.fromEntries(
    [...LATE_NAMES, ...COST_TRAILERS.split(', ')].flatMap((name) =>
      all[name] === undefined ? [] : [[name, all[name]]],
    ),
  );
}

function failureEvent(
  dialect: Dialect,
  { status, reason, message }: Failed['failure'],
  requestId: string,
  end: ResponseEnd | undefined,
) {
  if (end !== undefined) {
    return end.failed({ code: status === 429 ? 'rate_limit_exceeded' : 'server_error', message });
  }
  return errorEvent(dialect, { status, message, code: reason.replaceAll('-', '_'), requestId });
}

/**
 * Ends a stream that broke off: no other model may continue it. The leading blank line ends an event of which only half has come, so
 * that the two stay apart; otherwise it is ignored (HTML standard, section 9.2.6).
 */
function streamErrorEvent(
  dialect: Dialect,
  error: unknown,
  requestId: string,
  end: ResponseEnd | undefined,
): string | undefined {
  if (!(error instanceof ExchangeError) || error.reportedToClient) return undefined;
  const message = 'The answer of the provider broke off. What came before is not the whole.';
  if (end !== undefined) {
    const failed = end.failed({ code: 'server_error', message });
    return failed && `\n\n${failed}`;
  }
  return `\n\n${errorEvent(dialect, { status: 502, message, code: 'upstream_broken', requestId })}`;
}

const NOTHING_DROPPED: readonly string[] = [];

function headersOf(
  executed: ExecutedRequest,
  headers: Readonly<Record<string, string>>,
  served?: CatalogModel,
  usage?: Usage,
): Record<string, string> {
  const { request, calledMs, firstByteMs, result, check } = executed;
  const { costUsd, baselineCostUsd, cachedTokens, cacheWriteTokens } = costsOf(executed, served, usage);
  return replyHeaders(executed.headers, headers, {
    served: served?.name,
    deployment: served?.deployment,
    attempts: attemptsMade(result.attempts),
    overheadMs: performance.now() - request.startedMs - (firstByteMs - calledMs),
    dropped: (result.kind === 'reply' && result.outcome.dropped) || NOTHING_DROPPED,
    check,
    costUsd,
    baselineCostUsd,
    cachedTokens,
    cacheWriteTokens,
  });
}

function costsOf(
  { selection, check, request, result }: ExecutedRequest,
  served?: CatalogModel,
  usage?: Usage,
): Costs {
  return {
    costUsd: totalCostUsd(costUsd(served?.price, usage), check, abandonedReplies(request, result)),
    baselineCostUsd: baselineCostUsd((selection.compared ?? selection.ladder).at(-1)?.price, usage),
    cachedTokens: usage?.cachedInputTokens,
    cacheWriteTokens: usage?.cacheWriteInputTokens,
  };
}

/**
 * What replied and what was judged before it. A reply whose provider reported no usage, as one that broke off, counts with an estimate of its
 * input, and for a stream of its output: a client that leaves early, or did not ask for the usage of its stream, has not used nothing.
 */
function spentOn(
  executed: ExecutedRequest,
  replied?: Pick<Replied, 'model' | 'outcome'>,
): ReplySpending | 'nothing-sent' {
  const { check, selection, request, result } = executed;
  const given = [...(check?.spent ?? []), ...(abandonedReplies(request, result) ?? [])];
  const others = given.map(({ model, usage }) => ({
    model,
    usage: usage ?? estimatedUsage(request.bodyText),
  }));
  if (replied === undefined) {
    if (others.length === 0 && attemptsMade(result.attempts) === 0) return 'nothing-sent';
    return { model: selection.selected.name, calls: others };
  }
  const { model, outcome } = replied;
  const usage = outcome.usage() ?? estimatedUsage(request.bodyText, outcome);
  return { model: model.name, calls: [{ model, usage }, ...others] };
}
