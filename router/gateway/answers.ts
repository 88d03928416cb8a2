import { type CatalogModel, costUsd, type Dialect } from '../catalog/index.ts';
import { errorBody, errorEvent } from '../dialects/index.ts';
import { attemptsMade, type FallbackResult } from '../fallback/index.ts';
import type { Usage } from '../providers/index.ts';
import { baselineCostUsd } from '../records/index.ts';
import { type Bookkeeping, booksOf, type Progress } from './books.ts';
import { answerHead, type Costs, costHeaders } from './decision-headers.ts';
import type { GatewayAnswer } from './requests.ts';

/** A request that the chain has answered, or failed. */
export type Asked = Required<Progress>;

type Answered = Extract<FallbackResult, { kind: 'answer' }>;
type Failed = Extract<FallbackResult, { kind: 'failure' }>;

/** What goes back to the client. */
export function answerOf(asked: Asked, keeping: Bookkeeping): GatewayAnswer {
  const { result, request } = asked;
  if (result.kind === 'failure') return failureAnswer(asked, result, keeping);
  return request.body['stream'] === true
    ? streamAnswer(asked, result, keeping)
    : plainAnswer(asked, result, keeping);
}

function failureAnswer(asked: Asked, { failure, retryAfterMs }: Failed, keeping: Bookkeeping): GatewayAnswer {
  const { status, reason, message, body } = failure;
  const said = errorBody(asked.request.dialect, { status, message, code: reason.replaceAll('-', '_') });
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (retryAfterMs !== undefined) headers['retry-after'] = String(Math.ceil(retryAfterMs / 1000));
  return {
    status,
    headers: headersOf(asked, headers),
    body: body ?? Buffer.from(JSON.stringify(said)),
    streamed: false,
    finished: booksOf(asked, keeping, status),
  };
}

/** One that is here as a whole says in its head what it cost; one that was too long to hold does not. */
function plainAnswer(asked: Asked, { model, outcome }: Answered, keeping: Bookkeeping): GatewayAnswer {
  const { status, headers, body } = outcome;
  const usage = body.whole && outcome.usage();
  return {
    status,
    headers: headersOf(asked, headers, model, usage),
    body: body.whole ?? body,
    streamed: false,
    finished: booksOf(asked, keeping, status, outcome.usage),
  };
}

/** What it cost is known when it has ended, and follows it. */
function streamAnswer(asked: Asked, { model, outcome }: Answered, keeping: Bookkeeping): GatewayAnswer {
  const { status } = outcome;
  // Heartbeats and an error event may come between: the provider's length would then be wrong.
  const { 'content-length': _, ...headers } = outcome.headers;
  const own = { ...headers, 'cache-control': 'no-store', 'x-accel-buffering': 'no' };
  return {
    status,
    headers: headersOf(asked, own, model),
    body: outcome.body,
    streamed: true,
    trailers: () => costHeaders({}, costsOf(asked, model, outcome.usage())),
    finished: booksOf(asked, keeping, status, outcome.usage),
  };
}

/**
 * What ends a stream that broke off: no other model's words may follow. The blank line ends an event of which half has come, so that
 * the two stay apart; elsewhere it says nothing (HTML standard, section 9.2.6).
 */
export function brokenEvent(dialect: Dialect, requestId: string): string {
  const message = 'The answer of the provider broke off. What came before is not the whole.';
  return `\n\n${errorEvent(dialect, { status: 502, message, code: 'upstream_broken', requestId })}`;
}

const NOTHING_DROPPED: readonly string[] = [];

function headersOf(
  asked: Asked,
  headers: Readonly<Record<string, string>>,
  served?: CatalogModel,
  usage?: Usage,
): Record<string, string> {
  const { told, request, upstreamFromMs, firstByteMs, result } = asked;
  const { costUsd, baselineCostUsd } = costsOf(asked, served, usage);
  return answerHead(told, headers, {
    served: served?.name,
    attempts: attemptsMade(result.attempts),
    overheadMs: performance.now() - request.startedMs - (firstByteMs - upstreamFromMs),
    dropped: (result.kind === 'answer' && result.outcome.dropped) || NOTHING_DROPPED,
    costUsd,
    baselineCostUsd,
  });
}

function costsOf({ selection }: Asked, served?: CatalogModel, usage?: Usage): Costs {
  return {
    costUsd: costUsd(served?.price, usage),
    baselineCostUsd: baselineCostUsd(selection.ladder.at(-1)?.price, usage),
  };
}
