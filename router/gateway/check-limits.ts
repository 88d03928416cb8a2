import { EACH, type Limit } from '../access/index.ts';
import type { Catalog } from '../catalog/index.ts';
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
    profile: ['default', ...profiles.keys()],
  };
  for (const [i, limit] of limits.entries()) {
    for (const field of ['model', 'provider', 'profile'] as const) {
      const name = limit.for[field];
      if (name === undefined || name === EACH || names[field].includes(name)) continue;
      const near = nearestName(name, names[field]);
      const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
      throw invalid(`limits.${i}.for.${field}`, `there is no ${field} "${name}".${hint}`);
    }
    if (limit.windows.some(({ unit }) => unit === 'usd')) requirePrices(limit, i, catalog);
  }
}

/** Models on the operator's own machines cost nothing unless they have a price. */
function requirePrices({ for: names }: Limit, i: number, { models }: Catalog): void {
  const unpriced = models.find(
    ({ name, provider, price, local }) =>
      price === undefined &&
      !local &&
      [EACH, undefined, name].includes(names.model) &&
      [EACH, undefined, provider.name].includes(names.provider),
  );
  if (unpriced === undefined) return;
  throw invalid(
    `limits.${i}`,
    `it counts usd, and ${unpriced.name} has no price: set models.${unpriced.name}.price, with zeros if it costs nothing.`,
  );
}

function invalid(field: string, why: string): PlimsollError {
  return new PlimsollError('invalid-config', `${field}: ${why}`, { place: { field } });
}
