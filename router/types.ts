/** Words that the whole of the house shares, with one meaning each; docs/GLOSSARY.md has them all. */

/** A part of a message's content, in the OpenAI or the Anthropic shape. Unknown kinds are allowed and ignored. */
export interface ContentPart {
  readonly type: string;
  readonly text?: string;
  readonly [key: string]: unknown;
}

/** One turn of a conversation, in the OpenAI or the Anthropic shape. */
export interface Message {
  readonly role: string;
  readonly content?: string | readonly ContentPart[] | null;
  readonly [key: string]: unknown;
}

/** What a router is asked to decide on: a plain prompt, or messages. Exactly one of the two. */
export type RouteInput = { readonly prompt: string } | { readonly messages: readonly Message[] };

/** Who or what gave a label; `unknown` of those that do not say. */
export const LABEL_SOURCES = ['human', 'grader', 'judge', 'feedback', 'unknown'] as const;
export type LabelSource = (typeof LABEL_SOURCES)[number];

/** What one candidate model did on one case. */
export interface Outcome {
  /** 0 (useless) to 1 (perfect). */
  readonly quality: number;
  /** Left out if it is not known. */
  readonly labelSource?: Exclude<LabelSource, 'unknown'>;
  /** What a judge said about the same reply, 0 to 1, if people labelled it after the judge did. */
  readonly judgedQuality?: number;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly costUsd?: number;
  readonly latencyMs?: number;
  /** Left out if nothing is known about it, or nobody asked for it. */
  readonly reply?: Reply;
}

/** What is known about a model's reply besides its quality. What is not known is left out: it is never 0. */
export interface Reply {
  readonly text?: string;
  /** Natural logarithm of the probability that the model gave to its reply, or to the part of it that decides. At most 0. */
  readonly confidenceLogprob?: number;
  /** Mean of the natural logarithms of the tokens' probabilities. At most 0. */
  readonly meanLogprob?: number;
  /** The least of them. At most 0. */
  readonly minLogprob?: number;
  /** Why the model stopped, in the provider's words: stop, length, end_turn, max_tokens, content_filter, … */
  readonly finishReason?: string;
  /** Share of further samples that agree with the reply, 0..1. */
  readonly agreement?: number;
  /** What a verifier model made of the reply, 0 (wrong) to 1 (right). */
  readonly verifier?: number;
}

/** For an object that is still being made: its optional fields are set one by one, which is cheaper than copies with one field more. */
export type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };

/** What a reply says about the model that wrote it. */
export interface ReplyIdentity {
  /** The provider's own name of it, often more exact than the one that was asked for: gpt-4o-2024-08-06. */
  readonly model?: string;
  /** OpenAI's `system_fingerprint`: model and settings of the server. Several are in use at once. */
  readonly fingerprint?: string;
}
