/** Words that the whole of the house shares. One meaning each; docs/ARCHITECTURE.md has the list. */

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

/** What one candidate model did on one case. */
export interface Outcome {
  /** 0 (useless) to 1 (perfect). */
  readonly quality: number;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly costUsd?: number;
  readonly latencyMs?: number;
}

/** For an object that is still being made: its optional fields are set one by one, which is cheaper than copies with one field more. */
export type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };
