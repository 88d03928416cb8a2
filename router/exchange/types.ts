import type { AbortSignalLike } from '../abort-signal.ts';
import type { TokenCounts } from '../catalog/index.ts';
import type { MappedRequest } from '../dialects/index.ts';
import type { JsonObject } from '../json/index.ts';
import type { MemoryShare } from '../memory-budget.ts';
import { PASSED_OPERATIONS, type PassedRequest } from '../passthrough/index.ts';
import type { CallOptions, ModelRequest, UnmappableRule } from '../targets/index.ts';
import type { ReplyIdentity } from '../types.ts';

/** What a call asks for: a reply, vectors, a count of tokens, a decision alone, or a route of the provider that is passed through. */
export const OPERATIONS = ['chat', 'embeddings', 'count-tokens', 'decision', ...PASSED_OPERATIONS] as const;
export type Operation = (typeof OPERATIONS)[number];

/** One call of a model. The body is in the client's dialect; its `model` is replaced by the provider's name. */
export interface ProviderCall extends ModelRequest {
  readonly operation: Operation;
  /** What goes out, if the route is passed through; `body` is then what was read of it. */
  readonly passed?: PassedRequest | undefined;
  /** The JSON text that `body` was parsed from, for a provider that gets it as it came; undefined if there was none. */
  readonly bodyText?: string | undefined;
  readonly stream: boolean;
  /** What happens to fields that the model's provider has no counterpart for. Default `drop-hints`. */
  readonly unmappable?: UnmappableRule | undefined;
  /** Mappings that exist already, by model name; shared by all candidates of a request. */
  readonly mappings?: Map<string, Promise<Mapping>> | undefined;
  /** Headers of the client, names in lower case. Which of them are forwarded depends on the provider: see `Provider.passHeaders`. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The reply will be judged: the tokens' log-probabilities are asked for if the model's API has them. Default false. */
  readonly logprobs?: boolean | undefined;
  /** Plimsoll asks for the tokens of the stream, and the client does not get them. Default false. */
  readonly streamUsage?: boolean | undefined;
  /** Counts a reply that is held. */
  readonly memory?: MemoryShare | undefined;
  /** Aborts the attempt: the client left, or the deadline passed. */
  readonly signal: AbortSignalLike;
}

/** A request to one model, in the SDK's terms. */
export interface Mapping extends Pick<MappedRequest, 'completeBody' | 'replies' | 'replacedNames'> {
  readonly options: CallOptions;
  /** Paths of the client's fields that the model does not get. */
  readonly dropped: readonly string[];
}

/** A call before a model has been chosen for it. */
export type UnroutedCall = Omit<ProviderCall, 'model'>;

export interface AttemptTimeouts {
  readonly connectMs: number;
  /** From sending to the first byte of the reply's body (of its head, if it does not stream). */
  readonly firstByteMs: number;
  /** Longest silence once the reply's body has begun. */
  readonly idleMs: number;
  /** For the whole attempt. */
  readonly totalMs: number;
}

/** Why an attempt brought no reply. */
export const FAILURES = [
  'connect', // no connection, for another reason than the next seven
  'connect-refused', // nothing listens at the address
  'connect-timeout', // no connection in time
  'dns', // the host name does not resolve
  'tls-untrusted', // the certificate is signed by nobody that is trusted here
  'tls-host-name', // the certificate is for another host
  'tls-expired', // the certificate has expired, or is not valid yet
  'tls', // another failure of TLS, such as a server that does not speak it
  'timeout', // no first byte, or not the whole of a plain reply, in time
  'rate-limited', // 429
  'overloaded', // 503, 529
  'server-error', // 500, 502, 504 and other 5xx
  'request-timeout', // 408
  'auth', // 401, 403: the operator's key, not the client's fault
  'quota-exhausted', // 402, or words that say so: the operator's budget at the provider is used up
  'model-missing', // 404
  'context-window', // 400 that says that the prompt is too long
  'content-filter', // 400 or a refusal by the provider's filter
  'bad-request', // any other 4xx: the client's own, passed on
  'bad-answer', // HTML, a wrong content type, broken JSON, too large
  'reset', // the connection broke before the first byte of the body
] as const;
export type Failure = (typeof FAILURES)[number];

/** The outcome of one attempt. Only a failure before the first byte is a failure: a later one is thrown by the body. */
export type AttemptOutcome = (
  | {
      readonly kind: 'reply';
      readonly status: number;
      /** For the client: names in lower case, without hop-by-hop fields; content-type is the client dialect's. */
      readonly headers: Readonly<Record<string, string>>;
      /** In the client's dialect: the JSON of a plain reply; a stream, or JSON too long to hold, as it arrives. Throws ExchangeError if it ends early. */
      readonly body: ReplyBody;
      /** Tokens, once the body has ended; undefined if the provider does not report them. */
      readonly usage: () => Usage | undefined;
      /** What the reply says about its model, once its content has begun; left out where it is mapped. */
      readonly identity?: () => ReplyIdentity | undefined;
      /** Tokens of output that a stream has had so far, by its length; left out for whole replies. */
      readonly estimatedOutputTokens?: () => number;
      /** Paths of the client's fields that the model did not get; left out if it got all. */
      readonly dropped?: readonly string[];
      /** Reads the tokens' log-probabilities of the body, once it is there as a whole; left out if they were not asked for. */
      readonly takeLogprobs?: (whole: Uint8Array) => TakenLogprobs;
    }
  | {
      readonly kind: 'failure';
      readonly failure: Failure;
      /** The provider's status, if there was one. */
      readonly status: number | undefined;
      /** What the provider asked to wait, in ms. */
      readonly retryAfterMs: number | undefined;
      /** What is missing if the provider has no key or token here, as a clause: `OPENAI_API_KEY is not set`. */
      readonly unset?: string;
      /** For the client, with nothing of the operator's keys in it. */
      readonly message: string;
      /** The system's error code of the connection, such as `ECONNREFUSED`; for the log. */
      readonly code?: string;
      /** What the client asked for may have caused it, so it says nothing about the model's health, nor about the operator's key. */
      readonly provoked?: true;
      /** The provider's error body in the client's dialect, passed on for `bad-request`. */
      readonly body?: Uint8Array;
    }
) & {
  /** How many requests were sent for it; left out if it was one. */
  readonly requests?: number;
};

/** A whole reply, and what it said about its tokens. */
export interface TakenLogprobs {
  /** As the client gets it: with `null` in place of log-probabilities that it did not ask for. */
  readonly body: Uint8Array;
  /** Of the first choice, one a token, as the provider sent them: they may be anything. */
  readonly logprobs: readonly unknown[];
}

/** Bytes as they arrive. */
export interface ReplyBody extends AsyncIterable<Uint8Array> {
  /** All of them, if they have arrived already. */
  readonly whole?: Uint8Array;
}

export type Usage = TokenCounts;

export type FailedAttempt = Extract<AttemptOutcome, { kind: 'failure' }>;

/** A request that its provider's API can carry. */
export interface ReadyAttempt {
  readonly kind: 'ready';
  /** Sends it once; a retry calls it again. Rejects only when the call's `signal` aborts: whatever goes wrong at the provider is an outcome. */
  readonly send: (timeouts: AttemptTimeouts) => Promise<AttemptOutcome>;
}

/**
 * Checks a call and builds its request without contacting the provider. A failure means that nothing was sent and nothing will be, so
 * it says nothing about the model's health: the request cannot be mapped, or the provider has no key. Throws only when `signal` aborts.
 */
export type PrepareAttempt = (
  call: ProviderCall,
) => ReadyAttempt | FailedAttempt | Promise<ReadyAttempt | FailedAttempt>;

/**
 * Repairs the replies of one kind of provider before the SDK reads them. The SDK rejects a whole reply for one field of an unexpected form,
 * and many servers that copy an API send such fields. So a repair copies what the mapping needs, in the form of the API's own documentation,
 * and leaves out the rest.
 */
export interface ReplyRepair {
  /** The events that the SDK gets for an event of a stream: often none. @throws ExchangeError if no reply can follow */
  event(event: JsonObject): JsonObject[];
  /** What the SDK still needs at the end of the stream. @param marked the API's own mark of the end has come, not just the end of its bytes */
  end(marked: boolean): JsonObject[];
  /** A plain reply. @throws ExchangeError `unreadable` if it is not one */
  plain(reply: JsonObject): JsonObject;
}

/** When a second attempt begins, and how many there may be. */
export interface HedgeSettings {
  /** So many ms without a first byte, or a quantile (0 to 1) of what the model takes. */
  readonly after: number | { readonly quantile: number };
  /** Second attempts, as a share of the requests: 0 to 1. */
  readonly maxShare: number;
}

/** How models are called. Times are in ms. */
export interface UpstreamSettings {
  /** File of certificates in PEM: authorities that are trusted besides those that Node trusts. Read at the start. */
  readonly caFile?: string | undefined;
  /** For a request with all its attempts and waits. */
  readonly deadlineMs: number;
  readonly timeouts: AttemptTimeouts;
  readonly retry: {
    readonly maxRetries: number;
    /** The first wait is drawn between 0 and this; the bound doubles with every retry, up to `maxWaitMs`. */
    readonly initialWaitMs: number;
    readonly maxWaitMs: number;
    /** No retry starts later than this after the first attempt on the model. */
    readonly budgetMs: number;
  };
  readonly breaker: {
    /** How many of the last attempts count; with fewer than `minAttempts` it stays closed. */
    readonly window: number;
    readonly minAttempts: number;
    /** It opens when more than this share of them failed. */
    readonly failureShare: number;
    readonly openMs: number;
    /** A longer Retry-After keeps it open for longer, up to this. */
    readonly maxOpenMs: number;
  };
  /** A second attempt while the first one is late; undefined: never. */
  readonly hedge?: HedgeSettings | undefined;
  /** A model whose output costs more than this times that of the routed model is not fallen back to. */
  readonly maxFallbackPriceFactor?: number | undefined;
  /** A cheaper candidate may be called if no equal or stronger one is left, or none can take the request. */
  readonly allowDowngrade: boolean;
  readonly unmappable: UnmappableRule;
  /** Model -> equivalent models, called in this order if it fails. */
  readonly fallbacks: Readonly<Record<string, readonly string[]>>;
}
