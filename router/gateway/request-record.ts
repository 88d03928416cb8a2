import { costUsd, estimateTokens } from '../catalog/index.ts';
import type { Operation, Usage } from '../exchange/index.ts';
import type { FallbackResult } from '../fallback/index.ts';
import { isObject } from '../json/index.ts';
import { requestMessages, routedText } from '../prompt/index.ts';
import {
  baselineCostUsd,
  type Capture,
  type CheckFacts,
  type DrawnRequest,
  type FeedbackDesk,
  type RequestFacts,
  type RungShares,
  randomCostUsd,
  type SpentReply,
} from '../records/index.ts';
import { risingId } from '../rising-id.ts';
import type { SessionIdentity } from '../sessions/index.ts';
import type { CacheUse } from './reply-cache.ts';
import type { GatewayRequest } from './request.ts';
import { switchCostOf } from './select-model.ts';
import type { Selection } from './selection.ts';

/** Where and how requests are recorded. */
export interface Recording {
  readonly shares: RungShares;
  /** Whether the routed text is recorded: only if the operator turned it on. */
  readonly includePrompt: boolean;
  /** Called once for each request, when its last byte is sent. */
  readonly observe: (facts: RequestFacts) => void;
  /** Undefined if no request is captured. */
  readonly capture?: Pick<Capture, 'draw'> | undefined;
  /** Undefined if no feedback is taken. */
  readonly feedbackToken?: FeedbackDesk['token'] | undefined;
}

/** The stages of a request that it came to. */
export interface RequestStages {
  readonly request: GatewayRequest;
  readonly startedAt: Date;
  readonly selection: Selection | undefined;
  /** The conversation that it belongs to, if it says or shows one. */
  readonly session?: SessionIdentity | undefined;
  readonly id?: string;
  /** When the first model was called. */
  readonly calledMs: number | undefined;
  readonly result?: FallbackResult;
  readonly check?: CheckFacts | undefined;
  /** The task that people got. */
  readonly peopleTask?: string | undefined;
  readonly firstByteMs?: number;
  /** If the request was drawn to be captured. */
  readonly drawn?: DrawnRequest | undefined;
  /** What the cache of replies did; undefined if there is none. */
  readonly cache?: CacheUse | undefined;
  /** That refused the request. */
  readonly rule?: string | undefined;
  /** In place of the selection's. */
  readonly reason?: string;
  /** In place of the request's. */
  readonly operation?: Operation;
}

/**
 * Attempts that were given up because another one ended first. Their providers will charge for the prompt, and for as much of a reply as there was:
 * nobody says how much, so only the prompt counts, by an estimate.
 */
export function abandonedReplies(
  { bodyText }: Pick<GatewayRequest, 'bodyText'>,
  result: FallbackResult,
): readonly SpentReply[] | undefined {
  if (result.abandoned === undefined) return undefined;
  const usage = { inputTokens: estimateTokens(bodyText), outputTokens: 0 };
  return result.abandoned.map((model) => ({ model, usage }));
}

/** The decision's id, else a new one. */
export function requestId(selection: Selection | undefined): string {
  return selection?.decision?.id ?? `req_${risingId()}`;
}

/** Recorded as the status if the client left before there was one, as nginx does. */
export const CLIENT_LEFT = 499;

/** @returns what records the request; only its first call does anything. @param usage read when the request is recorded */
export function recordOnce(
  stages: RequestStages,
  recording: Recording,
  status: number,
  usage: () => Usage | undefined = () => undefined,
): (ended: RequestFacts['ended']) => void {
  let recorded = false;
  return (ended) => {
    if (recorded) return;
    recorded = true;
    const facts = factsOf(stages, recording, status, usage(), ended);
    if (facts.served !== undefined && facts.usage !== undefined)
      stages.selection?.session?.replied(facts.served, facts.usage);
    recording.observe(facts);
    stages.drawn?.end(facts);
    if (stages.cache?.outcome === 'miss') stages.cache.recorder.end(facts);
  };
}

function factsOf(
  stages: RequestStages,
  { shares, includePrompt }: Recording,
  status: number,
  usage: Usage | undefined,
  ended: RequestFacts['ended'],
): RequestFacts {
  const { startedAt, request, selection, calledMs, firstByteMs, result, check, cache } = stages;
  const ladder = selection?.compared ?? selection?.ladder ?? [];
  const isHit = cache?.outcome === 'hit';
  const served = isHit ? selection?.selected : result?.kind === 'reply' ? result.model : undefined;
  const model = request.body['model'];
  const rungs = ladder.map(({ name, price }) => ({ price, share: shares.shareOf(name) }));
  const endedMs = performance.now();
  return {
    id: stages.id ?? requestId(selection),
    startedAt,
    dialect: request.dialect,
    operation: stages.operation ?? request.operation,
    stream: isForStream(request),
    requestedModel: typeof model === 'string' ? model : '',
    selected: selection?.selected,
    served,
    reason: stages.reason ?? selection?.reason ?? 'refused',
    decision: selection?.decision,
    rule: stages.rule ?? selection?.decision?.rule,
    attempts: result?.attempts ?? [],
    check,
    peopleTask: stages.peopleTask,
    isForPeople: selection?.isForPeople,
    abandoned: result && abandonedReplies(request, result),
    dropped: result?.kind === 'reply' ? result.outcome.dropped : undefined,
    usage,
    outputTokens:
      usage?.outputTokens ??
      (result?.kind === 'reply' ? result.outcome.estimatedOutputTokens?.() : undefined),
    identity: result?.kind === 'reply' ? result.outcome.identity?.() : undefined,
    costUsd: isHit ? 0 : costUsd(served?.price, usage),
    cache: cache && cacheFacts(cache),
    baselineCostUsd: baselineCostUsd(ladder.at(-1)?.price, usage),
    randomCostUsd: randomCostUsd(rungs, usage),
    keyId: request.keyId,
    tags: request.tags,
    task: request.task,
    profile: selection?.profile,
    experiment: selection?.experiment,
    user: userOf(request),
    session: sessionOf(stages),
    prompt: includePrompt && request.isPrivate !== true ? promptOf(request) : undefined,
    status,
    ended,
    overheadMs: (calledMs ?? endedMs) - request.startedMs,
    upstreamMs: calledMs === undefined ? undefined : endedMs - calledMs,
    firstByteMs: firstByteMs === undefined ? undefined : firstByteMs - request.startedMs,
    durationMs: endedMs - request.startedMs,
  };
}

const GOOGLE_STREAM = /^[^?]*:streamGenerateContent(?:\?|$)/;

/** Google's clients say so in the path. */
function isForStream({ body, passed }: GatewayRequest): boolean {
  return body['stream'] === true || GOOGLE_STREAM.test(passed?.path ?? '');
}

/** Undefined if the body has no text of a person, as one of embeddings. */
function promptOf({ body, dialect }: GatewayRequest): string | undefined {
  try {
    return routedText({ messages: requestMessages(body, dialect) });
  } catch {
    return undefined;
  }
}

function cacheFacts(use: CacheUse): NonNullable<RequestFacts['cache']> {
  if (use.outcome === 'hit') return { outcome: 'hit', ageMs: use.found.ageMs, savedUsd: use.found.costUsd };
  return { outcome: use.outcome === 'miss' ? 'miss' : use.reason };
}

/** Longer names are ignored: a truncated one could be another person's. */
const MAX_NAME = 256;

/** Whom a request is about, as the client says: OpenAI's `safety_identifier` or `user`, Anthropic's `metadata.user_id`. */
export function userOf({ body }: GatewayRequest): string | undefined {
  const { safety_identifier: identifier, user, metadata } = body;
  const ofAnthropic = isObject(metadata) ? metadata['user_id'] : undefined;
  return [identifier, user, ofAnthropic].find(isName);
}

function sessionOf({ session, selection }: RequestStages): RequestFacts['session'] {
  if (session === undefined) return undefined;
  const { id, name, source } = session;
  return {
    id,
    name,
    source,
    transition: selection?.session?.transition(selection.selected.name),
    switchCostNanoUsd: selection && switchCostOf(selection),
    isCompacted: selection?.standing?.isCompacted,
  };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_NAME;
}
