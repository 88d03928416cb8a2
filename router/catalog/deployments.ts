import { PlimsollError } from '../errors.ts';
import { nearestName } from '../nearest-name.ts';
import type { CatalogModel, Deployment, DeploymentOptions, Provider } from './types.ts';

/** @throws PlimsollError `invalid-config` if there are none, or one is not configured */
export function providersOf(
  model: string,
  options: readonly DeploymentOptions[],
  providers: ReadonlyMap<string, Provider>,
): readonly Provider[] {
  const field = `models.${model}.deployments`;
  if (options.length === 0) throw invalid(field, 'it is empty. Name one place at least, or leave it out.');
  return options.map(({ provider: wanted }, i) => {
    const found = providers.get(wanted);
    if (found === undefined) throw noProvider(`${field}.${i}.provider`, wanted, [...providers.keys()]);
    return found;
  });
}

/**
 * The deployments of a model, each with what is known about the model.
 * @param providers that of each option
 * @throws PlimsollError `invalid-config` if one is there twice, a weight is no number from 0 up, or none is above 0
 */
export function deploymentsOf(
  model: CatalogModel,
  options: readonly DeploymentOptions[],
  providers: readonly Provider[],
): readonly Deployment[] {
  const field = `models.${model.name}.deployments`;
  const deployments = options.map((one, i): Deployment => {
    const { model: id = model.id, weight = 1, price = model.price } = one;
    if (!Number.isFinite(weight) || weight < 0)
      throw invalid(`${field}.${i}.weight`, 'it must be a number, 0 or more.');
    const provider = providers[i]!;
    return { ...model, provider, id, price, weight, deployment: `${provider.name}/${id}` };
  });
  for (const [i, { deployment }] of deployments.entries()) {
    const first = deployments.findIndex((one) => one.deployment === deployment);
    if (first === i) continue;
    throw invalid(
      `${field}.${i}`,
      `${deployment} is there already, as ${field}.${first}. Leave one of them out.`,
    );
  }
  if (deployments.every(({ weight }) => weight === 0))
    throw invalid(field, 'every weight is 0, so none would be called. Give one a weight above 0.');
  return deployments;
}

/** Where a model is called: its deployments, or itself. */
export function placesOf(model: CatalogModel): readonly CatalogModel[] {
  return model.deployments ?? [model];
}

/** Names a model at one place, for breakers, latencies and loads: the model, and behind it the deployment if there are several. */
export function placeName({ name, deployment }: Pick<CatalogModel, 'name' | 'deployment'>): string {
  return deployment === undefined ? name : `${name} ${deployment}`;
}

function noProvider(field: string, wanted: string, providers: readonly string[]): PlimsollError {
  const nearest = nearestName(wanted, providers);
  const hint = nearest === undefined ? '' : ` Did you mean "${nearest}"?`;
  const all = providers.length === 0 ? 'There are none.' : `There are: ${providers.join(', ')}.`;
  return invalid(
    field,
    `there is no provider "${wanted}".${hint} ${all} Add it under providers, or name another.`,
  );
}

function invalid(field: string, why: string): PlimsollError {
  return new PlimsollError('invalid-config', `${field}: ${why}`, { place: { field } });
}
