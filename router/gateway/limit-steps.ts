import { type CallPlace, isFor, type LimitRefusal, type RequestLimits } from '../access/index.ts';
import { type CatalogModel, placeName, placesOf } from '../catalog/index.ts';
import type { PeoplePlan, Plan } from './plan.ts';
import type { Selection } from './selection.ts';

/** A plan without the candidates whose limits have no room, or what to do instead; `leftOut` lists deployments separately. */
export type LimitStep =
  | { readonly plan: Plan; readonly leftOut: readonly CatalogModel[] }
  | 'wait'
  | 'refuse';

/** A plan that calls only models. */
type ModelPlan = Exclude<Plan, PeoplePlan>;

export function callPlaceOf({ name, provider, deployment }: CatalogModel): CallPlace {
  return { model: name, provider: provider.name, deployment };
}

export function modelsOf(plan: Plan): readonly CatalogModel[] {
  if (plan.kind === 'direct') return plan.candidates;
  if (plan.kind === 'people') return [plan.model, ...plan.fallback];
  return [...plan.checks.flatMap(({ candidates }) => candidates), ...plan.rest];
}

/** The model whose reply is wanted first. */
export function choiceOf(plan: Plan): CatalogModel {
  return modelsOf(plan)[0]!;
}

/**
 * Puts equals first if a limit of the chosen model is nearly used up: they are as good, so what is claimed of the decision still holds.
 * If the limits of all are nearly used up, the order stays.
 * @param maxPriceFactor equals whose output costs more than this multiple of the chosen model's do not go first
 */
export function preferringOthers(
  plan: Plan,
  limits: RequestLimits,
  selection: Selection,
  maxPriceFactor: number | undefined,
): Plan {
  if (plan.kind === 'people') return plan; // people have no equals
  const { price } = selection.selected;
  const ceiling =
    price?.outputUsd && maxPriceFactor ? price.outputUsd * maxPriceFactor : Number.POSITIVE_INFINITY;
  const isNear = (model: CatalogModel) =>
    (model.price?.outputUsd ?? 0) > ceiling ||
    placesOf(model).every((place) => limits.isNearLimit(callPlaceOf(place)));
  const nearLast = (models: readonly CatalogModel[]) => {
    const near = models.filter(isNear);
    return near.length === 0 ? models : [...models.filter((model) => !near.includes(model)), ...near];
  };
  if (plan.kind === 'direct') {
    const equals = rungOf(plan.candidates, selection);
    if (equals.length < 2) return plan;
    return { ...plan, candidates: [...nearLast(equals), ...plan.candidates.slice(equals.length)] };
  }
  const checks = plan.checks.map((checked) => ({ ...checked, candidates: nearLast(checked.candidates) }));
  return { ...plan, checks, rest: nearLast(plan.rest) };
}

/** What to do when a limit has no room: never go to a cheaper rung, whatever the configuration allows after failures. */
export function stepAtLimit(plan: Plan, { limit, neverFits }: LimitRefusal, selection: Selection): LimitStep {
  if (plan.kind === 'people') return 'refuse';
  const isCheaper = cheaperThanChosen(selection);
  const isLeft = (place: CatalogModel) => !isFor(limit, callPlaceOf(place));
  const isChoiceLeft = placesOf(choiceOf(plan)).some(isLeft);
  const atLimit = limit.whenFull?.atLimit ?? 'next';
  if (!isChoiceLeft && atLimit === 'wait' && !neverFits) return 'wait';
  if (!isChoiceLeft && atLimit === 'refuse') return 'refuse';
  const rest = without(plan, isLeft, isCheaper);
  const allowed = isChoiceLeft || rest === undefined ? rest : amongAllowed(plan, rest, atLimit, selection);
  if (allowed === undefined) return atLimit === 'wait' && !neverFits ? 'wait' : 'refuse';
  const kept = new Set(placesOfPlan(allowed).map(placeName));
  return { plan: allowed, leftOut: placesOfPlan(plan).filter((place) => !kept.has(placeName(place))) };
}

function placesOfPlan(plan: Plan): readonly CatalogModel[] {
  return modelsOf(plan).flatMap(placesOf);
}

/**
 * The plan without the candidates and deployments whose limits have no room. If one of them is on the chosen rung or above, cheaper candidates
 * are left out too: otherwise the limit could send the request down, if the remaining ones fail.
 * @returns undefined if nothing that the limit covers can be left out, or nothing would remain
 */
function without(
  plan: ModelPlan,
  isLeft: (place: CatalogModel) => boolean,
  isCheaper: (model: CatalogModel) => boolean,
): ModelPlan | undefined {
  const full = placesOfPlan(plan).filter((place) => !isLeft(place));
  if (full.length === 0) return undefined;
  const mayGoDown = full.every(isCheaper);
  return planOf(plan, (models) =>
    models.flatMap((model) => (mayGoDown || !isCheaper(model) ? withPlaces(model, isLeft) : [])),
  );
}

function planOf(
  plan: ModelPlan,
  left: (models: readonly CatalogModel[]) => readonly CatalogModel[],
): ModelPlan | undefined {
  if (plan.kind === 'direct') {
    const candidates = left(plan.candidates);
    return candidates.length === 0 ? undefined : { ...plan, candidates };
  }
  const rest = left(plan.rest);
  if (rest.length === 0) return undefined;
  const checks = plan.checks
    .map((checked) => ({ ...checked, candidates: left(checked.candidates) }))
    .filter(({ candidates }) => candidates.length > 0);
  const { deadlineMs, options } = plan;
  return checks.length === 0
    ? { kind: 'direct', candidates: rest, deadlineMs, options }
    : { ...plan, checks, rest };
}

/** The model with its remaining deployments; empty if none remains. */
function withPlaces(model: CatalogModel, isLeft: (place: CatalogModel) => boolean): readonly CatalogModel[] {
  if (model.deployments === undefined) return isLeft(model) ? [model] : [];
  const deployments = model.deployments.filter(isLeft);
  return deployments.length === 0 ? [] : [{ ...model, deployments }];
}

/** The remaining candidates that may replace the choice. @param rest `plan` without those that have no room */
function amongAllowed(
  plan: ModelPlan,
  rest: ModelPlan,
  atLimit: 'next' | 'equals' | 'stronger' | 'wait' | 'refuse',
  selection: Selection,
): ModelPlan | undefined {
  const first = plan.kind === 'direct' ? rungOf(plan.candidates, selection) : plan.checks[0]!.candidates;
  const isEqual = ({ name }: CatalogModel) => first.some((one) => one.name === name);
  const kept = planOf(rest, (models) => {
    if (atLimit === 'equals' && plan.kind === 'direct') return models.filter(isEqual);
    return atLimit === 'stronger' ? models.filter((model) => !isEqual(model)) : models;
  });
  // In a cascade only an equal may come first: without one, the next reply would be that of a stronger model.
  if (atLimit === 'equals' && kept !== undefined && !isEqual(choiceOf(kept))) return undefined;
  return kept;
}

/** The first candidate and its equals: up to the next model of the ladder, or the first cheaper one. */
function rungOf(candidates: readonly CatalogModel[], selection: Selection): readonly CatalogModel[] {
  const { ladder } = selection;
  const isCheaper = cheaperThanChosen(selection);
  const next = candidates.findIndex(
    (model, i) => i > 0 && (isCheaper(model) || ladder.some((rung) => rung.name === model.name)),
  );
  return next === -1 ? candidates : candidates.slice(0, next);
}

const NOBODY: readonly CatalogModel[] = [];

/** Whether a candidate, or one of its deployments, is below the chosen rung. */
function cheaperThanChosen({ cheaper = NOBODY }: Selection): (model: CatalogModel) => boolean {
  const names = new Set(cheaper.map(({ name }) => name));
  return ({ name }) => names.has(name);
}
