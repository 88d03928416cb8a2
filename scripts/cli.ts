#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { PlimsollError } from '../router/errors.ts';
import { nearestName } from '../router/nearest-name.ts';
import { VERSION } from '../router/package.ts';
import { UsageError } from './usage-error.ts';

/** 0 done, 1 an error, 2 wrong usage. */
const EXIT_ERROR = 1;
const EXIT_USAGE = 2;

interface CommandEntry {
  /** After its name in the help. */
  readonly usage: string;
  readonly description: string;
  readonly load: () => Promise<Command>;
}

/** In the order of the help, which loads none of them: Express and the trainer are slow to load, and `route` needs neither. */
const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  serve: {
    usage: '[options]',
    description: 'Serve decisions over HTTP',
    load: async () => (await import('./commands/serve.ts')).serveCommand(),
  },
  doctor: {
    usage: '[options]',
    description:
      'Check what a server needs (configuration, artifact, keys, port, state), and say how to fix it',
    load: async () => (await import('./commands/doctor.ts')).doctorCommand(),
  },
  route: {
    usage: '[options] [text]',
    description: 'Decide on one request, given as an argument or on stdin',
    load: async () => (await import('./commands/route.ts')).routeCommand(),
  },
  assess: {
    usage: '[options]',
    description: 'Cross-validate a router on labelled data: would routing pay here?',
    load: async () => (await import('./commands/assess.ts')).assessCommand(),
  },
  train: {
    usage: '[options]',
    description: 'Train a router on labelled cases, and write it as an artifact',
    load: async () => (await import('./commands/train.ts')).trainCommand(),
  },
  calibrate: {
    usage: '[options]',
    description:
      'Fit the probabilities and the threshold of an artifact to labelled cases, as a new artifact',
    load: async () => (await import('./commands/calibrate.ts')).calibrateCommand(),
  },
  gate: {
    usage: '[options]',
    description:
      'Judge an artifact, or what any router chose, on sealed and hard cases: PASS, FAIL or INCONCLUSIVE',
    load: async () => (await import('./commands/gate.ts')).gateCommand(),
  },
  label: {
    usage: '[options]',
    description: 'Ask every candidate, grade the replies, and write labelled cases, within a budget',
    load: async () => (await import('./commands/label.ts')).labelCommand(),
  },
  audit: {
    usage: '[options]',
    description: 'Record what graded requests that stayed cheap have lost, for the watch',
    load: async () => (await import('./commands/audit.ts')).auditCommand(),
  },
  review: {
    usage: '',
    description: 'Let people label replies on a page or in a table, and compare their labels with a judge’s',
    load: async () => (await import('./commands/review.ts')).reviewCommand(),
  },
  'plan-labels': {
    usage: '[options]',
    description: 'Draw the prompts that are worth a label: those that the policy may keep cheap',
    load: async () => (await import('./commands/plan-labels.ts')).planLabelsCommand(),
  },
  retrain: {
    usage: '[options]',
    description:
      'Train a challenger on new data, gate it, and let it replace the champion only if it is no worse',
    load: async () => (await import('./commands/retrain.ts')).retrainCommand(),
  },
  worker: {
    usage: '[options]',
    description:
      'Make calls of labelling runs that share their work through Redis, beside any number of others',
    load: async () => (await import('./commands/worker.ts')).workerCommand(),
  },
  loop: {
    usage: '[options]',
    description: 'Label what is new, retrain, gate, compare, and promote or keep: one round, safe to kill',
    load: async () => (await import('./commands/loop.ts')).loopCommand(),
  },
  rules: {
    usage: '[options] [command]',
    description: 'Say which rules of the configuration fire for cases, or let them alone decide',
    load: async () => (await import('./commands/rules.ts')).rulesCommand(),
  },
  inspect: {
    usage: '[options] <artifact>',
    description: 'Check an artifact (hashes, weights, golden cases) and say what it is',
    load: async () => (await import('./commands/inspect.ts')).inspectCommand(),
  },
  tasks: {
    usage: '',
    description: 'Train and test the classifier that tells which task a request is',
    load: async () => (await import('./commands/tasks.ts')).tasksCommand(),
  },
  artifacts: {
    usage: '[options]',
    description: 'List the artifacts of a store, their verdicts, and which of them serves',
    load: async () => (await import('./commands/artifacts.ts')).artifactsCommand(),
  },
  profiles: {
    usage: '[options]',
    description: 'List the profiles with all that they inherit, and what each one’s verdict is worth',
    load: async () => (await import('./commands/profiles.ts')).profilesCommand(),
  },
  promote: {
    usage: '[options]',
    description: 'Make an artifact with a valid PASS the one that its store serves',
    load: async () => (await import('./commands/promote.ts')).promoteCommand(),
  },
  rollback: {
    usage: '[options]',
    description: 'Make the artifact that served before the current one serve again',
    load: async () => (await import('./commands/rollback.ts')).rollbackCommand(),
  },
  sign: {
    usage: '[options]',
    description: 'Sign the verdict of an artifact, check a signature, or make the keys for it',
    load: async () => (await import('./commands/sign.ts')).signCommand(),
  },
  keys: {
    usage: '',
    description: 'Make, list and revoke the API keys of the server',
    load: async () => (await import('./commands/keys.ts')).keysCommand(),
  },
  budget: {
    usage: '[options]',
    description: 'Say what of each limit is settled, reserved and left now',
    load: async () => (await import('./commands/budget.ts')).budgetCommand(),
  },
  state: {
    usage: '',
    description: 'Migrate, show, export, prune and erase what the server stores',
    load: async () => (await import('./commands/state.ts')).stateCommand(),
  },
  prices: {
    usage: '',
    description: 'Say which prices were read too long ago',
    load: async () => (await import('./commands/prices.ts')).pricesCommand(),
  },
  import: {
    usage: '[options] <format> <input...>',
    description: 'Convert labelled data to cases: public repositories’ raw files, tables or JSON',
    load: async () => (await import('./commands/import.ts')).importCommand(),
  },
};

/** With the command that the arguments name, or with the names of all for the help. */
async function program(args: readonly string[]): Promise<Command> {
  const root = new Command('plimsoll')
    .description(
      'A learned router for language models: the cheapest model that answers well enough, and the proof.',
    )
    .version(VERSION)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(usageLine(explained(text, args, root))) });
  const names = args.filter((arg) => !arg.startsWith('-'));
  const wanted = names[0] === 'help' ? names[1] : names[0];
  for (const [name, { usage, description, load }] of Object.entries(COMMANDS)) {
    const command = name === wanted ? await load() : new Command(name).usage(usage);
    root.addCommand(command.description(description));
    inheritSettings(command, root);
  }
  return root.configureHelp({ subcommandTerm });
}

/** Of the root: how wrong usage is reported. Commander copies settings one level down only. */
function inheritSettings(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent);
  for (const one of command.commands) inheritSettings(one, command);
}

/** As in the list of commands, also of those that are not loaded. */
function subcommandTerm(command: Command): string {
  const usage = COMMANDS[command.name()]?.usage ?? command.usage();
  return `${command.name()} ${usage}`.trimEnd();
}

const NEEDED = /^error: required option|^error: missing required argument/;
const UNKNOWN = /^error: unknown option '(--[^'=]+)/;

/**
 * Commander's message, unless more can be said: a flag that is missing may be there with a slip in its name, and what is given as a flag may
 * be an argument.
 */
function explained(text: string, args: readonly string[], root: Command): string {
  const called = calledCommand(args, root);
  const unknown = UNKNOWN.exec(text)?.[1] ?? (NEEDED.test(text) ? unknownFlag(args, called) : undefined);
  if (unknown === undefined) return text;
  const name = unknown.slice(2);
  if (called.registeredArguments.some((argument) => argument.name() === name)) {
    return `${name} is given without a flag: ${usageOf(called)}.`;
  }
  if (UNKNOWN.test(text)) return text;
  const near = nearestName(
    unknown,
    called.options.flatMap(({ long }) => long ?? []),
  );
  return near === undefined ? text : `unknown option '${unknown}' (Did you mean ${near}?)`;
}

/** The command that the arguments name, or its subcommand. */
function calledCommand(args: readonly string[], root: Command): Command {
  let command = root;
  for (const arg of args) {
    command = command.commands.find((one) => one.name() === arg) ?? command;
  }
  return command;
}

/** The first flag that a command does not have. What follows `--` is no flag. */
function unknownFlag(args: readonly string[], { options }: Command): string | undefined {
  const end = args.indexOf('--');
  const flags = args.slice(0, end === -1 ? undefined : end).filter((arg) => /^--\w/.test(arg));
  return flags
    .map((flag) => flag.replace(/=.*$/s, ''))
    .find((flag) => !options.some(({ long }) => long === flag));
}

function usageOf(command: Command): string {
  const parents: string[] = [];
  for (let one = command.parent; one !== null; one = one.parent) parents.unshift(one.name());
  return [...parents, command.name(), command.usage()].join(' ');
}

/** Wrong usage in one line that begins as every other error does. */
function usageLine(text: string): string {
  const line = text
    .replace(/^error: /, '')
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ');
  return `plimsoll: ${line}${/[.?)]$/.test(line) ? '' : '.'} Add --help for the options.\n`;
}

/** One line for a person, never a stack trace; PLIMSOLL_DEBUG=1 adds one. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE; // commander has printed it
  if (process.env['PLIMSOLL_DEBUG']) console.error(error);
  if (error instanceof UsageError) {
    process.stderr.write(usageLine(error.message));
    return EXIT_USAGE;
  }
  if (error instanceof PlimsollError) {
    process.stderr.write(`plimsoll: ${error.message}\n`);
    return EXIT_ERROR;
  }
  const name = error instanceof Error ? `${error.name}: ${error.message.split('\n')[0]}` : 'unknown error';
  process.stderr.write(
    `plimsoll: this should not happen (${name}). Please report it with PLIMSOLL_DEBUG=1.\n`,
  );
  return EXIT_ERROR;
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0); // the reader of a pipe has seen enough
  throw error;
});

/** If a full disk refuses a log line, the line is lost and the server goes on. */
process.stderr.on('error', () => {});

try {
  await (await program(process.argv.slice(2))).parseAsync();
} catch (error) {
  process.exitCode = report(error);
}
