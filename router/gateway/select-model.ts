import type { Limiter } from '../access/index.ts';
import { competes } from '../artifact/index.ts';
import {
  type Catalog,
  type CatalogModel,
  isHuman,
  type Requirements,
  requirementsOf,
  unmetRequirements,
} from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';
import { givesLogprobs, type UnroutedCall, type UpstreamSettings } from '../exchange/index.ts';
import type { Assignment, LiveExperiments } from '../experiments/index.ts';
import { candidatesFor } from '../fallback/index.ts';
import type { LatencyBook } from '../latency/index.ts';
import { agreedProfile, existingProfile } from '../profile-choice.ts';
import { requestMessages } from '../prompt/index.ts';
import { canCarry, takesNative } from '../providers/index.ts';
import type { Decision, ReplyCheck, ReplyLacks, RoutedForCheck, RouteOptions, Router } from '../router.ts';
import { rungNamed } from '../rules/index.ts';
import {
  type ActiveSession,
  type Sessions,
  type Standing,
  switchCost,
  type ThreadChoice,
} from '../sessions/index.ts';
import { isLarge, nextTurn } from '../turns.ts';
import type { Mutable } from '../types.ts';
import {
  type AllowedRungs,
  allowedRungs,
  type Lacks,
  nothingFits,
  onlyCheaperFits,
} from './allowed-rungs.ts';
import type { FurtherSignalOptions } from './further-signals.ts';
import { optionsInArm } from './in-arm.ts';
import { type LatencyOptions, slowRungsOf } from './latency-class.ts';
import { type ModelNames, optionsOf, type WantedModel } from './model-names.ts';
import { lacksOfPeople, modelOfRule } from './people-requirements.ts';
import { mayCallTools } from './reply-fault.ts';
import type { GatewayRequest } from './request.ts';
import { requestTraits } from './request-traits.ts';

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
  /** All that may be called, in order; the first is `selected`. */
  readonly candidates: readonly CatalogModel[];
  /** Those of them that may be called beside the selected one while it is late, none of them cheaper; undefined: none. */
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
  /** What the router was asked with, and the rung that it chose; undefined for an explicit model. */
  readonly chosen?: ({ readonly options: RouteOptions } & ThreadChoice) | undefined;
  /** The conversation that the request belongs to, as it was before. */
  readonly session?: ActiveSession | undefined;
  /** What its conversation said to the choice; undefined unless conversations keep their model. */
  readonly standing?: Standing | undefined;
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

/** All from one state of the configuration. */
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
  /** Undefined if there is no state that they could stand in. */
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

/**
 * Reads `model` and chooses. An explicit model is obeyed and has no fallbacks: a client that names a model wants that one. Else the
 * policy decides among the rungs that can take the request.
 * @throws PlimsollError `invalid-input` if no candidate can take the request, only a cheaper one than the policy's choice can, or a
 *   threshold has not passed the gate; `model-not-found` if the model, the profile or the policy does not exist
 */
export async function selectModel(
  request: GatewayRequest,
  call: UnroutedCall,
  parts: SelectionParts,
  session?: ActiveSession,
): Promise<Selection> {
  const wanted = parts.names.resolve(request.body['model']);
  const profile = profileOf(request, wanted, parts.router);
  const isExplicit = wanted.kind === 'explicit';
  if (request.operation === 'embeddings' && !isExplicit) throw needsExplicitModel();
  const named = isExplicit ? inProfile(profile) : optionsOf(wanted, profile);
  const asked = request.task === undefined ? named : { ...named, task: request.task };
  const inArm = (given: RouteOptions) => {
    if (wanted.kind !== 'auto') return { options: given, experiment: undefined };
    return optionsInArm(given, parts.experiments, { keyId: request.keyId, session: session?.identity });
  };
  const assigned = inArm(asked);
  const isRuled = parts.router.rules.length > 0 && request.operation !== 'embeddings';
  const known = { isExplicit, profile, session, limiter: parts.limits?.limiter };
  const ruled = isRuled
    ? parts.router.ruled(requestTraits(request, known), assigned.options)
    : assigned.options;
  // A rule may send a request to a profile with an experiment; one that is on an arm stays counted there.
  const isMoved = assigned.experiment === undefined && ruled.profile !== asked.profile;
  const { options: bound, experiment } = isMoved ? inArm(ruled) : { ...assigned, options: ruled };
  const options = withoutPeople(bound, call, parts);
  const { rule } = options;
  if (isExplicit && rule === undefined) {
    return explicitSelection(parts.catalog.get(wanted.name), session, profile);
  }
  try {
    const selection =
      rule?.action.kind === 'model'
        ? await namedByRule(rule.action.model, call, options, parts, session)
        : await routed(call, options, parts, session);
    return experiment === undefined ? selection : { ...selection, experiment };
  } catch (error) {
    throw inTermsOfModel(error, String(request.body['model']), parts.names);
  }
}

/** The same options, without a rule that asks for people who cannot answer the request: the policy chooses then. */
function withoutPeople(
  options: RouteOptions,
  call: UnroutedCall,
  { router, catalog }: SelectionParts,
): RouteOptions {
  const { rule, ...others } = options;
  const name = rule && modelOfRule(rule, rungsOf(options.profile, router));
  if (name === undefined || !isHuman(name)) return options;
  return lacksOfPeople(catalog.get(name), call).length === 0 ? options : others;
}

const NO_OPTIONS: RouteOptions = {};

function inProfile(profile: string | undefined): RouteOptions {
  return profile === undefined ? NO_OPTIONS : { profile };
}

/** The model of a rule, and its equals; no rung of a ladder. */
async function namedByRule(
  name: string,
  call: UnroutedCall,
  options: RouteOptions,
  { catalog, fallbacks, router }: SelectionParts,
  session: ActiveSession | undefined,
): Promise<Selection> {
  const decision = await router.route({ messages: requestMessages(call.body, call.dialect) }, options);
  const fits = (model: CatalogModel) => model.name === name || takesNative(call, model);
  const candidates = candidatesFor({ rung: 0, ladder: [catalog.get(name)], fallbacks, fits });
  return selectionOf(candidates, decision, [], session);
}

/**
 * The profile that a request is for, as whatever names one agrees on.
 * @throws PlimsollError `invalid-input` if they do not agree, `not-found` if there is no such profile
 */
export function profileOf(
  { profile: named }: Pick<GatewayRequest, 'profile'>,
  wanted: WantedModel,
  { profiles }: Pick<Router, 'profiles'>,
): string | undefined {
  const inModel = wanted.kind === 'auto' ? wanted.profile : undefined;
  if (named === undefined) return inModel;
  const agreed = inModel === undefined ? named : agreedProfile(named, { name: inModel, by: 'model' });
  return existingProfile(agreed, profiles);
}

/** The next requests of its conversation find it. */
export function rememberSelection({ session, selected, chosen, ladder }: Selection): void {
  if (chosen === undefined) session?.went(selected.name);
  else {
    const { options, rung, policyRung } = chosen;
    session?.went(selected.name, { options, rung, model: ladder[rung]!.name, policyRung });
  }
}

/** Nano-USD that changing the model costs in prompt caches, or would have; undefined if there was nothing to change. */
export function switchCostOf({
  standing,
  chosen,
}: Pick<Selection, 'standing' | 'chosen'>): number | undefined {
  return standing && chosen && switchCost(standing, chosen);
}

/** What the client named. */
export function explicitSelection(model: CatalogModel, session?: ActiveSession, profile?: string): Selection {
  return {
    selected: model,
    candidates: [model],
    reason: 'explicit-model',
    decision: undefined,
    profile,
    ladder: [],
    session,
  };
}

async function routed(
  call: UnroutedCall,
  options: RouteOptions,
  parts: SelectionParts,
  session: ActiveSession | undefined,
): Promise<Selection> {
  const { router, catalog, fallbacks } = parts;
  const { allowDowngrade, hedge } = parts.upstream;
  const rungs = rungsOf(options.profile, router);
  const ladder = rungs.map(({ model }) => catalog.get(model));
  const rungOf = ({ candidate }: Decision) => rungs.findIndex((rung) => rung.candidate === candidate);
  const requirements = requirementsOf(call.body, call.dialect);
  const ownTurn = isLarge(call.bodyText ?? '') ? nextTurn : undefined;
  if (ownTurn) await ownTurn();
  const unable: CatalogModel[] = [];
  const specialists = specialistsElsewhere(rungs, ladder, () =>
    router.competingTask({ messages: requestMessages(call.body, call.dialect) }, options),
  );
  const lacks: Lacks = (model) =>
    unable.includes(model)
      ? ['a place for a field']
      : specialists.includes(model)
        ? ['this task']
        : isHuman(model.name)
          ? lacksOfPeople(model, call)
          : unmetRequirements(model, requirements);
  let allowed = allowedRungs(ladder, lacks);
  if (allowed.rungs.length === 0) throw nothingFits(allowed.excluded, requirements);
  const { cascade, latency } = profileParts(parts, options.profile) ?? parts;
  const replyMayLack =
    cascade !== 'off' && judgesReplies(options.profile, router)
      ? lacksOfReplies(call, requirements, ladder.slice(0, -1), parts.withoutLogprobs, cascade)
      : undefined;
  const pinnedRung = session?.pinnedRung(
    options,
    rungs.map(({ model }) => model),
  );
  const standing = session?.standing(options, ladder);
  const slowRungs = slowRungsOf(latency, parts.latencies, ladder, requirements.maxOutputTokens);
  const preferring = preferringOptions(options, pinnedRung, standing, slowRungs);
  const decideAmong = (rungs: AllowedRungs) => decide(call, preferring, rungs, router, replyMayLack);
  let { decision, checks } = await decideAmong(allowed);
  const first = decision;
  let rung = rungOf(first);
  // Whether an API can carry a request is checked of the chosen model alone: it costs as much as mapping the request.
  for (let model = ladder[rung]; model && !(await canCarry(call, model)); model = ladder[rung]) {
    if (ownTurn) await ownTurn();
    unable.push(model);
    allowed = allowedRungs(ladder, lacks);
    if (allowed.rungs.length === 0) return selectionOf(unable, first, ladder, session); // called, they say why: nothing is sent
    ({ decision, checks } = await decideAmong(allowed));
    rung = rungOf(decision);
  }
  const isDowngrade = decision.reason === 'requirements' && decision.ungatedReason === 'downgraded';
  // A model in place of people, because they cannot do what the request wants, is no cheaper one than the policy may choose.
  const isOfModels = ladder.some((model, at) => at > rung && !isHuman(model.name) && lacks(model).length > 0);
  if (isDowngrade && isOfModels && !allowDowngrade) {
    if (unable.length > 0) return selectionOf(unable, first, ladder, session);
    throw onlyCheaperFits(allowed.excluded, requirements);
  }
  // After a failure no people are called: an outage would fill their queue.
  const mayFollow = (model: CatalogModel) => !isHuman(model.name) || model === ladder[rung];
  const fits = (model: CatalogModel) =>
    lacks(model).length === 0 && mayFollow(model) && takesNative(call, model);
  const called = ladder.slice(0, strongestCalled(options.rule, rungs));
  const candidates = candidatesFor({ rung, ladder: called, fallbacks, fits, allowDowngrade });
  const { policyChoice } = decision;
  const policyRung =
    policyChoice === undefined ? undefined : rungs.findIndex(({ candidate }) => candidate === policyChoice);
  const chosen = { options, rung, policyRung };
  const from = (start: number) => candidatesFor({ rung: start, ladder, fallbacks, fits });
  const routed = selectionOf(candidates, decision, ladder, session, chosen, standing);
  const upward = allowDowngrade ? candidatesFor({ rung, ladder: called, fallbacks, fits }).length : undefined;
  const selected = upward === undefined ? routed : { ...routed, cheaper: candidates.slice(upward) };
  const selection = hedge === undefined ? selected : { ...selected, hedgeAmong: from(rung) };
  if (checks.length === 0) return selection;
  const checked = (await carriedChecks(call, checks, ladder)).map((check) => {
    const stronger = from(check.rung + 1);
    return { check, candidates: from(check.rung).filter((model) => !stronger.includes(model)) };
  });
  return { ...selection, escalation: { checks: checked, candidates: from(ladder.length - 1) } };
}

/** The options of a request, with the rung of its turn, what its conversation says, and the rungs that are slow. */
function preferringOptions(
  options: RouteOptions,
  pinnedRung: number | undefined,
  standing: Standing | undefined,
  slowRungs: RouteOptions['slowRungs'],
): RouteOptions {
  const preferring: Mutable<RouteOptions> = { ...options, inSession: true };
  if (pinnedRung !== undefined) preferring.pinnedRung = pinnedRung;
  if (standing?.stay !== undefined) preferring.session = standing.stay;
  if (slowRungs !== undefined) preferring.slowRungs = slowRungs;
  return preferring;
}

const NOBODY: readonly CatalogModel[] = [];

/** The models that are on the ladder for other tasks alone. */
function specialistsElsewhere(
  rungs: Router['ladder'],
  ladder: readonly CatalogModel[],
  taskOf: () => string | undefined,
): readonly CatalogModel[] {
  if (rungs.every(({ tasks }) => tasks === undefined)) return NOBODY;
  const task = taskOf();
  const competing = new Set(ladder.filter((_, rung) => competes(rungs[rung]!, task)));
  return ladder.filter((model) => !competing.has(model));
}

const NOTHING: ReplyLacks = [];

/** Whether the artifact that decides has a cascade: most have none, and nobody asks then what replies may lack. */
function judgesReplies(profile: string | undefined, router: Router): boolean {
  const { canJudge } = profileParts(router, profile) ?? router;
  return rungsOf(profile, router).some((_, rung) => canJudge(rung, NOTHING) !== undefined);
}

/** How many rungs may be called: what a rule rules out is not called after a failure either. */
function strongestCalled(rule: RouteOptions['rule'], rungs: Router['ladder']): number {
  if (rule?.action.kind !== 'at-most') return rungs.length;
  const { rung } = rule.action;
  return (
    rungNamed(
      rung,
      rungs.map(({ candidate }) => candidate),
    ) + 1
  );
}

/** Up to the first rung whose API cannot carry the request; that of the first one can. */
async function carriedChecks(
  call: UnroutedCall,
  checks: readonly ReplyCheck[],
  ladder: readonly CatalogModel[],
): Promise<readonly ReplyCheck[]> {
  for (const [at, { rung }] of checks.entries())
    if (at > 0 && !(await canCarry(call, ladder[rung]!))) return checks.slice(0, at);
  return checks;
}

/**
 * What the judges of these models' replies cannot count on. Undefined if no reply can be judged: the classifier and the judges read one text, and see
 * neither pictures nor sound nor several replies.
 */
function lacksOfReplies(
  { body, dialect }: UnroutedCall,
  { images, audio }: Requirements,
  models: readonly CatalogModel[],
  withoutLogprobs: SelectionParts['withoutLogprobs'],
  cascade: FurtherSignalOptions,
): readonly ReplyLacks[] | undefined {
  const { n } = body;
  const several = dialect === 'openai' && typeof n === 'number' && n > 1;
  if (images || audio || several) return undefined;
  const lacks: ReplyLacks[number][] = notAskedFor(cascade);
  if (mayCallTools(body)) lacks.push('text');
  return models.map((model) =>
    givesLogprobs(model, dialect) && !withoutLogprobs.has(model.name) ? lacks : [...lacks, 'logprobs'],
  );
}

/** The signals that take further calls, if the configuration asks for none. */
function notAskedFor({ samples, verifier }: FurtherSignalOptions): ('agreement' | 'verifier')[] {
  return [
    ...(samples === undefined ? (['agreement'] as const) : []),
    ...(verifier === undefined ? (['verifier'] as const) : []),
  ];
}

function selectionOf(
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

async function decide(
  { body, dialect }: UnroutedCall,
  options: RouteOptions,
  { rungs, excluded }: AllowedRungs,
  router: Router,
  replyMayLack: readonly ReplyLacks[] | undefined,
): Promise<RoutedForCheck> {
  const messages = requestMessages(body, dialect);
  const among = excluded.length === 0 ? options : { ...options, allowedRungs: rungs };
  if (replyMayLack === undefined) return { decision: await router.route({ messages }, among), checks: [] };
  return router.routeForCheck({ messages }, replyMayLack, among);
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

const WRITTEN_IN_MODEL: readonly (string | undefined)[] = ['policy', 'threshold', 'profile'];

/** Clients of the gateway write the router's options into `model`: an error about one of them is about `model`. */
function inTermsOfModel(error: unknown, model: string, names: ModelNames): unknown {
  if (!(error instanceof PlimsollError)) return error;
  const { code, message, place } = error;
  if (!WRITTEN_IN_MODEL.includes(place.field)) return error;
  if (code === 'not-found') return names.notFound(model, message);
  return new PlimsollError(code, message, { place: { field: 'model' } });
}

function needsExplicitModel(): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    'Embeddings of two models cannot be mixed: name the model as <provider>/<model>.',
    { place: { field: 'model' } },
  );
}
