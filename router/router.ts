import type { ServedRung } from './artifact/served-ladder.ts';
import type { CandidateExplanation } from './classifier/explain.ts';
import type { Choice, PolicyReference } from './policy/policy.ts';
import type { RouteInput } from './types.ts';

/** What the router answers: reproducible from what it holds, and without a word of the prompt. */
export interface Decision {
  readonly id: string;
  /** The rung's name, and the model to call. */
  readonly candidate: string;
  readonly model: string;
  /** A stronger rung than the cheapest was chosen. */
  readonly escalated: boolean;
  /** Candidate -> calibrated probability that its answer is good. Null where no classifier ran, or it failed. */
  readonly scores: Readonly<Record<string, number>> | null;
  readonly predictedLoss: number | null;
  readonly threshold: number | null;
  readonly reason: Choice['reason'] | 'classifier-failed';
  readonly policy: PolicyReference;
  readonly artifact: { readonly name: string; readonly sha256: string };
  /** The router was learned on other models than it serves: its probabilities are a guess. */
  readonly stale: boolean;
  readonly latencyMs: number;
}

export interface Explained {
  readonly decision: Decision;
  /** Candidate -> the exact sum behind its score. Null where the classifier failed. */
  readonly explanation: Readonly<Record<string, CandidateExplanation>> | null;
}

export interface RouterHealth {
  readonly decisions: number;
  readonly classifierFailures: number;
  readonly lastFailure: { readonly at: string; readonly message: string } | null;
}

/** How to decide on one request. Without `policy`, the configured default policy decides. */
export interface RouteOptions {
  readonly policy?: string;
}

export interface Router {
  readonly artifact: { readonly name: string; readonly sha256: string; readonly created: string };
  readonly ladder: readonly ServedRung[];
  readonly stale: boolean;
  readonly policies: readonly string[];
  /** What decides where a request names no policy; a fixed policy has no threshold. */
  readonly defaultPolicy: PolicyReference & { readonly threshold: number | null };
  /** Rejects with a PlimsollError where the input or the policy's name is wrong; a failing classifier escalates instead. */
  route(input: RouteInput, options?: RouteOptions): Promise<Decision>;
  explain(input: RouteInput, options?: RouteOptions): Promise<Explained>;
  /** Scores the artifact's golden case number `index`; resolves to whether it came out within 1e-3. */
  checkGolden(index?: number): Promise<boolean>;
  health(): RouterHealth;
  /** Safe to call twice. A request after it is escalated as after any failure of the classifier. */
  close(): Promise<void>;
}
