import { existsSync } from 'node:fs';
import path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_CONFIG_FILE } from '../../router/config/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { replaceFile } from '../../router/files/index.ts';
import { COMMAND } from '../../router/package.ts';
import { shellWord } from '../../router/shell-word.ts';
import { diagnose } from '../doctor/index.ts';
import {
  type Answers,
  askAnswers,
  configText,
  faultOf,
  type Given,
  keyVariables,
  modelsOf,
  proposedModels,
  providerAt,
  providersWithKeys,
  STARTS,
  type Start,
  USES,
  type Use,
  type WantedProvider,
  wantedProvider,
  whyNoVariable,
} from '../init/index.ts';
import { print, printJson, printNotes } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { findingLines } from './doctor.ts';

interface Flags {
  readonly out: string;
  readonly yes: boolean;
  readonly providers?: readonly string[];
  readonly baseUrl?: WantedProvider;
  readonly keyVariable?: string;
  readonly cheap?: string;
  readonly strong?: string;
  readonly use?: Use;
  readonly margin?: number;
  readonly start?: Start;
  readonly offline: boolean;
  readonly force: boolean;
  readonly json: boolean;
}

/** `plimsoll init`: the first configuration. */
export function initCommand(): Command {
  return new Command('init')
    .option('--out <file>', 'where the configuration goes', DEFAULT_CONFIG_FILE)
    .option('--yes', 'ask nothing: what no flag says is taken as proposed', false)
    .option(
      '--providers <names>',
      `of those whose keys are in the environment (${keyVariables().join(', ')})`,
      names,
    )
    .option(
      '--base-url <address>',
      'an OpenAI-compatible API in their place, such as http://localhost:11434/v1',
      address,
    )
    .option('--key-variable <name>', 'with --base-url: the environment variable that has its key', variable)
    .option('--cheap <model>', '<provider>/<model> for what is easy')
    .option('--strong <model>', '<provider>/<model> that you trust with everything')
    .addOption(new Option('--use <name>', 'what it is for').choices(USES))
    .option('--margin <loss>', 'mean quality that may be lost, of 1', margin)
    .addOption(
      new Option(
        '--start <name>',
        'measure: all to the strong model, and scored; route: route at once',
      ).choices(STARTS),
    )
    .option('--offline', 'do not try the keys', false)
    .option('--force', 'replace a configuration that is there', false)
    .option('--json', 'print what was written and what the doctor found as JSON', false)
    .addHelpText(
      'after',
      `
Asks for what no flag says, writes a commented configuration, and tries each key by asking its provider for the list of models, which is
free of charge. Keys stay in the environment: only the names of their variables are written.

Exit codes: 0 written, 1 written but something is wrong, or another error; 2 wrong usage.

Examples:
  plimsoll init
  plimsoll init --yes --providers openai --start measure
  plimsoll init --yes --base-url http://localhost:11434/v1 --cheap localhost/llama3.2:3b --strong localhost/llama3.3:70b
`,
    )
    .action(run);
}

function names(text: string): readonly string[] {
  return text.split(',').map((name) => name.trim());
}

function address(text: string): WantedProvider {
  const provider = providerAt(text);
  if (typeof provider !== 'string') return provider;
  throw new InvalidArgumentError(provider);
}

function variable(text: string): string {
  const why = whyNoVariable(text);
  if (why === undefined) return text;
  throw new InvalidArgumentError(why);
}

function margin(text: string): number {
  const value = Number(text);
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError('It must be above 0 and below 1, such as 0.02.');
}

async function run(flags: Flags): Promise<void> {
  const { out, force, offline, json } = flags;
  if (existsSync(out) && !force) {
    throw new PlimsollError(
      'invalid-input',
      `${out} is there already. Name another file by --out, or replace it with --force.`,
      {
        place: { file: out },
      },
    );
  }
  const answers = await answersOf(flags);
  if (answers === undefined) {
    printNotes(['', 'Nothing is written.']);
    process.exitCode = EXIT_INTERRUPTED;
    return;
  }
  const fault = faultOf(answers);
  if (fault !== undefined) throw new UsageError(fault);
  replaceFile(path.resolve(out), configText(answers, configFlag(out)));
  if (!json) print(`${out} is written.\n\n`);
  const findings = await diagnose({ config: out, online: !offline });
  const isFaulty = findings.some(({ status }) => status === 'fault');
  if (isFaulty) process.exitCode = 1;
  if (json) return printJson({ file: out, ok: !isFaulty, answers: answersJson(answers), findings });
  const shown = findings.filter(({ status }) => status !== 'skipped');
  print(`${shown.map(findingLines).join('\n')}\n\n`);
  print(
    isFaulty
      ? `Mend the faults above; then ${COMMAND} doctor${configFlag(out)} says whether it serves.\n`
      : nextSteps(answers, out),
  );
}

const EXIT_INTERRUPTED = 130;

/** Undefined if whoever was asked left. */
async function answersOf(flags: Flags): Promise<Answers | undefined> {
  const given = givenBy(flags);
  if (!flags.yes) {
    if (process.stdin.isTTY !== true)
      throw new UsageError(
        'init asks questions, and there is no terminal. Answer by flags, and take the rest as proposed with --yes.',
      );
    const output = flags.json ? process.stderr : process.stdout;
    const listing = flags.offline ? undefined : modelsOf;
    return askAnswers(given, process.env, { input: process.stdin, output }, listing).catch((error) => {
      if (error instanceof Error && error.name === 'AbortError') return undefined;
      throw error;
    });
  }
  const providers = given.providers ?? providersWithKeys(process.env).map(wantedProvider);
  if (providers.length === 0) {
    throw new UsageError(
      `No provider: none of ${keyVariables().join(', ')} is set. Set one, or name the address of an OpenAI-compatible API by --base-url.`,
    );
  }
  const { cheap, strong } = { ...proposedModels(providers), ...given };
  if (cheap === undefined || strong === undefined) {
    throw new UsageError(
      `No models are known of these providers: name them by --cheap and --strong.${flags.offline ? '' : await listedWords(providers)}`,
    );
  }
  return { use: 'chat', margin: 0.02, start: 'measure', ...given, providers, cheap, strong };
}

const NAMED_MODELS = 8;

/** What there is to choose from, in a sentence; nothing if no provider says. */
async function listedWords(providers: readonly WantedProvider[]): Promise<string> {
  const lists = await Promise.all(providers.map(modelsOf));
  const listed = lists.flatMap((list) => (typeof list === 'string' ? [] : list));
  if (listed.length === 0) return '';
  const more = listed.length - NAMED_MODELS;
  return ` There are: ${listed.slice(0, NAMED_MODELS).join(', ')}${more > 0 ? ` and ${more} more` : ''}.`;
}

function answersJson({ providers, cheap, strong, use, margin, start }: Answers) {
  return { providers: providers.map(({ name }) => name), cheap, strong, use, margin, start };
}

function givenBy({ providers, baseUrl, keyVariable, cheap, strong, use, margin, start }: Flags): Given {
  if (keyVariable !== undefined && baseUrl === undefined)
    throw new UsageError('--key-variable goes with --base-url.');
  const own = baseUrl && { ...baseUrl, ...(keyVariable !== undefined && { keyVariable }) };
  const named = own === undefined ? providers?.map(providerWithKey) : [own];
  if (baseUrl !== undefined && providers !== undefined)
    throw new UsageError('--providers and --base-url exclude each other.');
  return {
    ...(named && { providers: named }),
    ...(cheap !== undefined && { cheap }),
    ...(strong !== undefined && { strong }),
    ...(use && { use }),
    ...(margin !== undefined && { margin }),
    ...(start && { start }),
  };
}

function providerWithKey(name: string): WantedProvider {
  const found = providersWithKeys(process.env);
  const provider = found.find(({ kind }) => kind === name);
  if (provider !== undefined) return wantedProvider(provider);
  const there = found.map(({ kind }) => kind).join(', ') || 'none';
  throw new UsageError(
    `The key of "${name}" is not in the environment. Found: ${there}; looked for: ${keyVariables().join(', ')}.`,
  );
}

function nextSteps({ start }: Answers, out: string): string {
  return `Start it:            ${COMMAND} serve${configFlag(out)}
Point a client at:   http://127.0.0.1:8787/v1 with the model "auto"
${start === 'measure' ? `After some days:     ${COMMAND} plan, as the file says` : 'For a promise:       docs/FIRST-SAVING.md'}
`;
}

/** What a command needs to read the file that was written. */
function configFlag(out: string): string {
  return out === DEFAULT_CONFIG_FILE ? '' : ` --config ${shellWord(out)}`;
}
