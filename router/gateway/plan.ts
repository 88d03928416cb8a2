import type { CatalogModel } from '../catalog/index.ts';
import type { ReplyCheck } from '../router.ts';
import type { Selection } from './select-model.ts';

/** What a request to a model will do, as data: a strategy makes it, `executePlan` carries it out. */
export type Plan = DirectPlan | CascadePlan;

/** One reply to the client, from the first candidate that gives one. */
export interface DirectPlan {
  readonly kind: 'direct';
  /** Called in this order. */
  readonly candidates: readonly CatalogModel[];
  /** How long the request may take with all its attempts and waits. */
  readonly deadlineMs: number;
}

/** The cheap model's reply if it is good enough, else that of the first stronger candidate that gives one. */
export interface CascadePlan {
  readonly kind: 'cascade';
  /** The cheap model and its equals: the reply of the first that gives one is judged. */
  readonly checked: readonly CatalogModel[];
  readonly check: ReplyCheck;
  /** Called in this order if it does not pass, or none of them replies. */
  readonly rest: readonly CatalogModel[];
  /** How long the client waits for the cheap reply and the judgement. */
  readonly maxWaitMs: number;
  readonly deadlineMs: number;
}

export interface PlanOptions {
  readonly deadlineMs: number;
  readonly maxWaitMs: number;
}

/** Turns a selection into a plan. Pure: it calls nobody. */
export type Strategy = (selection: Selection, options: PlanOptions) => Plan;

/** The selected model; the others only if it fails. */
export const direct: Strategy = ({ candidates }, { deadlineMs }) => ({
  kind: 'direct',
  candidates,
  deadlineMs,
});

/** A look at the cheap model's reply if the decision wants one; else the selected model. */
export const cascade: Strategy = (selection, options) => {
  const { candidates, escalation } = selection;
  if (escalation === undefined) return direct(selection, options);
  const { check, candidates: rest } = escalation;
  const checked = candidates.filter((model) => !rest.includes(model));
  const { deadlineMs, maxWaitMs } = options;
  return { kind: 'cascade', checked, check, rest, maxWaitMs, deadlineMs };
};
