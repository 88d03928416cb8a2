import { randomUUID } from 'node:crypto';
import { costUsd } from '../catalog/cost.ts';
import type { CatalogModel, Dialect } from '../catalog/types.ts';
import { errorBody, errorEvent } from '../dialects/errors.ts';
import { baselineCostUsd } from '../telemetry/savings.ts';
import { UpstreamBroken } from '../upstream/broken.ts';
import type { AttemptRecord, Chain, ChainCall, ChainResult } from '../upstream/chain/types.ts';
import type { AnswerBody, Usage } from '../upstream/types.ts';
import { type Bookkeeping, booksOf, CLIENT_LEFT, type Progress } from './books.ts';
import { decisionHeaders } from './decision-headers.ts';
import { type GatewayAnswer, type GatewayRequest, passedOnHeaders } from './requests.ts';
import { type SelectionParts, select } from './selection.ts';

/** One state of the configuration, exchanged as a whole when it changes. */
export interface GatewayParts extends SelectionParts {
  readonly chain: Chain;
}

export interface GatewayContext extends Bookkeeping {
  /** Of the moment: a request keeps the parts that it began with. */
  readonly parts: () => GatewayParts;
}

/** A request that the chain has answered, or failed. */
type Asked = Required<Progress>;

/**
 * Answers one request of a client: selects, asks the chain, passes the answer on.
 * @throws PlimsollError where the request cannot be routed; the reason of `request.signal` where the client left. Its books are closed then
 */
export async function answer(request: GatewayRequest, context: GatewayContext): Promise<GatewayAnswer> {
  const progress: Progress = { id: `req_${randomUUID()}`, startedAt: new Date(), request };
  try {
    const parts = context.parts();
    const selection = await select(request, parts);
    progress.selection = selection;
    if (selection.decision) {
      progress.id = selection.decision.id;
      context.shares.chose(selection.selected.name);
    }
    progress.upstreamFromMs = performance.now();
    const deadline = progress.upstreamFromMs + parts.upstream.deadline_ms;
    progress.result = await parts.chain.run(callOf(request), selection.candidates, deadline);
    progress.firstByteMs = performance.now();
    return await answerOf(progress as Asked, progress.result, context);
  } catch (error) {
    const left = request.signal.aborted;
    const status = left ? CLIENT_LEFT : request.statusOf(error);
    booksOf(progress, context, status)(left ? 'client-left' : 'whole');
    throw error;
  }
}

function callOf(request: GatewayRequest): ChainCall {
  const { dialect, operation, body, bodyText, signal } = request;
  const stream = body['stream'] === true;
  return { dialect, operation, body, bodyText, stream, headers: passedOnHeaders(request), signal };
}

async function answerOf(asked: Asked, result: ChainResult, context: GatewayContext): Promise<GatewayAnswer> {
  if (result.kind === 'failure') return failureAnswer(asked, result, context);
  const streams = asked.request.body['stream'] === true;
  return streams ? streamAnswer(asked, result, context) : wholeAnswer(asked, result, context);
}

type Answered = Extract<ChainResult, { kind: 'answer' }>;
type Failed = Extract<ChainResult, { kind: 'failure' }>;

function failureAnswer(progress: Asked, result: Failed, context: GatewayContext): GatewayAnswer {
  const { dialect } = progress.request;
  const { status, reason, message, body } = result.failure;
  const own = Buffer.from(
    JSON.stringify(errorBody(dialect, { status, message, code: reason.replaceAll('-', '_') })),
  );
  const retryAfter =
    result.retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(result.retryAfterMs / 1000)) };
  return {
    status,
    headers: headersOf(progress, { 'content-type': 'application/json', ...retryAfter }),
    body: body ?? own,
    streamed: false,
    finished: booksOf(progress, context, status),
  };
}

/** Of a plain answer; what is longer is passed on as it comes, so that no provider can fill the memory. */
const MAX_HELD_BYTES = 32 * 2 ** 20;

/** A plain answer is read to its end first, so that its cost can stand in its head; one that is very long is not. */
async function wholeAnswer(
  progress: Asked,
  { model, outcome }: Answered,
  context: GatewayContext,
): Promise<GatewayAnswer> {
  const { status, headers } = outcome;
  try {
    const { body, ended } = await heldBody(outcome.body);
    const usage = ended ? outcome.usage() : undefined;
    return {
      status,
      headers: headersOf(progress, headers, model, usage),
      body,
      streamed: false,
      finished: booksOf(progress, context, status, outcome.usage),
    };
  } catch (error) {
    if (!(error instanceof UpstreamBroken)) throw error;
    return brokenAnswer(progress, context);
  }
}

async function heldBody(source: AnswerBody) {
  if (source.whole) return { body: source.whole, ended: true };
  const iterator = source[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  for (let bytes = 0; bytes <= MAX_HELD_BYTES; ) {
    const next = await iterator.next();
    if (next.done) return { body: Buffer.concat(held), ended: true };
    held.push(next.value);
    bytes += next.value.length;
  }
  return { body: heldAndRest(held, source), ended: false };
}

/** `rest` goes on where it was left: it is one iterator, not one for each loop. */
async function* heldAndRest(held: readonly Uint8Array[], rest: AsyncIterable<Uint8Array>) {
  yield* held;
  yield* rest;
}

function brokenAnswer(progress: Asked, context: GatewayContext): GatewayAnswer {
  const { dialect } = progress.request;
  const status = 502;
  const message = 'The answer of the provider broke off.';
  return {
    status,
    headers: headersOf(progress, { 'content-type': 'application/json' }),
    body: Buffer.from(JSON.stringify(errorBody(dialect, { status, message, code: 'upstream_broken' }))),
    streamed: false,
    finished: booksOf(progress, context, status),
  };
}

function streamAnswer(progress: Asked, { model, outcome }: Answered, context: GatewayContext): GatewayAnswer {
  const { status } = outcome;
  // Heartbeats and an error event may come between: the provider's length would then be wrong.
  const { 'content-length': _, ...headers } = outcome.headers;
  return {
    status,
    headers: headersOf(
      progress,
      { ...headers, 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
      model,
    ),
    body: outcome.body,
    streamed: true,
    finished: booksOf(progress, context, status, outcome.usage),
  };
}

/**
 * What ends a stream that broke off: no other model's words may follow. The blank line ends an event of which half has come, so that
 * the two stay apart; elsewhere it says nothing (HTML standard, section 9.2.6).
 */
export function brokenEvent(dialect: Dialect): string {
  const message = 'The answer of the provider broke off. What came before is not the whole.';
  return `\n\n${errorEvent(dialect, { status: 502, message, code: 'upstream_broken' })}`;
}

function headersOf(
  progress: Asked,
  headers: Readonly<Record<string, string>>,
  served?: CatalogModel,
  usage?: Usage,
): Record<string, string> {
  const { id, request, selection, upstreamFromMs, firstByteMs, result } = progress;
  const { selected, reason, decision, ladder } = selection;
  const story = {
    id,
    selected: selected.name,
    served: served?.name,
    policy: decision?.policy.name,
    reason,
    attempts: madeOf(result.attempts).length,
    costUsd: costUsd(served?.price, usage),
    baselineCostUsd: baselineCostUsd(ladder.at(-1)?.price, usage),
    overheadMs: performance.now() - request.startedMs - (firstByteMs - upstreamFromMs),
  };
  return decisionHeaders(story, headers);
}

function madeOf(attempts: readonly AttemptRecord[]): readonly AttemptRecord[] {
  return attempts.filter(({ outcome }) => !outcome.startsWith('skipped'));
}
