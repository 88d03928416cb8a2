import { competes } from '../artifact/index.ts';
import {
  type Catalog,
  type CatalogModel,
  type Requirements,
  requirementsOf,
  unmetRequirements,
} from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';
import { candidatesFor } from '../fallback/index.ts';
import type { LatencyBook } from '../latency/index.ts';
import { agreedProfile, existingProfile } from '../profile-choice.ts';
import { requestMessages } from '../prompt/index.ts';
import {
  canCarry,
  givesLogprobs,
  takesNative,
  type UnroutedCall,
  type UpstreamSettings,
} from '../providers/index.ts';
import type { Decision, ReplyCheck, ReplyLacks, RoutedForCheck, RouteOptions, Router } from '../router.ts';
import {
  type ActiveSession,
  type Sessions,
  type Standing,
  switchCost,
  type ThreadChoice,
} from '../sessions/index.ts';
import { isLarge, nextTurn } from '../turns.ts';
import type { FurtherSignalOptions } from './further-signals.ts';
import { type LatencyOptions, slowRungsOf } from './latency-class.ts';
import { type ModelNames, optionsOf, type WantedModel } from './model-names.ts';
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
  const isRuled = parts.router.rules.length > 0 && request.operation !== 'embeddings';
  const options = isRuled ? parts.router.ruled(requestTraits(request, isExplicit), asked) : asked;
  const { rule } = options;
  if (isExplicit && rule === undefined) {
    return explicitSelection(parts.catalog.get(wanted.name), session, profile);
  }
  try {
    if (rule?.action.kind === 'model')
      return await namedByRule(rule.action.model, call, options, parts, session);
    return await routed(call, options, parts, session);
  } catch (error) {
    throw inTermsOfModel(error, String(request.body['model']), parts.names);
  }
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
  const specialists = specialistsElsewhere(rungs, ladder, options.task);
  const lacks: Lacks = (model) =>
    unable.includes(model)
      ? ['a place for a field']
      : specialists.includes(model)
        ? ['this task']
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
  const inSession = inSessionOptions(options, pinnedRung, standing);
  const slowRungs = slowRungsOf(latency, parts.latencies, ladder, requirements.maxOutputTokens);
  const preferring = slowRungs === undefined ? inSession : { ...inSession, slowRungs };
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
  if (isDowngrade && !allowDowngrade) {
    if (unable.length > 0) return selectionOf(unable, first, ladder, session);
    throw onlyCheaperFits(allowed.excluded, requirements);
  }
  const fits = (model: CatalogModel) => lacks(model).length === 0 && takesNative(call, model);
  const called = ladder.slice(0, strongestCalled(options.rule, rungs));
  const candidates = candidatesFor({ rung, ladder: called, fallbacks, fits, allowDowngrade });
  const { policyChoice } = decision;
  const policyRung =
    policyChoice === undefined ? undefined : rungs.findIndex(({ candidate }) => candidate === policyChoice);
  const chosen = { options, rung, policyRung };
  const from = (start: number) => candidatesFor({ rung: start, ladder, fallbacks, fits });
  const selected = selectionOf(candidates, decision, ladder, session, chosen, standing);
  const selection = hedge === undefined ? selected : { ...selected, hedgeAmong: from(rung) };
  if (checks.length === 0) return selection;
  const checked = (await carriedChecks(call, checks, ladder)).map((check) => {
    const stronger = from(check.rung + 1);
    return { check, candidates: from(check.rung).filter((model) => !stronger.includes(model)) };
  });
  return { ...selection, escalation: { checks: checked, candidates: from(ladder.length - 1) } };
}

/** The options of a request, with the rung of its turn and what its conversation says. */
function inSessionOptions(
  options: RouteOptions,
  pinnedRung: number | undefined,
  standing: Standing | undefined,
): RouteOptions {
  const pinned = pinnedRung === undefined ? options : { ...options, pinnedRung };
  return standing?.stay === undefined ? pinned : { ...pinned, session: standing.stay };
}

const NOBODY: readonly CatalogModel[] = [];

/** The models that are on the ladder for other tasks alone. */
function specialistsElsewhere(
  rungs: Router['ladder'],
  ladder: readonly CatalogModel[],
  task: string | undefined,
): readonly CatalogModel[] {
  if (rungs.every(({ tasks }) => tasks === undefined)) return NOBODY;
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
  return rungs.findIndex(({ candidate }) => candidate === rung) + 1;
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
export function notAskedFor({ samples, verifier }: FurtherSignalOptions): ('agreement' | 'verifier')[] {
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
export function rungsOf(profile: string | undefined, { ladder, profiles }: Router): Router['ladder'] {
  return profile === undefined ? ladder : (profiles.get(profile)?.rungs ?? ladder);
}

/**
 * What a model lacks for a request, in words for a person: "images", "the field seed". Empty if it can take the request.
 * Every reason to leave a model out of routing belongs in here, so that the policy chooses among what is left.
 */
type Lacks = (model: CatalogModel) => readonly string[];

/** A rung that cannot take a request. */
interface ExcludedRung {
  readonly model: string;
  readonly lacks: readonly string[];
}

/** The rungs of a ladder that can take a request, and the others. */
interface AllowedRungs {
  /** Ascending from 0, the cheapest; may be empty. */
  readonly rungs: readonly number[];
  readonly excluded: readonly ExcludedRung[];
}

/** The rungs whose model can take the request: what the policy may choose among. @param ladder cheapest first */
export function allowedRungs(ladder: readonly CatalogModel[], lacks: Lacks): AllowedRungs {
  const rungs: number[] = [];
  const excluded: ExcludedRung[] = [];
  for (const [rung, model] of ladder.entries()) {
    const lacking = lacks(model);
    if (lacking.length === 0) rungs.push(rung);
    else excluded.push({ model: model.name, lacks: lacking });
  }
  return { rungs, excluded };
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

function nothingFits(excluded: readonly ExcludedRung[], requirements: Requirements): PlimsollError {
  return cannotTake(
    `No candidate of the ladder can do what this request needs (${needsOf(requirements)}): ${lackingOf(excluded)}.`,
    'Name a model that can, as <provider>/<model>.',
  );
}

function onlyCheaperFits(excluded: readonly ExcludedRung[], requirements: Requirements): PlimsollError {
  return cannotTake(
    `Only a cheaper candidate than the one that was chosen can do what this request needs (${needsOf(requirements)}): ${lackingOf(excluded)}.`,
    'Name a model that can, as <provider>/<model>, or let the operator set upstream.allow_downgrade.',
  );
}

function cannotTake(why: string, remedy: string): PlimsollError {
  return new PlimsollError('invalid-input', `${why} ${remedy}`, { place: { field: 'model' } });
}

function needsOf(requirements: Requirements): string {
  const needs = (['tools', 'images', 'audio', 'structuredOutput'] as const).filter(
    (need) => requirements[need],
  );
  return [...needs, `about ${requirements.inputTokens} tokens of input`].join(', ');
}

function lackingOf(excluded: readonly ExcludedRung[]): string {
  return excluded.map(({ model, lacks }) => `${model} lacks ${lacks.join(', ')}`).join('; ');
}
