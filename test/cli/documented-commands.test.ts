import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { PACKAGE_FOLDER } from '../../router/package.ts';
import { allCommands } from '../../scripts/command-table.ts';
import { type CommandNode, commandTree } from '../../scripts/completion/command-tree.ts';

const PAGES = [
  'README.md',
  ...readdirSync(path.join(PACKAGE_FOLDER, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

interface SimpleCommand {
  readonly words: readonly string[];
  /** What is said behind it on its line. */
  readonly comment: string;
}

/** The blocks of a page that a reader would copy into a shell. */
function shellBlocks(page: string): string[] {
  const text = readFileSync(path.join(PACKAGE_FOLDER, page), 'utf8');
  return [...text.matchAll(/^ *```(?:sh|bash)\n(.*?)^ *```$/gms)].map(([, block = '']) => block);
}

/** Without the text that `<<END` hands to a command. */
function withoutHereDocuments(block: string): string {
  return block.replace(/<<-?\s*(['"]?)(\w+)\1(.*\n)[\s\S]*?^\s*\2$/gm, '$3');
}

const WORD = /\s*(?:(#.*)|(\|\||&&|\$\(|[|&;()])|((?:'[^']*'|"(?:\\.|[^"])*"|\\.|[^\s'"\\|&;()])+))/y;

/** The commands of a block between `|`, `&&`, `;` and the like, as words without their quotes. */
function commandsOf(block: string): SimpleCommand[] {
  const lines = withoutHereDocuments(block)
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n');
  return lines.flatMap((line) => {
    const commands: string[][] = [[]];
    let comment = '';
    WORD.lastIndex = 0;
    for (let match = WORD.exec(line); match !== null; match = WORD.exec(line)) {
      const [, said, operator, word] = match;
      if (said !== undefined) comment = said;
      else if (operator !== undefined) commands.push([]);
      else commands.at(-1)!.push(word!.replaceAll(/['"]/g, ''));
    }
    return commands.map((words, i) => ({ words, comment: i === commands.length - 1 ? comment : '' }));
  });
}

/** What is not part of the command itself: variables, redirections and programs that run it. */
function called({ words, comment }: SimpleCommand): SimpleCommand {
  const bare = words.filter((word) => !/^\d*[<>]/.test(word));
  const first = bare.findIndex((word) => !/^\w+=/.test(word) && !['npx', 'exec', 'time'].includes(word));
  return { words: first < 0 ? [] : bare.slice(first), comment };
}

/** Arguments of plimsoll, or the script of package.json that is run; undefined for any other command. */
function target(
  words: readonly string[],
): { readonly args: string[] } | { readonly script: string } | undefined {
  const [program, ...rest] = words;
  if (program === 'plimsoll') return { args: rest };
  if (program !== 'npm') return undefined;
  const [verb, ...further] = rest.filter((word) => !/^-s$|^--silent$/.test(word));
  const script = verb === 'run' ? further[0]! : verb === 'start' || verb === 'test' ? verb : undefined;
  if (script === undefined) return undefined;
  const end = further.indexOf('--');
  const args = end < 0 ? [] : further.slice(end + 1);
  if (script === 'plimsoll') return { args };
  return script === 'start' ? { args: ['serve', ...args] } : { script };
}

let tree: CommandNode;
beforeAll(async () => {
  tree = commandTree(await allCommands());
});

/** The first thing that plimsoll would refuse; undefined if there is none. */
function faultOf(args: readonly string[], comment: string): string | undefined {
  let node = tree;
  let i = 0;
  for (; i < args.length && node.commands.length > 0 && !args[i]!.startsWith('-'); i++) {
    const next = node.commands.find(({ name }) => name === args[i]);
    if (next === undefined) return `there is no command "${[node.path, args[i]].join(' ').trim()}"`;
    node = next;
  }
  const written = args.slice(i).flatMap((word) => /^--[a-z][\w-]*/.exec(word)?.[0] ?? []);
  const own = comment.replaceAll(/`[^`]*`/g, ''); // another command is named in code
  const said = [...own.matchAll(/(?<![\w-])--[a-z][\w-]*/g)].map(([flag]) => flag);
  const unknown = [...written, ...said].find((flag) => !node.options.some((one) => one.flag === flag));
  return unknown && `plimsoll ${node.path} has no ${unknown}`;
}

const { scripts } = JSON.parse(readFileSync(path.join(PACKAGE_FOLDER, 'package.json'), 'utf8'));

test('every command in a block of shell of README.md and docs exists, with each of its flags', () => {
  const found = PAGES.flatMap((page) =>
    shellBlocks(page)
      .flatMap(commandsOf)
      .map(called)
      .flatMap(({ words, comment }) => {
        const what = target(words);
        return what === undefined ? [] : [{ page, what, comment, line: words.join(' ') }];
      }),
  );
  expect(found.filter(({ what }) => 'args' in what).length).toBeGreaterThan(100);
  const faults = found.flatMap(({ page, what, comment, line }) => {
    const fault =
      'script' in what
        ? what.script in scripts
          ? undefined
          : `package.json has no script ${what.script}`
        : faultOf(what.args, comment);
    return fault === undefined ? [] : [`${page}: ${line}: ${fault}`];
  });
  expect(faults).toEqual([]);
});

test('it sees a command, a subcommand, a flag and a script that are not there', () => {
  const faultsIn = (block: string): unknown[] =>
    commandsOf(block)
      .map(called)
      .flatMap(({ words, comment }): unknown[] => {
        const what = target(words);
        if (what === undefined) return [];
        return 'script' in what ? [what.script in scripts] : [faultOf(what.args, comment)];
      });
  expect(faultsIn('npx plimsoll rout hello')).toEqual(['there is no command "rout"']);
  expect(faultsIn('plimsoll keys make --name a')).toEqual(['there is no command "keys make"']);
  expect(faultsIn('A=1 npm run -s plimsoll -- gate \\\n  --sute x | jq .')).toEqual([
    'plimsoll gate has no --sute',
  ]);
  expect(faultsIn('npm start -- --ports 1 && npm run banch')).toEqual([
    'plimsoll serve has no --ports',
    false,
  ]);
  expect(faultsIn('plimsoll prices check  # --config, --jsn')).toEqual([
    'plimsoll prices check has no --jsn',
  ]);
  expect(faultsIn("cat > x <<'END'\nplimsoll nothing\nEND\nplimsoll route 'odd; plimsoll none'")).toEqual([
    undefined,
  ]);
});
