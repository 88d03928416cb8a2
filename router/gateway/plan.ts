import type { CatalogModel } from '../catalog/index.ts';
import type { ChainOptions } from '../fallback/index.ts';
import type { ReplyMode } from '../people/index.ts';
import type { CheckedCandidates, Selection } from './selection.ts';

/** What a request to a model will do, as data: a strategy makes it, `executePlan` carries it out. */
export type Plan = DirectPlan | CascadePlan | PeoplePlan;

/** One reply to the client, from the first candidate that gives one. */
export interface DirectPlan {
  readonly kind: 'direct';
  /** Called in this order. */
  readonly candidates: readonly CatalogModel[];
  /** How long the request may take with all its attempts and waits. */
  readonly deadlineMs: number;
  readonly options?: ChainOptions | undefined;
}

/** The first reply that is good enough, else that of the first of the strongest candidates that gives one. */
export interface CascadePlan {
  readonly kind: 'cascade';
  /** Whose replies are judged, one rung after the other until one passes. At least one. */
  readonly checks: readonly CheckedCandidates[];
  /** Called in this order if none passes, or a rung gives no reply that can be judged. */
  readonly rest: readonly CatalogModel[];
  /** How long the client waits for the judged replies, all together. */
  readonly maxWaitMs: number;
  readonly deadlineMs: number;
  readonly options?: ChainOptions | undefined;
}

/** People reply, at once or later; a model in their place if the configuration says so. */
export interface PeoplePlan extends PeopleTerms {
  readonly kind: 'people';
  readonly model: CatalogModel;
  /** Deadline of the fallback model. */
  readonly deadlineMs: number;
  readonly options?: ChainOptions | undefined;
}

/** How a request goes to people. */
export interface PeopleTerms {
  readonly mode: ReplyMode;
  /** The model that replies in their place; empty if there is none. */
  readonly fallback: readonly CatalogModel[];
  readonly whenLate: 'error' | 'fallback';
}

export interface PlanOptions {
  readonly deadlineMs: number;
  readonly maxWaitMs: number;
  /** How candidates are called. */
  readonly chain?: ChainOptions | undefined;
  /** If people were selected. */
  readonly people?: PeopleTerms | undefined;
}

/** Turns a selection into a plan. Pure: it calls nobody. */
export type Strategy = (selection: Selection, options: PlanOptions) => Plan;

/** The selected model; the others only if it fails. */
export const direct: Strategy = ({ selected, candidates }, { deadlineMs, chain, people }) =>
  people === undefined
    ? { kind: 'direct', candidates, deadlineMs, options: chain }
    : { kind: 'people', model: selected, ...people, deadlineMs, options: chain };

/** A look at the replies of cheaper models if the decision wants one; else the selected model. */
export const cascade: Strategy = (selection, options) => {
  const { escalation } = selection;
  if (escalation === undefined) return direct(selection, options);
  const { checks, candidates: rest } = escalation;
  const { deadlineMs, maxWaitMs, chain } = options;
  return { kind: 'cascade', checks, rest, maxWaitMs, deadlineMs, options: chain };
};
