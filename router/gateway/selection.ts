import type { Limiter } from '../access/index.ts';
import type { Catalog, CatalogModel } from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';
import type { UpstreamSettings } from '../exchange/index.ts';
import type { Assignment, LiveExperiments } from '../experiments/index.ts';
import type { LatencyBook } from '../latency/index.ts';
import type { Decision, ReplyCheck, RouteOptions, Router } from '../router.ts';
import type { ActiveSession, Sessions, Standing, ThreadChoice } from '../sessions/index.ts';
import type { FurtherSignalOptions } from './further-signals.ts';
import type { LatencyOptions } from './latency-class.ts';
import type { ModelNames } from './model-names.ts';

/** Why a model was selected: a decision's reason, or that the client named it. */
export type SelectionReason =
  | Decision['reason']
  | 'explicit-model'
  | 'deadline' // a decision for another gateway took too long
  | 'cascade-accepted' // a cheaper model's reply went out
  | 'cascade-escalated'; // none passed, or there was none

/** Which model a request goes to. */
export interface Selection {
  readonly selected: CatalogModel;
  /** Everything that may be called, in order; the first is `selected`. */
  readonly candidates: readonly CatalogModel[];
  /** Those that may be called in parallel if the selected one is late, none of them cheaper; undefined: none. */
  readonly hedgeAmong?: readonly CatalogModel[] | undefined;
  /** Those of them that are below the chosen rung, at the end of the list; undefined: none. */
  readonly cheaper?: readonly CatalogModel[] | undefined;
  readonly reason: SelectionReason;
  /** Undefined if the client named the model. */
  readonly decision: Decision | undefined;
  /** The profile that the request is for; undefined: none. */
  readonly profile?: string | undefined;
  /** The selected model's reply is to be judged before it goes out. */
  readonly escalation?: Escalation;
  /** The rungs of the ladder, cheapest first; empty for an explicit model. */
  readonly ladder: readonly CatalogModel[];
  /** With which its cost is compared, in place of the ladder: of people whom a rule names. */
  readonly compared?: readonly CatalogModel[] | undefined;
  /** What the router was asked with, and the rung that it chose; undefined for an explicit model. */
  readonly chosen?: ({ readonly options: RouteOptions } & ThreadChoice) | undefined;
  /** The conversation that the request belongs to, as it was before. */
  readonly session?: ActiveSession | undefined;
  /** How its conversation weighed in the choice; undefined unless conversations keep their model. */
  readonly standing?: Standing | undefined;
  /** Whether people could answer the request; undefined if nothing was routed. */
  readonly isForPeople?: boolean | undefined;
  /** The arm of an experiment that chose the profile; undefined: none did. */
  readonly experiment?: Assignment | undefined;
}

/** What happens to the replies of cheaper models. */
interface Escalation {
  /** One rung after the other, until a reply passes. At least one. */
  readonly checks: readonly CheckedCandidates[];
  /** What is called if none passes, in order: the strongest model and its equals. */
  readonly candidates: readonly CatalogModel[];
}

/** A rung whose reply is judged. */
export interface CheckedCandidates {
  readonly check: ReplyCheck;
  /** The rung's model and its equals: the reply of the first that gives one is judged. */
  readonly candidates: readonly CatalogModel[];
}

/** Everything is from one state of the configuration. */
export interface SelectionParts {
  readonly router: Router;
  readonly catalog: Catalog;
  readonly names: ModelNames;
  readonly upstream: UpstreamSettings;
  /** By name of a model: the models to call in its place. */
  readonly fallbacks: Readonly<Record<string, readonly CatalogModel[]>>;
  /** Names of models that gave no log-probabilities although they were asked to. */
  readonly withoutLogprobs: ReadonlySet<string>;
  readonly cascade: FurtherSignalOptions;
  readonly sessions: Sessions;
  /** By name: what is different for the requests of a profile. */
  readonly profiles: ReadonlyMap<string, SelectionInProfile>;
  /** How soon replies are wanted. */
  readonly latency: LatencyOptions;
  /** How soon models reply. */
  readonly latencies: LatencyBook;
  /** Undefined without a state, which they need. */
  readonly experiments: Pick<LiveExperiments, 'assign' | 'mirrored'> | undefined;
  /** Undefined if nothing is limited. */
  readonly limits: { readonly limiter: Pick<Limiter, 'used'> } | undefined;
}

/** What a profile sets in place of the parts of all requests. */
interface SelectionInProfile {
  /** `off`: no reply is judged. */
  readonly cascade: 'off' | FurtherSignalOptions;
  readonly latency: LatencyOptions;
}

export function selectionOf(
  candidates: readonly CatalogModel[],
  decision: Decision,
  ladder: readonly CatalogModel[],
  session: ActiveSession | undefined,
  chosen?: Selection['chosen'],
  standing?: Standing,
): Selection {
  const [selected] = candidates;
  if (selected === undefined) throw new PlimsollError('internal', 'A routed request has no candidate.');
  const { reason, profile } = decision;
  return { selected, candidates, reason, decision, profile, ladder, chosen, session, standing };
}

/** Undefined if the request is for no profile, or a reload has just removed it. */
export function profileParts<Parts>(
  { profiles }: { readonly profiles: ReadonlyMap<string, Parts> },
  profile: string | undefined,
): Parts | undefined {
  return profile === undefined ? undefined : profiles.get(profile);
}

/** The default ladder, or that of a profile. If a reload has just removed the profile, the router reports that. */
export function rungsOf(
  profile: string | undefined,
  { ladder, profiles }: Pick<Router, 'ladder' | 'profiles'>,
): Router['ladder'] {
  return profile === undefined ? ladder : (profiles.get(profile)?.rungs ?? ladder);
}
