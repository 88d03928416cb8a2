import { z } from 'zod';
import type { CatalogModel, Dialect, TokenCounts } from '../catalog/index.ts';
import { ATTEMPT_KINDS, type AttemptRecord, SKIPS } from '../fallback/index.ts';
import { POLICY_VERDICTS, UNGATED_REASONS } from '../policy/index.ts';
import { FAILURES, OPERATIONS, type Operation, type Usage } from '../providers/index.ts';
import { MAX_TAGS } from '../request-tags.ts';
import { BYPASS_REASONS, type BypassReason } from '../response-cache/index.ts';
import type { Decision } from '../router.ts';
import {
  SESSION_SOURCES,
  SESSION_TRANSITIONS,
  type SessionIdentity,
  type SessionTransition,
} from '../sessions/index.ts';
import type { ReplyIdentity } from '../types.ts';
import { spentUsd, totalCostUsd } from './savings.ts';

/** What routing contributed; the rest of a decision is of no use here. */
type RoutedBy = Pick<
  Decision,
  'policy' | 'verdict' | 'ungatedReason' | 'escalated' | 'scores' | 'predictedLoss' | 'threshold'
> &
  Partial<Pick<Decision, 'artifact' | 'policyChoice'>>;

/** Why the reply of a model below the strongest did not go out. */
export const ESCALATION_CAUSES = [
  'loss', // its predicted loss was above the accept level
  'empty', // neither text nor a call of a tool
  'unknown-tool', // it calls a tool that was not on offer
  'invalid-input-of-tool', // the input is no JSON object, or breaks the tool's schema
  'no-call', // a call was required
  'invalid-json', // JSON was asked for, and it is none or breaks the schema
  'validator-rejected', // by one of the operator's validators
  'validator-failed', // one of them crashed, could not be reached, or took too long
  'too-late', // cascade.max_wait_ms passed
  'too-large', // there was no memory to hold it
  'broken', // its stream broke off
  'failed', // there was no reply
] as const;
export type EscalationCause = (typeof ESCALATION_CAUSES)[number];

/** The looks at the replies of models below the strongest, before one goes out: what is said of the last of them, and the earlier ones. */
export interface CheckFacts extends LookFacts {
  /** Of the rungs below, in order; each had a reply that did not go out. */
  readonly earlier: readonly LookFacts[];
  /** From the first call to the last judgement, in ms. */
  readonly ms: number;
  /** Replies that were paid for and did not go out: the judged ones, further samples, the verifier's. */
  readonly spent: readonly SpentReply[];
}

/** The look at one reply. */
export interface LookFacts {
  /** The model that was called, or its equal that replied. */
  readonly model: CatalogModel;
  /** The limit that the prompt's predicted loss kept. */
  readonly skip: number;
  /** The reply's predicted loss; undefined if it was not judged. */
  readonly replyLoss?: number | undefined;
  /** Undefined if it went out. */
  readonly escalated?: EscalationCause | undefined;
}

export interface SpentReply {
  readonly model: CatalogModel;
  readonly usage: Usage | undefined;
}

/**
 * All that is reported of one request when its last byte is sent: to the decision log, the metrics and the trace. What is not known is
 * undefined, never 0. Times are in ms, costs in US dollars.
 */
export interface RequestFacts {
  /** Id of the decision, as in `x-plimsoll-decision-id`. */
  readonly id: string;
  readonly startedAt: Date;
  readonly dialect: Dialect;
  readonly operation: Operation;
  readonly stream: boolean;
  /** As the client wrote it: free text. */
  readonly requestedModel: string;
  /** What routing, or the client, chose; undefined if the request was refused before. */
  readonly selected: CatalogModel | undefined;
  /** The model that replied; undefined if none did. */
  readonly served: CatalogModel | undefined;
  /** Why that one was selected: a reason of a decision or another word from a closed list, never free text. */
  readonly reason: string;
  /** Undefined if the client named the model. */
  readonly decision: RoutedBy | undefined;
  /** The rule of the configuration that fired, or refused the request. */
  readonly rule?: string | undefined;
  readonly attempts: readonly AttemptRecord[];
  /** Undefined if no cheap reply was to be judged. */
  readonly check?: CheckFacts | undefined;
  /** Attempts that were given up because another one replied first, with an estimate of the prompt's tokens; left out if there are none. */
  readonly abandoned?: readonly SpentReply[] | undefined;
  /** HTTP status, as the client got it. */
  readonly status: number;
  readonly ended: 'whole' | 'broken' | 'client-left' | 'client-stalled';
  /** Paths of the client's fields that the serving model did not get; undefined if it got all. */
  readonly dropped: readonly string[] | undefined;
  readonly usage: Usage | undefined;
  /** Tokens of the reply, as reported; of a stream without a report an estimate by its length. */
  readonly outputTokens?: number | undefined;
  /** What the reply says of its model, if it passed through as it came. */
  readonly identity?: ReplyIdentity | undefined;
  /** Of the reply that went out: `totalCostUsd` adds a cheap one that did not. */
  readonly costUsd: number | undefined;
  /** What the cache of replies did; undefined if there is none, or the request had nothing to do with it. */
  readonly cache?: CacheFacts | undefined;
  /** Always strong, same tokens: see `savings.ts`. Undefined if nothing was routed. */
  readonly baselineCostUsd: number | undefined;
  /** At random with the router's shares, same tokens: see `savings.ts`. */
  readonly randomCostUsd: number | undefined;
  /** Spent by Plimsoll itself before the first attempt and after the reply. */
  readonly overheadMs: number;
  /** Spent on attempts and the waits between them, the stream included. */
  readonly upstreamMs: number | undefined;
  /** From the start to the first byte of the reply's body. */
  readonly firstByteMs: number | undefined;
  readonly durationMs: number;
  readonly keyId: string | undefined;
  /** As the client named them, in lower case; may be empty. */
  readonly tags: readonly string[];
  /** The profile that it was for; undefined: none. */
  readonly profile?: string | undefined;
  /** Who asked, as the client names them. Only the state stores it, as a keyed hash, for erasure. */
  readonly user?: string | undefined;
  /** The conversation that the request belongs to; undefined if it neither says nor shows one. */
  readonly session?: SessionFacts | undefined;
  /** The routed text. Only the decision log reads it, and only if `include_prompt` is on. */
  readonly prompt: string | undefined;
}

/** `hit`: the reply came from the cache, `miss`: it could have; else why it could not. */
export interface CacheFacts {
  readonly outcome: 'hit' | 'miss' | BypassReason;
  /** Of a hit: how long ago the reply was made, and what it cost then. */
  readonly ageMs?: number | undefined;
  readonly savedUsd?: number | undefined;
}

/** A conversation. `name` is the client's own id: the state stores a keyed hash of it, and the log has it only if `include_session_ids` is on. */
export interface SessionFacts extends Pick<SessionIdentity, 'id' | 'name' | 'source'> {
  /** Undefined if no model was selected. */
  readonly transition: SessionTransition | undefined;
  /** What changing the model costs in prompt caches, or would have; undefined if there was nothing to change. */
  readonly switchCostNanoUsd?: number | undefined;
  /** The client replaced the history by a shorter one. */
  readonly isCompacted?: boolean | undefined;
}

const MAX_DROPPED = 50;

const usd = z.number().min(0).optional();
const ms = z.number().min(0);
/** As the provider reported it; null if that was no finite number. */
const tokens = z.number().nullable();

const usage = z.strictObject({
  input_tokens: tokens.describe('All of the prompt, what was cached or written to a cache included.'),
  output_tokens: tokens,
  cached_input_tokens: tokens.optional(),
  cache_write_input_tokens: tokens.optional(),
  cache_write_1h_input_tokens: tokens.optional().describe('Those of them that are kept for an hour.'),
});

const attempt = z.strictObject({
  model: z.string(),
  kind: z.enum(ATTEMPT_KINDS),
  outcome: z.enum(['answer', 'cancelled', ...FAILURES, ...SKIPS]),
  status: z.int().optional().describe("The provider's HTTP status, where there was one."),
  ms,
  waited_ms: ms.optional().describe('Waited before this retry.'),
  key: z.string().optional().describe('NAME of the variable of its key, where its provider has several.'),
});

const look = {
  model: z.string().describe('The model whose answer was judged.'),
  skip: z.number().describe('The limit that the predicted loss of the prompt kept.'),
  reply_loss: z
    .number()
    .optional()
    .describe('Predicted loss of its answer; at most the threshold: it went out.'),
  escalated: z.enum(ESCALATION_CAUSES).optional().describe('Why the answer did not go out.'),
};

/** One line of the decision log, version 1. Fields that are not known, or do not apply, are left out. Costs are US dollars. */
export const decisionRecordSchema = z
  .strictObject({
    schema_version: z.literal(1),
    time: z.iso.datetime().describe('When the request came.'),
    id: z.string(),
    dialect: z.enum(['openai', 'anthropic', 'responses']),
    operation: z.enum(OPERATIONS),
    stream: z.boolean(),
    requested_model: z.string().describe('As the client wrote it, at most 200 characters.'),
    selected: z.string().optional().describe('The model that routing, or the client, chose.'),
    served: z.string().optional().describe('The model that answered; left out where none did.'),
    reason: z.string(),
    policy: z.strictObject({ name: z.string(), version: z.int(), sha256: z.string() }).optional(),
    verdict: z
      .enum(POLICY_VERDICTS)
      .optional()
      .describe('What the gate says of the decision; left out if the client named the model.'),
    rule: z.string().optional().describe('The rule of the configuration that fired, or refused the request.'),
    ungated_reason: z.enum(UNGATED_REASONS).optional().describe('Why the verdict is not PASS.'),
    scores: z
      .record(z.string(), z.number())
      .optional()
      .describe('Candidate -> probability of a good answer.'),
    policy_choice: z
      .string()
      .optional()
      .describe('The candidate that the policy chose, if turn or session kept another.'),
    predicted_loss: z.number().optional(),
    threshold: z.number().optional().describe('The one that was used.'),
    cascade: z
      .strictObject({
        ...look,
        earlier: z
          .array(z.strictObject(look))
          .optional()
          .describe('Looks at the answers of cheaper models that did not go out, in order.'),
        ms: ms.describe('Until the last one was judged.'),
        spent: z
          .array(z.strictObject({ model: z.string(), usage: usage.optional() }))
          .optional()
          .describe('Answers that did not go out: the judged ones, further samples, that of the verifier.'),
        cost_usd: usd.describe('Of those; part of the cost of the request.'),
      })
      .optional()
      .describe('The last look at the answer of a model below the strongest; left out if there was none.'),
    attempts: z.array(attempt),
    dropped: z
      .array(z.string())
      .max(MAX_DROPPED)
      .optional()
      .describe(
        "Paths of the request's fields that the model did not get, at most 50: hints without a counterpart in its API.",
      ),
    status: z.int().describe('HTTP, as the client got it.'),
    ended: z.enum(['whole', 'broken', 'client-left', 'client-stalled']),
    usage: usage.optional(),
    cache: z
      .strictObject({
        outcome: z
          .enum(['hit', 'miss', ...BYPASS_REASONS])
          .describe(
            'hit: the reply was kept from an earlier request; else miss, or why it could not be kept.',
          ),
        age_ms: ms.optional(),
        saved_usd: usd.describe('What the reply cost when it was made.'),
      })
      .optional()
      .describe('What the cache of replies did; left out if there is none.'),
    cost_usd: usd,
    baseline_cost_usd: usd.describe('ESTIMATE: always the strongest candidate, with the same tokens.'),
    random_cost_usd: usd.describe('ESTIMATE: at random with the shares so far, with the same tokens.'),
    overhead_ms: ms,
    upstream_ms: ms.optional(),
    first_byte_ms: ms.optional(),
    duration_ms: ms,
    key_id: z.string().optional(),
    profile: z.string().optional().describe('The profile that the request was for.'),
    tags: z.array(z.string()).max(MAX_TAGS).optional().describe('From x-plimsoll-tags, in lower case.'),
    session: z
      .strictObject({
        id: z
          .string()
          .describe("Keyed hash of the client's id and the API key; of the first words if inferred."),
        source: z.enum(SESSION_SOURCES),
        transition: z
          .enum(SESSION_TRANSITIONS)
          .optional()
          .describe('The first request of its session, the same model as before, or another.'),
        switch_cost_nano_usd: z
          .int()
          .min(0)
          .optional()
          .describe('What changing the model costs in prompt caches, or would have; an estimate.'),
        compacted: z.literal(true).optional().describe('The history was replaced by a shorter one.'),
        name: z.string().optional().describe("The client's id; only with decision_log.include_session_ids."),
      })
      .optional()
      .describe('The conversation that the request belongs to.'),
    prompt: z.string().optional().describe('The routed text; only with decision_log.include_prompt.'),
  })
  .describe('One request, in the decision log of Plimsoll.');

export type DecisionRecord = z.infer<typeof decisionRecordSchema>;

const MAX_REQUESTED_MODEL = 200;

/** What clients wrote, and is recorded only if the operator turned it on. */
export interface RecordedText {
  readonly includePrompt: boolean;
  readonly includeSessionIds?: boolean | undefined;
}

/** Picks field by field: what is not named here is not written, whatever it is handed. */
export function decisionRecord(
  facts: RequestFacts,
  { includePrompt, includeSessionIds = false }: RecordedText,
): DecisionRecord {
  const { decision, usage } = facts;
  return {
    schema_version: 1,
    time: facts.startedAt.toISOString(),
    id: facts.id,
    dialect: facts.dialect,
    operation: facts.operation,
    stream: facts.stream,
    requested_model: facts.requestedModel.slice(0, MAX_REQUESTED_MODEL),
    selected: facts.selected?.name,
    served: facts.served?.name,
    reason: facts.reason,
    policy: decision && policyOf(decision.policy),
    verdict: decision?.verdict,
    rule: facts.rule,
    ungated_reason: decision?.ungatedReason ?? undefined,
    scores: decision?.scores ?? undefined,
    policy_choice: decision?.policyChoice,
    predicted_loss: decision?.predictedLoss ?? undefined,
    threshold: decision?.threshold ?? undefined,
    cascade: facts.check && checkOf(facts.check),
    attempts: facts.attempts.map(attemptOf),
    dropped: facts.dropped?.length ? facts.dropped.slice(0, MAX_DROPPED) : undefined,
    status: facts.status,
    ended: facts.ended,
    usage: usage && usageOf(usage),
    cache: facts.cache && cacheOf(facts.cache),
    cost_usd: totalCostUsd(facts.costUsd, facts.check, facts.abandoned),
    baseline_cost_usd: facts.baselineCostUsd,
    random_cost_usd: facts.randomCostUsd,
    overhead_ms: rounded(facts.overheadMs),
    upstream_ms: facts.upstreamMs && rounded(facts.upstreamMs),
    first_byte_ms: facts.firstByteMs && rounded(facts.firstByteMs),
    duration_ms: rounded(facts.durationMs),
    key_id: facts.keyId,
    profile: facts.profile,
    tags: facts.tags.length === 0 ? undefined : [...facts.tags],
    session: facts.session && sessionOf(facts.session, includeSessionIds),
    prompt: includePrompt ? facts.prompt : undefined,
  };
}

function sessionOf(
  { id, source, transition, switchCostNanoUsd, isCompacted, name }: SessionFacts,
  includeName: boolean,
) {
  return {
    id,
    source,
    transition,
    switch_cost_nano_usd: switchCostNanoUsd,
    compacted: isCompacted || undefined,
    name: includeName ? name : undefined,
  };
}

function cacheOf({ outcome, ageMs, savedUsd }: CacheFacts) {
  return { outcome, age_ms: ageMs && rounded(ageMs), saved_usd: savedUsd };
}

function policyOf({ name, version, sha256 }: NonNullable<RequestFacts['decision']>['policy']) {
  return { name, version, sha256 };
}

function checkOf(check: CheckFacts) {
  const { earlier, ms, spent } = check;
  return {
    ...lookOf(check),
    earlier: earlier.length === 0 ? undefined : earlier.map(lookOf),
    ms: rounded(ms),
    spent:
      spent.length === 0
        ? undefined
        : spent.map((reply) => ({ model: reply.model.name, usage: reply.usage && usageOf(reply.usage) })),
    cost_usd: spentUsd(check),
  };
}

function lookOf({ model, skip, replyLoss, escalated }: LookFacts) {
  return { model: model.name, skip, reply_loss: replyLoss, escalated };
}

function attemptOf(made: RequestFacts['attempts'][number]) {
  const { model, kind, outcome, status, ms, waitedMs, key } = made;
  return { model, kind, outcome, status, ms: rounded(ms), waited_ms: waitedMs && rounded(waitedMs), key };
}

function usageOf(usage: TokenCounts) {
  return {
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    cached_input_tokens: usage.cachedInputTokens,
    cache_write_input_tokens: usage.cacheWriteInputTokens,
    cache_write_1h_input_tokens: usage.cacheWrite1hInputTokens,
  };
}

/** Microseconds are as fine as the clock is true. */
function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
