import { EACH, type Limit } from '../access/index.ts';
import { type Catalog, type CatalogModel, placesOf } from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';
import { nearestName } from '../nearest-name.ts';
import type { Router } from '../router.ts';

/**
 * Checks limits against what there is: models, providers and profiles that they name, and a price for each model whose money they count.
 * @throws PlimsollError `invalid-config` that names the field
 */
export function checkLimits(
  limits: readonly Limit[],
  catalog: Catalog,
  { profiles }: Pick<Router, 'profiles'>,
): void {
  const names = {
    model: catalog.models.map(({ name }) => name),
    provider: catalog.providers.map(({ name }) => name),
    deployment: [...new Set(placesOfAll(catalog).flatMap(({ deployment }) => deployment ?? []))],
    profile: ['default', ...profiles.keys()],
  };
  for (const [i, limit] of limits.entries()) {
    const at = limit.field ?? `limits.${i}`;
    for (const field of ['model', 'provider', 'deployment', 'profile'] as const) {
      const name = limit.for[field];
      if (name === undefined || name === EACH || names[field].includes(name)) continue;
      const near = nearestName(name, names[field]);
      const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
      throw invalid(`${at}.for.${field}`, `there is no ${field} "${name}".${hint}`);
    }
    if (limit.windows.some(({ unit }) => unit === 'usd')) requirePrices(limit, at, catalog);
  }
  requireQuotas(limits, catalog);
}

function placesOfAll({ models }: Catalog): readonly CatalogModel[] {
  return models.flatMap(placesOf);
}

/** Without a limit there is nothing left to report. */
function requireQuotas(limits: readonly Limit[], { models }: Catalog): void {
  const isQuota = ({ for: names }: Limit, { provider, deployment }: CatalogModel) =>
    names.deployment !== undefined
      ? [EACH, deployment].includes(names.deployment)
      : names.provider !== undefined && [EACH, provider.name].includes(names.provider);
  for (const { name, balance, deployments = [] } of models) {
    if (balance !== 'remaining_quota') continue;
    const without = deployments.find((place) => !limits.some((limit) => isQuota(limit, place)));
    if (without === undefined) continue;
    throw invalid(
      `models.${name}.balance`,
      `remaining_quota needs a limit for each deployment, and ${without.deployment} has none: add one with for: {deployment: "${without.deployment}"}, or for its provider.`,
    );
  }
}

/** Models on the operator's own machines cost nothing unless they have a price. */
function requirePrices({ for: names }: Limit, at: string, catalog: Catalog): void {
  const unpriced = placesOfAll(catalog).find(
    ({ name, provider, price, local, deployment }) =>
      price === undefined &&
      !local &&
      [EACH, undefined, name].includes(names.model) &&
      [EACH, undefined, provider.name].includes(names.provider) &&
      (names.deployment === undefined || [EACH, names.deployment].includes(deployment ?? '')),
  );
  if (unpriced === undefined) return;
  throw invalid(
    at,
    `it counts usd, and ${unpriced.name} has no price: set models.${unpriced.name}.price, with zeros if it costs nothing.`,
  );
}

function invalid(field: string, why: string): PlimsollError {
  return new PlimsollError('invalid-config', `${field}: ${why}`, { place: { field } });
}
