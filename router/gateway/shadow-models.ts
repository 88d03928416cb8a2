import { type CatalogModel, requirementsOf, unmetRequirements } from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';
import type { UnroutedCall } from '../exchange/index.ts';
import { NO_PROFILE, type Shadow } from '../experiments/index.ts';
import { requestMessages } from '../prompt/index.ts';
import { allowedRungs } from './allowed-rungs.ts';
import { rungsOf, type SelectionParts } from './selection.ts';

/** What the results of a shadow call models that no request could be sent to. */
export function namesOf({ to }: Shadow): readonly string[] {
  if ('models' in to) return to.models;
  return [to.profile === NO_PROFILE ? 'auto' : `auto:${to.profile}`];
}

/** Those that are named, or the one that a profile decides on among the rungs that can take the request. Of a cascade the strongest: no reply is judged. */
export async function modelsFor(
  { to }: Shadow,
  { body, dialect }: UnroutedCall,
  { router, catalog }: Pick<SelectionParts, 'router' | 'catalog'>,
): Promise<readonly CatalogModel[]> {
  const requirements = requirementsOf(body, dialect);
  const lacks = (model: CatalogModel) => unmetRequirements(model, requirements);
  if ('models' in to)
    return to.models.map((name) => catalog.get(name)).filter((model) => lacks(model).length === 0);
  const profile = to.profile === NO_PROFILE ? undefined : to.profile;
  const ladder = rungsOf(profile, router).map(({ model }) => catalog.get(model));
  const { rungs } = allowedRungs(ladder, lacks);
  const named = profile === undefined ? {} : { profile };
  const options = { ...named, allowedRungs: rungs, isRepeated: true };
  const decision = await router.route({ messages: requestMessages(body, dialect) }, options);
  return [catalog.get(decision.model)];
}

/** @throws PlimsollError `invalid-config` if a model of a shadow is not there, or its price is not known, so that no cap could hold */
export function checkShadows(
  shadows: readonly Shadow[],
  { catalog, router }: Pick<SelectionParts, 'catalog'> & { readonly router: Parameters<typeof rungsOf>[1] },
): void {
  for (const { name, to } of shadows) {
    const field = `experiments.${name}.to`;
    const fault = (why: string) =>
      new PlimsollError('invalid-config', `${field}: ${why}`, { place: { field } });
    const models =
      'models' in to
        ? to.models
        : rungsOf(to.profile === NO_PROFILE ? undefined : to.profile, router).map(({ model }) => model);
    for (const model of models) {
      if (!catalog.has(model)) throw fault(`there is no model "${model}". Name one as <provider>/<model>.`);
      const { price, local } = catalog.get(model);
      if (price === undefined && !local)
        throw fault(
          `${model} has no price, so that its spending cannot be capped: set models.${model}.price.`,
        );
    }
  }
}
