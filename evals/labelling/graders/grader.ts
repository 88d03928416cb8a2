import type { ModelCall } from '../call-model.ts';

/** A reply, and what is known about the request that it is to. */
export interface ReplySample {
  readonly caseId: string;
  readonly task: string | undefined;
  /** The routed text: what the person asked. */
  readonly prompt: string;
  /** The candidate's name in the cases. */
  readonly candidate: string;
  /** `<provider>/<model>`. */
  readonly model: string;
  readonly reply: string;
  /** What is right: the row's `reference`, any JSON; undefined if it has none. */
  readonly reference: unknown;
  /** The strongest candidate's reply to the same request; undefined if it is this one, or is not known. */
  readonly strongReply: string | undefined;
  readonly isStrongest: boolean;
}

/** `missing`: the grader cannot say, and the outcome stays without a label. */
export type Grade =
  | { readonly kind: 'graded'; readonly quality: number; readonly source: 'grader' | 'judge' }
  | { readonly kind: 'missing'; readonly why: string };

/** What graders may use. */
export interface GraderTools {
  /** Asks a model within the budget, and never twice for the same; or says why no reply came. */
  ask(call: ModelCall): Promise<{ readonly text: string } | { readonly why: string }>;
}

export interface Grader {
  /** Its type in the file of graders. */
  readonly type: string;
  /** It compares with the row's `reference`. */
  readonly needsReference: boolean;
  grade(sample: ReplySample, tools: GraderTools): Grade | Promise<Grade>;
}

/** @param quality 0..1, or whether the reply is right */
export function graded(quality: number | boolean): Grade {
  return { kind: 'graded', quality: Math.min(1, Math.max(0, Number(quality))), source: 'grader' };
}

export function missing(why: string): Grade {
  return { kind: 'missing', why };
}

/** The accepted texts of a reference: one, or a list of them. */
export function acceptedTexts(reference: unknown): readonly string[] {
  return (Array.isArray(reference) ? reference : [reference]).flatMap((one) =>
    typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean' ? [String(one)] : [],
  );
}
