import type { UnroutedCall } from '../exchange/index.ts';
import type { FallbackChain, FallbackResult } from '../fallback/index.ts';
import type { CheckFacts } from '../records/index.ts';
import { type CheckParts, executeCascade } from './execute-cascade.ts';
import type { PeoplePlan, Plan } from './plan.ts';

/** The outcome of a plan. */
export interface ExecutedPlan {
  readonly result: FallbackResult;
  /** Undefined if no reply was to be judged. */
  readonly check?: CheckFacts;
  /** Undefined if no people got a task. */
  readonly peopleTask?: string;
}

export interface ExecutionParts extends CheckParts {
  readonly chain: FallbackChain;
}

/**
 * Carries out a plan through the fallback chain. Rejects only if the client leaves.
 * @param nowMs when the request began to call models, by `performance.now()`
 */
export async function executePlan(
  plan: Exclude<Plan, PeoplePlan>,
  call: UnroutedCall,
  parts: ExecutionParts,
  nowMs: number,
): Promise<ExecutedPlan> {
  if (plan.kind === 'cascade') return executeCascade(plan, call, parts, nowMs);
  return { result: await parts.chain.execute(call, plan.candidates, nowMs + plan.deadlineMs, plan.options) };
}
