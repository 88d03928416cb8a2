import { randomUUID } from 'node:crypto';
import { costUsd } from '../catalog/index.ts';
import type { FallbackResult } from '../fallback/index.ts';
import { routedText } from '../prompt/index.ts';
import type { Usage } from '../providers/index.ts';
import { baselineCostUsd, type RequestFacts, type RungShares, randomCostUsd } from '../records/index.ts';
import type { Message } from '../types.ts';
import type { GatewayAnswer, GatewayRequest } from './requests.ts';
import type { Selection } from './selection.ts';

/** Who keeps the books. */
export interface Bookkeeping {
  readonly shares: RungShares;
  /** Whether the routed text goes to the books: only where the operator turned it on. */
  readonly includePrompt: boolean;
  /** Told of every request when its last byte is sent. */
  readonly observe: (facts: RequestFacts) => void;
}

/** What has become known of a request so far. What it did not come to is undefined. */
export interface Progress {
  readonly startedAt: Date;
  readonly request: GatewayRequest;
  selection?: Selection;
  id?: string;
  /** What the answer's head says of the selection. */
  told?: Record<string, string>;
  upstreamFromMs?: number;
  firstByteMs?: number;
  result?: FallbackResult;
}

/** The decision's own; where there is none, a new one. */
export function idOf({ id, selection }: Progress): string {
  return id ?? selection?.decision?.id ?? `req_${randomUUID()}`;
}

/** In place of a status where the client left before there was one: nginx writes it so into its logs. */
export const CLIENT_LEFT = 499;

/** What closes the books of a request, once; further calls do nothing. @param usageAtEnd asked when they are closed */
export function booksOf(
  progress: Progress,
  keeping: Bookkeeping,
  status: number,
  usageAtEnd: () => Usage | undefined = () => undefined,
): GatewayAnswer['finished'] {
  let closed = false;
  return (ended) => {
    if (closed) return;
    closed = true;
    keeping.observe(factsOf(progress, keeping, usageAtEnd(), status, ended));
  };
}

function factsOf(
  progress: Progress,
  { shares, includePrompt }: Bookkeeping,
  usage: Usage | undefined,
  status: number,
  ended: RequestFacts['ended'],
): RequestFacts {
  const { startedAt, request, selection, upstreamFromMs, firstByteMs, result } = progress;
  const ladder = selection?.ladder ?? [];
  const served = result?.kind === 'answer' ? result.model : undefined;
  const model = request.body['model'];
  const rungs = ladder.map(({ name, price }) => ({ price, share: shares.shareOf(name) }));
  const endedMs = performance.now();
  return {
    id: idOf(progress),
    startedAt,
    dialect: request.dialect,
    operation: request.operation,
    stream: request.body['stream'] === true,
    requestedModel: typeof model === 'string' ? model : '',
    selected: selection?.selected,
    served,
    reason: selection?.reason ?? 'refused',
    decision: selection?.decision,
    attempts: result?.attempts ?? [],
    dropped: result?.kind === 'answer' ? result.outcome.dropped : undefined,
    usage,
    costUsd: costUsd(served?.price, usage),
    baselineCostUsd: baselineCostUsd(ladder.at(-1)?.price, usage),
    randomCostUsd: randomCostUsd(rungs, usage),
    keyId: request.keyId,
    prompt: includePrompt ? promptOf(request) : undefined,
    status,
    ended,
    overheadMs: (upstreamFromMs ?? endedMs) - request.startedMs,
    upstreamMs: upstreamFromMs === undefined ? undefined : endedMs - upstreamFromMs,
    firstByteMs: firstByteMs === undefined ? undefined : firstByteMs - request.startedMs,
    durationMs: endedMs - request.startedMs,
  };
}

/** Undefined where the body has no words of a person, such as that of embeddings. */
function promptOf({ body }: GatewayRequest): string | undefined {
  try {
    return routedText({ messages: body['messages'] as readonly Message[] });
  } catch {
    return undefined;
  }
}
