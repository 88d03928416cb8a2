import { quoted } from './bash.ts';
import { type CommandNode, type OptionNode, treeNodes } from './command-tree.ts';

/** For `plimsoll completion fish | source`, or a file in ~/.config/fish/completions. */
export function fishScript(tree: CommandNode): string {
  const nodes = treeNodes(tree);
  const paths = nodes.flatMap(({ path }) => (path === '' ? [] : [quoted(path)]));
  return `# Completion of plimsoll for fish: plimsoll completion fish | source
function __plimsoll_at
    set -l at ''
    for word in (commandline -opc)[2..]
        switch (string trim "$at $word")
            case ${paths.join(' ')}
                set at (string trim "$at $word")
        end
    end
    test "$at" = "$argv[1]"
end
${nodes.flatMap(linesOf).join('\n')}
`;
}

function linesOf(node: CommandNode): string[] {
  const at = `complete -c plimsoll -n "__plimsoll_at ${quoted(node.path)}"`;
  const isLeaf = node.commands.length === 0;
  return [
    ...node.commands.map(({ name, description }) => `${at} -f -a ${quoted(name)} -d ${quoted(description)}`),
    ...(node.choices.length > 0 ? [`${at} -f -a ${quoted(node.choices.join(' '))}`] : []),
    ...node.options.map((option) => optionLine(at, option)),
    ...(isLeaf ? [] : [`${at} -f`]),
  ];
}

function optionLine(at: string, { flag, description, takesValue, choices }: OptionNode): string {
  const value = choices.length > 0 ? ` -x -a ${quoted(choices.join(' '))}` : takesValue ? ' -r -F' : '';
  return `${at} -l ${quoted(flag.slice(2))}${value} -d ${quoted(description)}`;
}
