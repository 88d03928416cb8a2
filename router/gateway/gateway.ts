import type { ChainCall, FallbackChain } from '../fallback/index.ts';
import { isLarge, nextTurn } from '../turns.ts';
import { type Asked, answerOf } from './answers.ts';
import { type Bookkeeping, booksOf, CLIENT_LEFT, idOf, type Progress } from './books.ts';
import { checkBody } from './check-body.ts';
import { selectionHeaders } from './decision-headers.ts';
import type { GatewayAnswer, GatewayRequest } from './requests.ts';
import { type SelectionParts, select } from './selection.ts';

/** One state of the configuration, exchanged as a whole when it changes. */
export interface GatewayParts extends SelectionParts {
  readonly chain: FallbackChain;
}

export interface GatewayContext extends Bookkeeping {
  /** Of the moment: a request keeps the parts that it began with. */
  readonly parts: () => GatewayParts;
}

/**
 * Answers one request of a client: selects, asks the chain, passes the answer on.
 * @throws PlimsollError where the request cannot be routed; the reason of `request.signal` where the client left. Its books are closed then
 */
export async function answer(request: GatewayRequest, context: GatewayContext): Promise<GatewayAnswer> {
  const progress: Progress = { startedAt: new Date(), request };
  try {
    checkBody(request);
    const parts = context.parts();
    const call = callOf(request, parts);
    const selection = await select(request, call, parts);
    progress.selection = selection;
    if (isLarge(request.bodyText)) await nextTurn();
    request.signal.throwIfAborted();
    progress.upstreamFromMs = performance.now();
    const deadline = progress.upstreamFromMs + parts.upstream.deadlineMs;
    const result = parts.chain.run(call, selection.candidates, deadline);
    // While the provider is at work: nothing of this may hold up the call.
    if (selection.decision) context.shares.chose(selection.selected.name);
    progress.id = idOf(progress);
    progress.told = selectionHeaders(progress.id, selection);
    progress.result = await result;
    progress.firstByteMs = performance.now();
    return answerOf(progress as Asked, context);
  } catch (error) {
    const left = request.signal.aborted;
    const status = left ? CLIENT_LEFT : request.statusOf(error);
    booksOf(progress, context, status)(left ? 'client-left' : 'whole');
    throw error;
  }
}

function callOf(request: GatewayRequest, { upstream: { unmappable } }: GatewayParts): ChainCall {
  const { dialect, operation, body, bodyText, headers, memory, signal } = request;
  const stream = body['stream'] === true;
  return {
    dialect,
    operation,
    body,
    bodyText,
    stream,
    unmappable,
    mappings: new Map(),
    headers,
    memory,
    signal,
  };
}
