#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { PlimsollError } from '../router/errors.ts';
import { VERSION } from '../router/package.ts';

/** 0 done, 1 an error, 2 wrong usage. */
const EXIT_ERROR = 1;
const EXIT_USAGE = 2;

/** In the order of the help. Each is loaded when it is asked for: Express and the trainer are slow to load, and `route` needs neither. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./commands/serve.ts')).serveCommand(),
  route: async () => (await import('./commands/route.ts')).routeCommand(),
  assess: async () => (await import('./commands/assess.ts')).assessCommand(),
  train: async () => (await import('./commands/train.ts')).trainCommand(),
  calibrate: async () => (await import('./commands/calibrate.ts')).calibrateCommand(),
  gate: async () => (await import('./commands/gate.ts')).gateCommand(),
  retrain: async () => (await import('./commands/retrain.ts')).retrainCommand(),
  inspect: async () => (await import('./commands/inspect.ts')).inspectCommand(),
  artifacts: async () => (await import('./commands/artifacts.ts')).artifactsCommand(),
  promote: async () => (await import('./commands/promote.ts')).promoteCommand(),
  rollback: async () => (await import('./commands/rollback.ts')).rollbackCommand(),
  keys: async () => (await import('./commands/keys.ts')).keysCommand(),
  import: async () => (await import('./commands/import.ts')).importCommand(),
};

/** The command that the first argument names; all of them for the help, or for a name that is none. */
async function program(name = ''): Promise<Command> {
  const open = Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]!] : Object.values(COMMANDS);
  const commands = await Promise.all(open.map((command) => command()));
  const root = new Command('plimsoll')
    .description(
      'A learned router for language models: the cheapest model that answers well enough, and the proof.',
    )
    .version(VERSION)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(usageLine(text)) });
  for (const command of commands) root.addCommand(command.copyInheritedSettings(root));
  return root;
}

/** Wrong usage in one line that begins as every other error does. */
function usageLine(text: string): string {
  const told = text
    .replace(/^error: /, '')
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ');
  return `plimsoll: ${told}${/[.?)]$/.test(told) ? '' : '.'} Add --help for the options.\n`;
}

/** One line for a person, never a stack trace; PLIMSOLL_DEBUG=1 shows it to whoever mends Plimsoll. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE; // commander has said it
  if (process.env['PLIMSOLL_DEBUG']) console.error(error);
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

/** A log that a full disk does not take is lost; the server goes on. */
process.stderr.on('error', () => {});

try {
  await (await program(process.argv[2])).parseAsync();
} catch (error) {
  process.exitCode = report(error);
}
