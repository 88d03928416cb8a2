import type { CatalogModel } from '../catalog/index.ts';
import type { FallbackChain, FallbackResult } from '../fallback/index.ts';
import type { UnroutedCall } from '../providers/index.ts';
import type { Selection } from './select-model.ts';

/** What a request to a model will do, as data: a strategy makes it, `executePlan` carries it out. */
export type Plan = DirectPlan;

/** One reply to the client, from the first candidate that gives one. */
export interface DirectPlan {
  readonly kind: 'direct';
  /** Called in this order. */
  readonly candidates: readonly CatalogModel[];
  /** How long the request may take with all its attempts and waits. */
  readonly deadlineMs: number;
}

export interface PlanOptions {
  readonly deadlineMs: number;
}

/** Turns a selection into a plan. Pure: it calls nobody. */
export type Strategy = (selection: Selection, options: PlanOptions) => Plan;

/** The selected model; the others only if it fails. */
export const direct: Strategy = ({ candidates }, { deadlineMs }) => ({
  kind: 'direct',
  candidates,
  deadlineMs,
});

/**
 * Carries out a plan through the fallback chain. Rejects only if the client leaves.
 * @param nowMs when the request began to call models, by `performance.now()`
 */
export function executePlan(
  plan: Plan,
  call: UnroutedCall,
  chain: FallbackChain,
  nowMs: number,
): Promise<FallbackResult> {
  return chain.execute(call, plan.candidates, nowMs + plan.deadlineMs);
}
