import type { CallLine, LineCall, LineReply } from '../batches/index.ts';
import { httpStatus, PlimsollError } from '../errors.ts';
import type { Gateway, GatewayReply, GatewayRequest } from '../gateway/index.ts';
import { toErrorResponse } from '../http/index.ts';
import { parseJson } from '../json/index.ts';
import type { MemoryBudget } from '../memory-budget.ts';
import type { NamedProfile } from '../profile-choice.ts';
import type { Router } from '../router.ts';

/** What the gateway takes each endpoint for. */
const OPERATIONS = {
  '/v1/chat/completions': { dialect: 'openai', operation: 'chat' },
  '/v1/messages': { dialect: 'anthropic', operation: 'chat' },
  '/v1/responses': { dialect: 'responses', operation: 'chat' },
  '/v1/embeddings': { dialect: 'openai', operation: 'embeddings' },
} as const;

/** A longer reply is not kept. */
const MAX_REPLY_BYTES = 32 * 2 ** 20;
const NO_HEADERS = {};

interface Parts {
  readonly gateway: Pick<Gateway, 'queue' | 'handle'>;
  readonly router: Router;
  readonly budget: MemoryBudget;
  /** For lines and batches that name none. */
  readonly profile: string | undefined;
}

/**
 * Lines of batches as requests of their client: by the same gateway, limits and records as those that come over HTTP, but in the background of the
 * queue, so that those go first.
 */
export function batchCalls({ gateway, router, budget, profile }: Parts): CallLine {
  return async (call) => {
    const entry = await gateway.queue.enterInBackground(call.waits);
    if (entry.outcome !== 'entered') return undefined;
    const memory = budget.share();
    const bodyText = JSON.stringify(call.body);
    memory.count(2 * bodyText.length);
    const request: GatewayRequest = {
      ...OPERATIONS[call.url],
      body: call.body,
      bodyText,
      headers: NO_HEADERS,
      memory,
      signal: call.signal,
      keyId: call.client.keyId,
      team: call.client.team,
      tags: call.client.tags,
      task: call.client.task,
      profile: call.client.profile ?? defaultProfile(call, profile),
      startedMs: performance.now(),
      ledgerPrefix: call.ledgerPrefix,
    };
    try {
      return await wholeReply(await gateway.handle(request, router), router);
    } catch (error) {
      if (call.signal.aborted) return undefined;
      return refusal(error);
    } finally {
      memory.release();
      entry.leave();
    }
  };
}

/** A line that names a profile in its model is for that one. */
function defaultProfile({ body }: LineCall, name: string | undefined): NamedProfile | undefined {
  const { model } = body;
  const isNamed = typeof model === 'string' && model.startsWith('auto:');
  return name === undefined || isNamed ? undefined : { name, by: 'header' };
}

async function wholeReply(reply: GatewayReply, router: Router): Promise<LineReply> {
  const { status, headers } = reply;
  let bytes: Uint8Array | undefined;
  try {
    bytes = await bytesOf(reply);
    reply.finished(bytes === undefined ? 'broken' : 'whole');
  } finally {
    reply.finished('broken'); // does nothing after the others
  }
  const common = {
    requestId: headers['x-plimsoll-decision-id'] ?? '',
    isOurs: reply.spent === undefined,
    verdict: undefined,
    escalated: undefined,
  };
  if (bytes === undefined) {
    const error = { message: `The reply was longer than ${MAX_REPLY_BYTES} bytes.`, code: 'reply_too_large' };
    return { ...common, status: 502, body: { error }, retryAfterMs: undefined, mayRetry: false };
  }
  const text = Buffer.from(bytes).toString('utf8');
  const retryAfterS = Number(headers['retry-after'] ?? Number.NaN);
  return {
    ...common,
    status,
    body: parseJson(text) ?? text,
    retryAfterMs: Number.isFinite(retryAfterS) ? retryAfterS * 1_000 : undefined,
    mayRetry: headers['x-should-retry'] === 'false' ? false : undefined,
    verdict: headers['x-plimsoll-verdict'],
    escalated: isEscalated(headers, router),
  };
}

/** Whether another model replied than the cheapest candidate; undefined if no policy decided. */
function isEscalated(headers: GatewayReply['headers'], router: Router): boolean | undefined {
  if (headers['x-plimsoll-policy'] === undefined) return undefined;
  const profile = headers['x-plimsoll-profile'];
  const ladder = profile === undefined ? router.ladder : router.profiles.get(profile)?.rungs;
  const cheapest = ladder?.[0]?.model;
  return cheapest === undefined ? undefined : headers['x-plimsoll-served'] !== cheapest;
}

/** @returns undefined if it is too long to be kept */
async function bytesOf({ body }: GatewayReply): Promise<Uint8Array | undefined> {
  if (body instanceof Uint8Array) return body.length > MAX_REPLY_BYTES ? undefined : body;
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > MAX_REPLY_BYTES) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** A request that the gateway refuses, or cannot carry out. */
function refusal(error: unknown): LineReply {
  const { body } = toErrorResponse(error);
  const isOurs = error instanceof PlimsollError;
  return {
    status: isOurs ? httpStatus(error) : 502, // whatever broke on the way may not break again
    requestId: '',
    body,
    isOurs,
    retryAfterMs: undefined,
    mayRetry: isOurs && httpStatus(error) !== 503 ? false : undefined,
    verdict: undefined,
    escalated: undefined,
  };
}
