import { z } from 'zod';
import type { TokenCounts } from '../catalog/index.ts';
import { FAILURES, OPERATIONS } from '../exchange/index.ts';
import { ATTEMPT_KINDS, SKIPS } from '../fallback/index.ts';
import { POLICY_VERDICTS, UNGATED_REASONS } from '../policy/index.ts';
import { MAX_TAGS } from '../request-tags.ts';
import { BYPASS_REASONS } from '../response-cache/index.ts';
import { SESSION_SOURCES, SESSION_TRANSITIONS } from '../sessions/index.ts';
import {
  type CacheFacts,
  type CheckFacts,
  ESCALATION_CAUSES,
  type LookFacts,
  type RequestFacts,
  type RoutedBy,
  type SessionFacts,
  type SpentReply,
} from './request-facts.ts';
import { spentUsd, totalCostUsd } from './savings.ts';

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
  requests: z
    .int()
    .optional()
    .describe('Sent for this attempt, where one without what Plimsoll had added followed a refusal.'),
  waited_ms: ms.optional().describe('Waited before this retry.'),
  key: z.string().optional().describe('NAME of the variable of its key, where its provider has several.'),
  deployment: z.string().optional().describe('Where the model was called, if it has several deployments.'),
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
    deployment: z
      .string()
      .optional()
      .describe('The deployment that answered: <provider>/<its name there>; only of a model with several.'),
    reason: z.string(),
    candidate: z.string().optional().describe('The candidate of the ladder that the decision is for.'),
    policy: z.strictObject({ name: z.string(), version: z.int(), sha256: z.string() }).optional(),
    artifact: z
      .string()
      .optional()
      .describe('The first 12 digits of the sha256 of the artifact that decided.'),
    verdict: z
      .enum(POLICY_VERDICTS)
      .optional()
      .describe('What the gate says about the decision; left out if the client named the model.'),
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
    narrowed: z
      .strictObject({
        allowed: z
          .array(z.string())
          .optional()
          .describe('Candidates that could take the request; left out if all could.'),
        task: z.string().optional().describe('The task by which specialists competed.'),
        pinned: z.string().optional().describe('The candidate that its turn was on.'),
        session: z
          .strictObject({ candidate: z.string(), worth: z.array(z.boolean()), rescue: z.boolean() })
          .optional()
          .describe(
            'The candidate that its conversation was on; of each cheaper one, whether going there was worth what it cost; whether the model had failed too often.',
          ),
        slow: z.array(z.string()).optional().describe('Candidates that were expected to reply too late.'),
        slow_may_lower: z.boolean().optional(),
        judgeable: z
          .array(z.string())
          .optional()
          .describe('Of a cascade: candidates whose replies could be judged.'),
      })
      .optional()
      .describe(
        'What was left of the ladder before the policy chose; left out if all of it was. With the scores it makes the choice reproducible.',
      ),
    cascade: z
      .strictObject({
        ...look,
        earlier: z
          .array(z.strictObject(look))
          .optional()
          .describe('Looks at the answers of cheaper models that did not go out, in order.'),
        ms: ms.describe('Until the last one was judged.'),
        spent: z
          .array(
            z.strictObject({
              model: z.string(),
              usage: usage.optional(),
              estimated: z
                .literal(true)
                .optional()
                .describe('The call was ended before its answer: tokens by the length of what was seen.'),
            }),
          )
          .optional()
          .describe('Answers that did not go out: the judged ones, further samples, that of the verifier.'),
        cost_usd: usd.describe('Of those; part of the cost of the request.'),
      })
      .optional()
      .describe('The last look at the answer of a model below the strongest; left out if there was none.'),
    for_people: z
      .boolean()
      .optional()
      .describe(
        'Whether people could answer it: they read and write text, without tools, JSON as the form, and several replies. Left out if nothing was routed.',
      ),
    people_task: z
      .string()
      .optional()
      .describe(
        'The task that people got. What it came to is a record of the stream people, under the id of the decision: cost and time of their reply are not in here, unless the client waited for it.',
      ),
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
    experiment: z
      .strictObject({
        name: z.string(),
        arm: z.string(),
        propensity: z.number().gt(0).max(1).describe('The probability of the arm at that time.'),
        unit: z.string().describe('What was assigned, as a hash: the arm follows from it and the weights.'),
      })
      .optional()
      .describe('The experiment that the request was in; left out if it was in none.'),
    tags: z.array(z.string()).max(MAX_TAGS).optional().describe('From x-plimsoll-tags, in lower case.'),
    task: z.string().optional().describe('From x-plimsoll-task, in lower case.'),
    predicted_task: z
      .strictObject({ task: z.string(), probability: z.number().min(0).max(1) })
      .optional()
      .describe('What the text is likely to ask for; only with tasks: on.'),
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
    deployment: facts.served?.deployment,
    reason: facts.reason,
    candidate: decision?.candidate,
    policy: decision && policyOf(decision.policy),
    artifact: decision?.artifact && recordedArtifact(decision.artifact),
    verdict: decision?.verdict,
    rule: facts.rule,
    ungated_reason: decision?.ungatedReason ?? undefined,
    scores: decision?.scores ?? undefined,
    policy_choice: decision?.policyChoice,
    predicted_loss: decision?.predictedLoss ?? undefined,
    threshold: decision?.threshold ?? undefined,
    narrowed: decision?.narrowed && narrowedOf(decision.narrowed),
    cascade: facts.check && checkOf(facts.check),
    for_people: facts.isForPeople,
    people_task: facts.peopleTask,
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
    experiment: facts.experiment && experimentOf(facts.experiment),
    tags: facts.tags.length === 0 ? undefined : [...facts.tags],
    task: facts.task,
    predicted_task: decision?.predictedTask && { ...decision.predictedTask },
    session: facts.session && sessionOf(facts.session, includeSessionIds),
    prompt: includePrompt ? facts.prompt : undefined,
  };
}

/** How records name an artifact. */
export function recordedArtifact({ sha256 }: { readonly sha256: string }): string {
  return sha256.slice(0, 12);
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

function experimentOf({ experiment, arm, propensity, unit }: NonNullable<RequestFacts['experiment']>) {
  return { name: experiment, arm, propensity, unit };
}

function cacheOf({ outcome, ageMs, savedUsd }: CacheFacts) {
  return { outcome, age_ms: ageMs && rounded(ageMs), saved_usd: savedUsd };
}

function policyOf({ name, version, sha256 }: NonNullable<RequestFacts['decision']>['policy']) {
  return { name, version, sha256 };
}

function narrowedOf({
  task,
  allowed,
  pinned,
  session,
  slow,
  slowMayLower,
  judgeable,
}: NonNullable<RoutedBy['narrowed']>) {
  return {
    task,
    allowed: allowed && [...allowed],
    pinned,
    session: session && { candidate: session.candidate, worth: [...session.worth], rescue: session.rescue },
    slow: slow && [...slow],
    slow_may_lower: slowMayLower,
    judgeable: judgeable && [...judgeable],
  };
}

function checkOf(check: CheckFacts) {
  const { earlier, ms, spent } = check;
  return {
    ...lookOf(check),
    earlier: earlier.length === 0 ? undefined : earlier.map(lookOf),
    ms: rounded(ms),
    spent: spent.length === 0 ? undefined : spent.map(spentOf),
    cost_usd: spentUsd(check),
  };
}

function spentOf({ model, usage, isEstimated }: SpentReply) {
  return { model: model.name, usage: usage && usageOf(usage), estimated: isEstimated };
}

function lookOf({ model, skip, replyLoss, escalated }: LookFacts) {
  return { model: model.name, skip, reply_loss: replyLoss, escalated };
}

function attemptOf(made: RequestFacts['attempts'][number]) {
  const { model, kind, outcome, status, ms, requests, waitedMs, key, deployment } = made;
  const waited_ms = waitedMs && rounded(waitedMs);
  return { model, kind, outcome, status, ms: rounded(ms), requests, waited_ms, key, deployment };
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
