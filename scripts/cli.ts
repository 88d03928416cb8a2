#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { PlimsollError } from '../router/errors.ts';
import { fileFailure } from '../router/files/index.ts';
import { nearestName } from '../router/nearest-name.ts';
import { VERSION } from '../router/package.ts';
import { COMMANDS } from './command-table.ts';
import { UsageError } from './usage-error.ts';

/** 0 done, 1 an error, 2 wrong usage. */
const EXIT_ERROR = 1;
const EXIT_USAGE = 2;

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

/** Set on the root: how wrong usage is reported. Commander copies settings one level down only. */
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
  const known = error instanceof PlimsollError ? error : fileFailure(error);
  if (known !== undefined) {
    process.stderr.write(`plimsoll: ${known.message}\n`);
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
