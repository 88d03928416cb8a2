import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { allCommands, COMMANDS } from '../../scripts/command-table.ts';
import {
  bashScript,
  type CommandNode,
  commandTree,
  fishScript,
  leavesOf,
  treeNodes,
  zshScript,
} from '../../scripts/completion/index.ts';
import { scratchFolder } from '../cli/run-cli.ts';

let tree: CommandNode;
beforeAll(async () => {
  tree = commandTree(await allCommands());
}, 120_000);

const has = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;

/** Words before the cursor, the last of them unfinished -> what must and must not be proposed. */
const CASES: readonly (readonly [readonly string[], readonly string[], readonly string[]])[] = [
  [['do'], ['doctor'], ['demo', '--help']],
  [['keys', 'cr'], ['create'], ['revoke', 'serve']],
  [['keys', 'create', '--ro'], ['--role'], ['--name', '--json']],
  [
    ['keys', 'create', '--role', ''],
    ['view', 'operate', 'admin'],
    ['--name', 'list'],
  ],
  [['init', '--yes', '--start', 'm'], ['measure'], ['route']],
  [['completion', ''], ['bash', 'zsh', 'fish'], ['serve']],
  [['state', 'export', '--with'], ['--with-feedback'], ['--config']],
];

function proposedBy(script: string, shell: 'bash' | 'zsh' | 'fish', words: readonly string[]): string[] {
  const file = path.join(scratchFolder(), `completion.${shell}`);
  writeFileSync(file, script);
  const line = words.map((word) => (word === '' ? "''" : word)).join(' ');
  const programs = {
    bash: `source ${file}; COMP_WORDS=(plimsoll ${line}); COMP_CWORD=${words.length}; _plimsoll; printf '%s\\n' "\${COMPREPLY[@]}"`,
    // What _describe and compadd would show, filtered by the word at the cursor as zsh does.
    zsh: `compdef() { : }; _describe() { print -rl -- \${\${(P)2}%%:*} }; compadd() { shift; print -rl -- "$@" }; _files() { : }
source ${file}; words=(plimsoll ${line}); CURRENT=${words.length + 1}; _plimsoll | grep -e "^${words.at(-1)}" || true`,
    fish: `source ${file}; complete -C "plimsoll ${words.join(' ')}" | cut -f1`,
  };
  const { status, stdout, stderr } = spawnSync(shell, [shell === 'zsh' ? '-fc' : '-c', programs[shell]], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: scratchFolder() },
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.split('\n').filter(Boolean);
}

describe.each([
  ['bash', bashScript],
  ['zsh', zshScript],
  ['fish', fishScript],
] as const)('%s', (shell, script) => {
  test.skipIf(!has(shell))('completes commands, options and their values', { timeout: 60_000 }, () => {
    for (const [words, wanted, unwanted] of CASES) {
      const proposed = proposedBy(script(tree), shell, words);
      expect(proposed, words.join(' ')).toEqual(expect.arrayContaining([...wanted]));
      for (const word of unwanted) expect(proposed, words.join(' ')).not.toContain(word);
    }
  });
});

test('every command and every option is in the script of each shell', () => {
  for (const node of treeNodes(tree)) {
    for (const script of [bashScript(tree), zshScript(tree)]) {
      expect(script).toContain(`'${node.path}')`);
      for (const { flag } of node.options) expect(script).toContain(flag);
    }
  }
  expect(tree.commands.map(({ name }) => name)).toEqual(Object.keys(COMMANDS));
});

const PAGE = readFileSync(new URL('../../docs/CLI.md', import.meta.url), 'utf8');

test('every command has --json, and a row in the table of docs/CLI.md', () => {
  const leaves = leavesOf(tree);
  expect(leaves.length).toBeGreaterThan(40);
  const [, table = ''] = /## JSON\n([\s\S]*?)\n## /.exec(PAGE) ?? [];
  const rows = new Set([...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name));
  for (const { path: name, options } of leaves) {
    expect(
      options.map(({ flag }) => flag),
      name,
    ).toContain('--json');
    expect([...rows], name).toContain(name);
  }
  expect(rows.size).toBe(leaves.length);
});
