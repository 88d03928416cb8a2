import { type Catalog, type CatalogModel, EFFORTS, type Effort, modelNotFound } from '../catalog/index.ts';
import { acceptedEfforts, refusesEffort } from './reasoning.ts';

/**
 * A catalog that also has each model with an effort to think with: `<provider>/<model>@<effort>`, such as openai/gpt-6-sol@low. A model whose own
 * name ends so is meant itself.
 * @param listed names to be listed among the models, those with an effort
 */
export function withEfforts(catalog: Catalog, listed: readonly string[] = []): Catalog {
  const known = new Map<string, CatalogModel>();

  function found(name: string): CatalogModel | undefined {
    if (catalog.has(name)) return catalog.get(name);
    const there = known.get(name);
    if (there !== undefined) return there;
    const parts = effortIn(name);
    if (parts === undefined || !catalog.has(parts.base)) return undefined;
    const base = catalog.get(parts.base);
    if (!effortsOf(base).includes(parts.effort)) return undefined;
    const { deployments } = base;
    const own = { name, effort: parts.effort };
    const model =
      deployments === undefined
        ? { ...base, ...own }
        : { ...base, ...own, deployments: deployments.map((one) => ({ ...one, ...own })) };
    known.set(name, model);
    return model;
  }

  const shown = [...new Set(listed)].flatMap((name) => (catalog.has(name) ? [] : (found(name) ?? [])));
  return {
    providers: catalog.providers,
    models: [...catalog.models, ...shown],
    has: (name) => found(name) !== undefined,
    get(name) {
      const model = found(name);
      if (model !== undefined) return model;
      const why = whyNoEffort(name, catalog);
      if (why === undefined) return catalog.get(name);
      throw modelNotFound(name, [], why);
    },
  };
}

/** Why a name with an effort names nothing, as a sentence; undefined if its model is not there either. */
export function whyNoEffort(name: string, catalog: Pick<Catalog, 'has' | 'get'>): string | undefined {
  const parts = effortIn(name);
  if (parts === undefined || !catalog.has(parts.base)) return undefined;
  const efforts = effortsOf(catalog.get(parts.base));
  if (efforts.length === 0) return `${parts.base} is not known to take an effort.`;
  return `${parts.base} takes these: ${efforts.join(', ')}.`;
}

/** The efforts that a model takes as such. Claude models that take a budget alone, and only under conditions, have none. */
function effortsOf(model: CatalogModel): readonly Effort[] {
  const isClaude = model.provider.kind === 'anthropic' || model.id.includes('anthropic');
  if (isClaude && refusesEffort(model.id)) return [];
  return acceptedEfforts(model) ?? [];
}

function effortIn(name: string): { readonly base: string; readonly effort: Effort } | undefined {
  const at = name.lastIndexOf('@');
  const effort = EFFORTS.find((one) => one === name.slice(at + 1));
  return at <= 0 || effort === undefined ? undefined : { base: name.slice(0, at), effort };
}
