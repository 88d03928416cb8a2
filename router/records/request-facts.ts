import type { CatalogModel, Dialect } from '../catalog/index.ts';
import type { Operation, Usage } from '../exchange/index.ts';
import type { Assignment } from '../experiments/index.ts';
import type { AttemptRecord } from '../fallback/index.ts';
import type { BypassReason } from '../response-cache/index.ts';
import type { Decision } from '../router.ts';
import type { SessionIdentity, SessionTransition } from '../sessions/index.ts';
import type { ReplyIdentity } from '../types.ts';

/** What routing contributed; the rest of a decision is of no use here. */
export type RoutedBy = Pick<
  Decision,
  'policy' | 'verdict' | 'ungatedReason' | 'escalated' | 'scores' | 'predictedLoss' | 'threshold'
> &
  Partial<Pick<Decision, 'artifact' | 'candidate' | 'policyChoice' | 'narrowed' | 'predictedTask'>>;

/** Why the reply of a model below the strongest did not go out. */
export const ESCALATION_CAUSES = [
  'loss', // its predicted loss was above the accept level
  'content-filter', // its provider ended it for what it says
  'empty', // neither text nor a call of a tool
  'unknown-tool', // it calls a tool that was not on offer
  'invalid-input-of-tool', // the input is no JSON object, or breaks the tool's schema
  'no-call', // a call was required
  'invalid-json', // JSON was asked for, and it is none or breaks the schema
  'validator-rejected', // by one of the operator's validators
  'validator-timeout', // one of them was still at work when its time was over
  'validator-crashed', // one of them ended by a signal, or with an exit code that says neither
  'validator-failed', // one of them could not be started or reached, or its response says neither
  'too-late', // cascade.max_wait_ms passed
  'too-large', // there was no memory to hold it
  'broken', // its stream broke off
  'failed', // there was no reply
] as const;
export type EscalationCause = (typeof ESCALATION_CAUSES)[number];

/** The looks at the replies of models below the strongest, before one goes out: what is said about the last of them, and the earlier ones. */
export interface CheckFacts extends LookFacts {
  /** The rungs below, in order; each had a reply that did not go out. */
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
  /** Nobody said the tokens, since the call was ended before its reply: these are of the prompt and of what had come, by their length. */
  readonly isEstimated?: true;
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
  /** The task that people got; undefined if the request was not handed to them. */
  readonly peopleTask?: string | undefined;
  /** Whether people could answer it; undefined if that was not looked at. */
  readonly isForPeople?: boolean | undefined;
  /** HTTP status, as the client got it. */
  readonly status: number;
  readonly ended: 'whole' | 'broken' | 'client-left' | 'client-stalled';
  /** Paths of the client's fields that the serving model did not get; undefined if it got all. */
  readonly dropped: readonly string[] | undefined;
  readonly usage: Usage | undefined;
  /** Tokens of the reply, as reported; of a stream without a report an estimate by its length. */
  readonly outputTokens?: number | undefined;
  /** What the reply says about its model, if it passed through as it came. */
  readonly identity?: ReplyIdentity | undefined;
  /** Cost of the reply that went out; `totalCostUsd` adds a cheap one that did not. */
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
  /** As the client named it, in lower case. */
  readonly task?: string | undefined;
  /** As the client named them, in lower case; may be empty. */
  readonly tags: readonly string[];
  /** The profile that it was for; undefined: none. */
  readonly profile?: string | undefined;
  /** The arm of an experiment that it was assigned to; undefined: it was in none. */
  readonly experiment?: Omit<Assignment, 'profile'> | undefined;
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
  /** For a hit: the age of the reply, and what it cost when it was made. */
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
