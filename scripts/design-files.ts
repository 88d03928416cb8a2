import { existsSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { CASES_FILE, type Design, type DesignModel, suiteText } from '../evals/design/index.ts';
import { shippedProviders } from '../router/catalog/index.ts';
import { configSchema, DEFAULT_CONFIG_FILE } from '../router/config/index.ts';
import { PlimsollError } from '../router/errors.ts';
import { replaceFile, writeFailure } from '../router/files/index.ts';
import { COMMAND } from '../router/package.ts';
import { shellWord } from '../router/shell-word.ts';
import { configText, type WantedProvider, wantedProvider } from './init/index.ts';

const SUITE_FILE = 'suite.yaml';

interface WriteOptions {
  /** As it is written down; all of it is taken over but for the ladder and what goes with it. */
  readonly configured: Readonly<Record<string, unknown>>;
  readonly models: readonly DesignModel[];
  readonly force: boolean;
}

/**
 * Writes the configuration with the proposed ladder, and the suite that is to prove it.
 * @returns the commands that come next, for a terminal
 * @throws PlimsollError `invalid-input` if one is there already, the folder is none, a model of the ladder has no provider, or what is configured does not
 *   go with the ladder
 */
export function writeDesign(
  folder: string,
  design: Design,
  { configured, models, force }: WriteOptions,
): string {
  const { ladder, margin, sentence, labels } = design;
  const own = (configured['providers'] ?? {}) as Readonly<Record<string, unknown>>;
  const providers = ladder.flatMap(({ model }) => newProviderOf(model, own) ?? []);
  const [cheap, strong] = [ladder[0]!.model, ladder.at(-1)!.model];
  const between = Object.fromEntries(ladder.slice(1, -1).map(({ candidate, model }) => [candidate, model]));
  const prices = Object.fromEntries(
    models.flatMap(({ name, price, isPriceStated }) =>
      price === undefined || isPriceStated !== true
        ? []
        : [[name, { input: price.inputUsd, output: price.outputUsd }]],
    ),
  );
  const text = configText({
    providers: [...new Map(providers.map((one) => [one.name, one])).values()],
    configured,
    cheap,
    between,
    strong,
    prices,
    use: 'chat',
    margin,
    start: 'measure',
  });
  requireValid(text);
  const budget = labels.cost_usd === null ? undefined : Math.max(1, Math.ceil(1.5 * labels.cost_usd));
  const next = nextCommands(folder, design, budget);
  const files = {
    [DEFAULT_CONFIG_FILE]: `${commented(`Designed: ${sentence}`)}\n#\n${commented(next)}\n\n${text}`,
    [SUITE_FILE]: suiteText(design),
  };
  requireFolder(folder);
  for (const name of Object.keys(files)) requireFree(path.join(folder, name), force);
  makeFolder(folder);
  for (const [name, content] of Object.entries(files)) replaceFile(path.resolve(folder, name), content);
  return `\n${Object.keys(files)
    .map((name) => path.join(folder, name))
    .join(' and ')} are written.\n\n${next}\n`;
}

/** What is taken over may name what the new ladder does not have. */
function requireValid(text: string): void {
  const { error } = configSchema.safeParse(parse(text));
  const [issue] = error?.issues ?? [];
  if (issue === undefined) return;
  throw new PlimsollError(
    'invalid-input',
    `--write: what is configured does not go with the proposed ladder: ${issue.path.join('.')}: ${issue.message}. Name a configuration without it by --config; nothing was written.`,
    { place: { field: issue.path.join('.') } },
  );
}

function nextCommands(
  folder: string,
  { ladder, margin, labels }: Design,
  budget: number | undefined,
): string {
  const models = ladder.map(({ model }) => model);
  const at = (name: string) => shellWord(path.join(folder, name));
  const list = shellWord(models.join(','));
  const [cheap, strong] = [models[0]!, models.at(-1)!].map(shellWord);
  const trained = at('models/router');
  const cost = budget === undefined ? '' : `, about $${labels.cost_usd!.toFixed(2)} of calls without a judge`;
  return `Next, with prompts of your own and how replies are graded (docs/LABELLING.md): about ${labels.needed?.toLocaleString('en') ?? 'as many as there are'} labels${cost}.
  ${COMMAND} label --from prompts.jsonl --models ${list} --graders graders.yaml --budget ${budget ?? 20}usd --config ${at(DEFAULT_CONFIG_FILE)} --out ${at(CASES_FILE)}
  ${COMMAND} train --data ${at(CASES_FILE)} ${models.length === 2 ? `--cheap ${cheap} --strong ${strong}` : `--ladder ${list}`} --max-quality-loss ${margin} --out ${trained}
  ${COMMAND} gate --artifact ${trained} --suite ${at(SUITE_FILE)}`;
}

/** Undefined if it is configured already. */
function newProviderOf(
  model: string,
  configured: Readonly<Record<string, unknown>>,
): WantedProvider | undefined {
  const name = model.slice(0, Math.max(0, model.indexOf('/')));
  if (Object.hasOwn(configured, name)) return undefined;
  const shipped = shippedProviders().find(({ kind }) => kind === name);
  if (shipped !== undefined) return wantedProvider(shipped);
  const known = [...new Set([...Object.keys(configured), ...shippedProviders().map(({ kind }) => kind)])];
  throw new PlimsollError(
    'invalid-input',
    `--write: ${model} names no known provider. Write it as name=<provider>/<model> in --models, with one of ${known.join(', ')}, or add its provider to the configuration.`,
    { place: { field: 'models' } },
  );
}

/** Also of the folders above it. */
function requireFolder(folder: string): void {
  if (folder.trim() === '')
    throw new PlimsollError('invalid-input', '--write names no folder. Name one, such as --write designed.');
  let place = path.resolve(folder);
  while (!existsSync(place)) place = path.dirname(place);
  if (statSync(place).isDirectory()) return;
  const file = path.relative('', place);
  throw new PlimsollError(
    'invalid-input',
    `--write: ${file} is a file, not a folder. Name another folder; nothing was written.`,
    {
      place: { file },
    },
  );
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw writeFailure('the design', folder, cause);
  }
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
