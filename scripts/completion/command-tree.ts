import type { Command, Option } from 'commander';

/** An option as a shell sees it. */
export interface OptionNode {
  /** With its dashes. */
  readonly flag: string;
  readonly description: string;
  readonly takesValue: boolean;
  /** Its only values; empty if it takes others. */
  readonly choices: readonly string[];
}

export interface CommandNode {
  /** What leads to it after the name of the program, such as `keys create`; empty for the program itself. */
  readonly path: string;
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionNode[];
  /** The only values of its first argument; empty if it takes others, or none. */
  readonly choices: readonly string[];
  readonly commands: readonly CommandNode[];
}

const HELP: OptionNode = {
  flag: '--help',
  description: 'all options of the command',
  takesValue: false,
  choices: [],
};

/** @param commands those of the first level */
export function commandTree(commands: readonly Command[]): CommandNode {
  const version = { ...HELP, flag: '--version', description: 'the version' };
  const children = commands.map((command) => nodeOf(command, ''));
  return {
    path: '',
    name: 'plimsoll',
    description: '',
    options: [HELP, version],
    choices: [],
    commands: children,
  };
}

function nodeOf(command: Command, parent: string): CommandNode {
  const path = `${parent} ${command.name()}`.trim();
  return {
    path,
    name: command.name(),
    description: oneLine(command.summary() || command.description()),
    options: [...command.options.flatMap(optionNode), HELP],
    choices: command.registeredArguments[0]?.argChoices ?? [],
    commands: command.commands.map((child) => nodeOf(child, path)),
  };
}

function optionNode({ long, description, required, optional, argChoices, hidden }: Option): OptionNode[] {
  if (typeof long !== 'string' || hidden) return [];
  const takesValue = required || optional;
  return [{ flag: long, description: oneLine(description), takesValue, choices: argChoices ?? [] }];
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

/** The node and all below it. */
export function treeNodes(node: CommandNode): CommandNode[] {
  return [node, ...node.commands.flatMap(treeNodes)];
}

/** What does something: commands without commands of their own. */
export function leavesOf(tree: CommandNode): CommandNode[] {
  return treeNodes(tree).filter(({ commands }) => commands.length === 0);
}
