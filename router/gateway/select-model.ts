import { type CatalogModel, isHuman } from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';
import type { UnroutedCall } from '../exchange/index.ts';
import { candidatesFor } from '../fallback/index.ts';
import { agreedProfile, existingProfile } from '../profile-choice.ts';
import { requestMessages } from '../prompt/index.ts';
import { takesNative } from '../providers/index.ts';
import type { RouteOptions, Router } from '../router.ts';
import { modelOfRule } from '../rules/index.ts';
import { type ActiveSession, switchCost } from '../sessions/index.ts';
import { optionsInArm } from './in-arm.ts';
import { type ModelNames, optionsOf, type WantedModel } from './model-names.ts';
import { isForPeople } from './people-requirements.ts';
import type { GatewayRequest } from './request.ts';
import { requestTraits } from './request-traits.ts';
import { selectRung } from './select-rung.ts';
import { rungsOf, type Selection, type SelectionParts, selectionOf } from './selection.ts';

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
        : await selectRung(call, options, parts, session);
    return experiment === undefined ? selection : { ...selection, experiment };
  } catch (error) {
    throw inTermsOfModel(error, String(request.body['model']), parts.names);
  }
}

/** The same options, without a rule that asks for people who cannot answer the request: the policy chooses then. */
function withoutPeople(options: RouteOptions, call: UnroutedCall, { router }: SelectionParts): RouteOptions {
  const { rule, ...others } = options;
  const name = rule && modelOfRule(rule, rungsOf(options.profile, router));
  if (name === undefined || !isHuman(name)) return options;
  return isForPeople(call) ? options : others;
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
  // What people cost is compared with the models that would have replied.
  const ladder = isHuman(name) ? rungsOf(options.profile, router).map(({ model }) => catalog.get(model)) : [];
  const compared = ladder.length === 0 ? undefined : [catalog.get(name), ...ladder];
  return { ...selectionOf(candidates, decision, [], session), compared, isForPeople: isForPeople(call) };
}

/**
 * The profile of a request; everything that names one must agree.
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

/** Keeps the selection for the next requests of its conversation. */
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
