import { type Catalog, checkProviderKey, placesOf } from '../catalog/index.ts';
import { checkLimits } from './check-limits.ts';
import { checkExperiments } from './gateway-experiments.ts';
import {
  type ConfiguringRouter,
  checkedCatalog,
  type GatewaySettings,
  requirePrices,
} from './gateway-settings.ts';
import { createModelNames } from './model-names.ts';
import { checkPeople } from './people-accounts.ts';

/** What a server has that settings may need. */
export interface ServerParts {
  /** Stickiness of sessions; undefined: none are kept. */
  readonly stickiness: 'off' | 'pinned' | 'priced' | undefined;
  readonly hasState: boolean;
  /** Others can read it, so that experiments can run. */
  readonly hasSharedState: boolean;
}

/**
 * All that is refused of settings before they serve.
 * @throws PlimsollError `invalid-config` or `ungated` that names the field
 */
export function checkedSettings(
  settings: GatewaySettings,
  router: ConfiguringRouter,
  { stickiness, hasState, hasSharedState }: ServerParts,
): Catalog {
  const catalog = checkedCatalog(settings, router);
  if (stickiness === 'priced') requirePrices(router, catalog);
  for (const { provider } of catalog.models.flatMap(placesOf)) checkProviderKey(provider, process.env);
  checkLimits(settings.limits, catalog, router);
  checkExperiments(settings, router, catalog, hasSharedState);
  checkPeople(settings, router, hasState);
  createModelNames(settings.aliases, catalog, router);
  return catalog;
}
