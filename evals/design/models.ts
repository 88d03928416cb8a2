import {
  type CatalogOptions,
  costUsd,
  createCatalog,
  type Price,
  shippedProviders,
} from '../../router/catalog/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { nearestName } from '../../router/nearest-name.ts';
import { COMMAND } from '../../router/package.ts';
import type { TaskShare } from './mix.ts';
import type { QualityRow } from './qualities.ts';

export interface NamedModel {
  /** As it will be called, such as openai/gpt-4o-mini. */
  readonly name: string;
  /** What labels and qualities call it, if that is another name. */
  readonly knownAs?: string;
}

/** A model that a ladder may have. */
export interface DesignModel extends NamedModel {
  /** US dollars a million tokens; undefined if it is not known. */
  readonly price?: Price | undefined;
  /** The price counts before measured costs, because somebody stated it for this design. */
  readonly isPriceStated?: boolean;
}

/** `openai/gpt-4o-mini,large=openai/gpt-4o`. @throws PlimsollError `invalid-input` for a name without letters, or a label given twice */
export function parseModels(text: string): readonly NamedModel[] {
  const models = text.split(',').map((part) => {
    const [first = '', ...rest] = part.split('=').map((one) => one.trim());
    if (first === '' || rest.length > 1 || rest[0] === '')
      throw invalid(
        'models',
        `--models: "${part.trim()}" is no model. Write <provider>/<model>, or name=<provider>/<model>.`,
      );
    return rest[0] === undefined ? { name: first } : { name: rest[0], knownAs: first };
  });
  requireLabelsOnce(models);
  return models;
}

function requireLabelsOnce(models: readonly NamedModel[]): void {
  const labels = models.map(({ name, knownAs = name }) => knownAs);
  const twice = labels.find((label, i) => labels.indexOf(label) !== i);
  if (twice === undefined) return;
  const those = models.filter(({ name, knownAs = name }) => knownAs === twice).map(({ name }) => name);
  throw invalid(
    'models',
    `--models: the label "${twice}" is given twice, for ${those.join(' and for ')}. Of each label there is one model: leave one out, or name what data or table call the other.`,
  );
}

/** `model=0.15/0.60`: US dollars a million tokens of input and output. @throws PlimsollError `invalid-input` for anything else */
export function parsePrices(texts: readonly string[]): ReadonlyMap<string, Price> {
  const prices = texts
    .flatMap((text) => text.split(','))
    .map((text): [string, Price] => {
      const [, name, input, output] = /^\s*(.+)=(\d+(?:\.\d+)?)\/(\d+(?:\.\d+)?)\s*$/.exec(text) ?? [];
      if (name !== undefined) return [name, { inputUsd: Number(input), outputUsd: Number(output) }];
      throw invalid(
        'price',
        `--price: "${text.trim()}" must be a model and its US dollars a million tokens of input and output: model=0.15/0.60.`,
      );
    });
  return new Map(prices);
}

/**
 * The models with their prices: as stated, else of the configuration, else of the price table.
 * @throws PlimsollError `invalid-input` if a price is stated for a model that is not named
 */
export function pricedModels(
  models: readonly NamedModel[],
  stated: ReadonlyMap<string, Price>,
  { providers, models: configured }: CatalogOptions,
): readonly DesignModel[] {
  const shipped = Object.fromEntries(
    shippedProviders().flatMap(({ kind }) => (kind === 'people' ? [] : [[kind, { kind }] as const])),
  );
  const catalog = createCatalog({ providers: { ...shipped, ...providers }, models: configured });
  for (const name of stated.keys()) namedModel(name, models, 'price');
  return models.map((model) => {
    const price =
      stated.get(model.name) ?? (model.knownAs === undefined ? undefined : stated.get(model.knownAs));
    if (price !== undefined) return { ...model, price, isPriceStated: true };
    return { ...model, price: catalog.has(model.name) ? catalog.get(model.name).price : undefined };
  });
}

/** The name of a model that may be given by either. @throws PlimsollError `invalid-input` if there is none */
export function namedModel(wanted: string, models: readonly NamedModel[], flag = 'strong'): string {
  const found = models.find(({ name, knownAs }) => wanted === name || wanted === knownAs);
  if (found !== undefined) return found.name;
  const names = models.map(({ name }) => name);
  const near = nearestName(wanted, names);
  const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
  throw invalid(flag, `--${flag}: "${wanted}" is none of the models.${hint} There are ${names.join(', ')}.`);
}

/** A name as qualities have it: without the provider, without case. */
export function baseName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1).toLowerCase();
}

/**
 * The rows under the names of the design: a row is of the model that is known by its name, else of the one with the same name behind the provider's.
 * @param table what the rows are, for a person, such as a file
 * @throws PlimsollError `insufficient-data` if a model has no row
 */
export function rowsOfModels(
  models: readonly DesignModel[],
  rows: readonly QualityRow[],
  table: string,
): readonly QualityRow[] {
  const exact = new Map(models.map(({ name, knownAs = name }) => [knownAs, name]));
  const byBase = new Map(models.map(({ name, knownAs = name }) => [baseName(knownAs), name]));
  const nameOf = (model: string) => exact.get(model) ?? byBase.get(baseName(model));
  const named = rows.map((row) => ({ ...row, model: nameOf(row.model) ?? row.model }));
  for (const { name, knownAs = name } of models) {
    if (named.some(({ model }) => model === name)) continue;
    const near = nearestName(
      baseName(knownAs),
      rows.map(({ model }) => baseName(model)),
    );
    const hint = near === undefined ? '' : ` The nearest that it knows is ${near}.`;
    throw new PlimsollError(
      'insufficient-data',
      `Nothing can be said of ${name}: it is not in ${table}.${hint} Give its qualities by task with --qualities FILE (columns model, task, quality, n), or label some hundred requests with ${COMMAND} label and design from them: --data FILE.`,
      { place: { field: 'models' } },
    );
  }
  return named;
}

/**
 * Mean US dollars of a request of a task. A price that was stated counts before a measured cost, and that before the price table.
 * @param rows of the traffic itself, whose tokens and costs are the model's own
 * @throws PlimsollError `insufficient-data` if there is neither cost nor price, or a price without tokens
 */
export function costOf(model: DesignModel, { task, ...mix }: TaskShare, rows: readonly QualityRow[]): number {
  const own = rows.find((row) => row.model === model.name && row.task === task && row.source === undefined);
  if (own?.costUsd !== undefined && model.isPriceStated !== true) return own.costUsd;
  const { name, price } = model;
  if (price === undefined) {
    throw new PlimsollError(
      'insufficient-data',
      `The price of ${name} is not known. Give it by --price ${name}=0.15/0.60 (US dollars a million tokens of input and output), or as models: { ${name}: { price: … } } in the configuration.`,
      { place: { field: 'price' } },
    );
  }
  const inputTokens = own?.inputTokens ?? mix.inputTokens;
  const outputTokens = own?.outputTokens ?? mix.outputTokens;
  const cost =
    inputTokens === undefined || outputTokens === undefined
      ? undefined
      : costUsd(price, { inputTokens, outputTokens });
  if (cost !== undefined) return cost;
  throw new PlimsollError(
    'insufficient-data',
    `How long requests of ${task} and the replies of ${name} are is not known. Give --tokens ${task}=400/120, or --tokens 400/120 for all tasks.`,
    { place: { field: 'tokens' } },
  );
}

function invalid(field: string, message: string): PlimsollError {
  return new PlimsollError('invalid-input', message, { place: { field } });
}
