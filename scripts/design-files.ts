import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { CASES_FILE, type Design, type DesignModel, suiteText } from '../evals/design/index.ts';
import { shippedProviders } from '../router/catalog/index.ts';
import { type Config, DEFAULT_CONFIG_FILE } from '../router/config/index.ts';
import { PlimsollError } from '../router/errors.ts';
import { replaceFile } from '../router/files/index.ts';
import { configText, type WantedProvider, wantedProvider } from './init/index.ts';

const SUITE_FILE = 'suite.yaml';

interface WriteOptions {
  /** Its providers are taken over. */
  readonly config: Pick<Config, 'providers'>;
  readonly models: readonly DesignModel[];
  readonly force: boolean;
}

/**
 * Writes the configuration with the proposed ladder, and the suite that is to prove it.
 * @returns the commands that come next, for a terminal
 * @throws PlimsollError `invalid-input` if one is there already, or a model of the ladder has no provider
 */
export function writeDesign(folder: string, design: Design, { config, models, force }: WriteOptions): string {
  const { ladder, margin, sentence, labels } = design;
  const providers = ladder.map(({ model }) => providerOf(model, config));
  const wanted = [...new Map(providers.map((one) => [one.name, one])).values()];
  const [cheap, strong] = [ladder[0]!.model, ladder.at(-1)!.model];
  const between = Object.fromEntries(ladder.slice(1, -1).map(({ candidate, model }) => [candidate, model]));
  const prices = Object.fromEntries(
    models.flatMap(({ name, price }) =>
      price === undefined ? [] : [[name, { input: price.inputUsd, output: price.outputUsd }]],
    ),
  );
  const text = configText({
    providers: wanted,
    cheap,
    between,
    strong,
    prices,
    use: 'chat',
    margin,
    start: 'measure',
  });
  const budget = labels.cost_usd === null ? undefined : Math.max(1, Math.ceil(1.5 * labels.cost_usd));
  const next = nextCommands(folder, design, budget);
  const files = {
    [DEFAULT_CONFIG_FILE]: `${commented(`Designed: ${sentence}`)}\n#\n${commented(next)}\n\n${text}`,
    [SUITE_FILE]: suiteText(design),
  };
  for (const name of Object.keys(files)) requireFree(path.join(folder, name), force);
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) replaceFile(path.resolve(folder, name), content);
  return `\n${Object.keys(files)
    .map((name) => path.join(folder, name))
    .join(' and ')} are written.\n\n${next}\n`;
}

function nextCommands(
  folder: string,
  { ladder, margin, labels }: Design,
  budget: number | undefined,
): string {
  const models = ladder.map(({ model }) => model);
  const at = (name: string) => path.join(folder, name);
  const trained = at('models/router');
  const cost = budget === undefined ? '' : `, about $${labels.cost_usd!.toFixed(2)} of calls without a judge`;
  return `Next, with prompts of your own and how replies are graded (docs/LABELLING.md): about ${labels.needed?.toLocaleString('en') ?? 'as many as there are'} labels${cost}.
  plimsoll label --from prompts.jsonl --models ${models.join(',')} --graders graders.yaml --budget ${budget ?? 20}usd --config ${at(DEFAULT_CONFIG_FILE)} --out ${at(CASES_FILE)}
  plimsoll train --data ${at(CASES_FILE)} ${models.length === 2 ? `--cheap ${models[0]} --strong ${models[1]}` : `--ladder ${models.join(',')}`} --max-quality-loss ${margin} --out ${trained}
  plimsoll gate --artifact ${trained} --suite ${at(SUITE_FILE)}`;
}

function providerOf(model: string, { providers }: Pick<Config, 'providers'>): WantedProvider {
  const name = model.slice(0, Math.max(0, model.indexOf('/')));
  const configured = Object.hasOwn(providers, name) ? providers[name] : undefined;
  if (configured !== undefined) {
    const { kind, baseUrl, apiKeyEnv } = configured;
    return {
      name,
      kind,
      ...(baseUrl !== undefined && { baseUrl }),
      ...(apiKeyEnv !== undefined && { keyVariable: apiKeyEnv }),
    };
  }
  const shipped = shippedProviders().find(({ kind }) => kind === name);
  if (shipped !== undefined) return wantedProvider(shipped);
  const known = [...new Set([...Object.keys(providers), ...shippedProviders().map(({ kind }) => kind)])];
  throw new PlimsollError(
    'invalid-input',
    `--write: ${model} names no known provider. Write it as name=<provider>/<model> in --models, with one of ${known.join(', ')}, or add its provider to the configuration.`,
    { place: { field: 'models' } },
  );
}

function requireFree(file: string, force: boolean): void {
  if (force || !existsSync(file)) return;
  throw new PlimsollError(
    'invalid-input',
    `${file} is there already. Name another folder, or replace it with --force.`,
    {
      place: { file },
    },
  );
}

function commented(text: string): string {
  return text
    .split('\n')
    .map((line) => `# ${line}`.trimEnd())
    .join('\n');
}
