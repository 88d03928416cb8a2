import { httpStatus } from '../errors.ts';
import type { FallbackChain } from '../fallback/index.ts';
import type { UnroutedCall, UpstreamSettings } from '../providers/index.ts';
import { isLarge, nextTurn } from '../turns.ts';
import { executePlan, type Strategy } from './plan.ts';
import { type GatewayReply, replyTo, selectionHeaders } from './reply.ts';
import { checkBody, type GatewayRequest } from './request.ts';
import { CLIENT_LEFT, type Recording, recordOnce, requestId } from './request-record.ts';
import { type Selection, type SelectionParts, selectModel } from './select-model.ts';

/** One state of the configuration; a request keeps the one that it started with. */
export interface GatewayParts extends SelectionParts {
  readonly strategy: Strategy;
  readonly chain: FallbackChain;
}

/**
 * Handles one request: selects a model, plans, executes the plan, passes the reply on. It is recorded when the reply has been sent.
 * @throws PlimsollError if the request cannot be routed; the reason of `request.signal` if the client left. It is recorded then
 */
export async function handleRequest(
  request: GatewayRequest,
  parts: GatewayParts,
  recording: Recording,
): Promise<GatewayReply> {
  const startedAt = new Date();
  let selection: Selection | undefined;
  let calledMs: number | undefined;
  try {
    checkBody(request);
    const call = callFor(request, parts.upstream);
    selection = await selectModel(request, call, parts);
    if (isLarge(request.bodyText)) await nextTurn();
    request.signal.throwIfAborted();
    const plan = parts.strategy(selection, parts.upstream);
    calledMs = performance.now();
    const executed = executePlan(plan, call, parts.chain, calledMs);
    // Runs while we wait for the provider, so it adds no latency.
    if (selection.decision) recording.shares.chose(selection.selected.name);
    const id = requestId(selection);
    const headers = selectionHeaders(id, selection);
    const result = await executed;
    const firstByteMs = performance.now();
    return replyTo({ request, startedAt, selection, id, headers, calledMs, result, firstByteMs }, recording);
  } catch (error) {
    const left = request.signal.aborted;
    const status = left ? CLIENT_LEFT : httpStatus(error);
    const ended = left ? 'client-left' : 'whole';
    recordOnce({ request, startedAt, selection, calledMs }, recording, status)(ended);
    throw error;
  }
}

function callFor(request: GatewayRequest, { unmappable }: UpstreamSettings): UnroutedCall {
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
